//! What RedFlash keeps, as traits: the directory of who can be told, the outbox of what is sent, the
//! inbox of what comes back, and the meters that bound it all.
//!
//! A store is anything that implements [`Directory`], [`Outbox`], [`Inbox`] and [`Meter`]. To write one, start from
//! [`MemoryStore`](crate::MemoryStore), which shows every rule in plain code, and run the store
//! conformance suite on it: each promise in these docs is one of its cases.

mod directory;
mod entry;
mod error;
mod inbox;
mod meter;
mod outbox;

use std::fmt;

pub use directory::{Directory, Entry, Save};
pub use entry::{OutboxEntry, Received};
pub use error::StoreError;
pub use inbox::{InboundFilter, Inbox};
pub use meter::{Allowance, Meter, Spent};
pub use outbox::{
    Backlog, ClosedLane, DeliveryRecord, DueQueue, Enqueue, Enqueued, LogFilter, MAX_CLAIMS, Nodes,
    Outbox, Queue, ReceiptEffect, Want,
};

/// Everything RedFlash keeps.
pub trait Store: Directory + Outbox + Inbox + Meter + fmt::Debug + 'static {}

impl<T: Directory + Outbox + Inbox + Meter + fmt::Debug + 'static> Store for T {}
