//! What RedFlash keeps, as traits: the directory of who can be told, the outbox of what is sent, the
//! inbox of what comes back, the meters that bound it all, who has logged in, and who did what.
//!
//! A store is anything that implements [`Directory`], [`Outbox`], [`Inbox`], [`Meter`], [`Sessions`] and
//! [`Audit`]. To write one, start from [`MemoryStore`](crate::MemoryStore), which shows every rule in plain code, and run the store
//! conformance suite on it: each promise in these docs is one of its cases.

mod audit;
mod directory;
mod entry;
mod error;
mod fan_out;
mod inbox;
mod meter;
mod outbox;
mod serving;
mod sessions;

use std::fmt;

pub use audit::{Audit, AuditFilter};
pub use directory::{Directory, Edit, Entry, EntryRef, Save, Step};
pub use entry::{OutboxEntry, Received};
pub use error::StoreError;
pub use fan_out::{EnqueueMore, FanOut};
pub use inbox::{InboundFilter, Inbox};
pub use meter::{Alarm, Allowance, Meter, Spent};
pub use outbox::{
    Backlog, ClaimRequest, ClockStep, ClosedLane, DeliveryRecord, DueQueue, Enqueue, Enqueued,
    LogFilter, LogPage, MAX_CLAIMS, Nodes, Outbox, OutcomeCount, Overdue, Queue, ReceiptEffect,
    Recent,
};
pub use serving::{Serving, ServingSlot};
pub use sessions::Sessions;

/// Everything RedFlash keeps.
pub trait Store:
    Directory + Outbox + Inbox + Meter + Sessions + Audit + fmt::Debug + 'static
{
}

impl<T> Store for T where
    T: Directory + Outbox + Inbox + Meter + Sessions + Audit + fmt::Debug + 'static
{
}
