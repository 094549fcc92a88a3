//! Storage, as traits: the directory of contacts and events, the outbox of deliveries, the inbox of
//! replies, the meters of budgets, the sessions of users, and the audit log.
//!
//! A store is anything that implements [`Directory`], [`Outbox`], [`Inbox`], [`Meter`],
//! [`Sessions`] and [`Audit`]. To write one, start from [`MemoryStore`], which shows every rule in
//! plain code, and run the store conformance suite on it: each promise in these docs is one of its
//! cases.

mod audit;
mod directory;
mod enqueue;
mod entry;
mod error;
mod inbox;
mod log;
mod meter;
mod nodes;
mod outbox;
mod queue;
mod serving;
mod sessions;
mod window;

use std::fmt;
use std::sync::Arc;

pub use crate::memory::MemoryStore;
pub use audit::{Audit, AuditFilter};
pub use directory::{Directory, Edit, Entry, EntryRef, Save, Step};
pub use enqueue::{Enqueue, EnqueueMore, Enqueued, FanOut};
pub use entry::{OutboxEntry, Received};
pub use error::StoreError;
pub use inbox::{InboundFilter, Inbox};
pub use log::{DeliveryRecord, LogFilter, LogPage, OutcomeCount, Recent};
pub use meter::{Alarm, Allowance, Meter, Spent};
pub use nodes::{ClosedLane, Nodes};
pub use outbox::Outbox;
pub use queue::{
    Backlog, ClaimRequest, ClockStep, DueQueue, MAX_CLAIMS, Overdue, Queue, ReceiptEffect,
};
pub use serving::{Serving, ServingSlot};
pub use sessions::Sessions;
pub use window::Window;

/// A complete store.
pub trait Store:
    Directory + Outbox + Inbox + Meter + Sessions + Audit + fmt::Debug + 'static
{
}

impl<T> Store for T where
    T: Directory + Outbox + Inbox + Meter + Sessions + Audit + fmt::Debug + 'static
{
}

/// A store to share: a `Store`, an `Arc` of one, or an `Arc<dyn Store>`.
pub trait IntoStore {
    /// Returns the store behind an `Arc`.
    fn into_store(self) -> Arc<dyn Store>;
}

impl<T: Store> IntoStore for T {
    fn into_store(self) -> Arc<dyn Store> {
        Arc::new(self)
    }
}

impl<T: Store> IntoStore for Arc<T> {
    fn into_store(self) -> Arc<dyn Store> {
        self
    }
}

impl IntoStore for Arc<dyn Store> {
    fn into_store(self) -> Arc<dyn Store> {
        self
    }
}
