//! What RedFlash keeps, as traits: the directory of who can be told, and the outbox of what is sent.
//!
//! A store is anything that implements [`Directory`] and [`Outbox`]. To write one, start from
//! [`MemoryStore`](crate::MemoryStore), which shows every rule in plain code, and run the store
//! conformance suite on it: each promise in these docs is one of its cases.

mod directory;
mod entry;
mod error;
mod outbox;

use std::fmt;

pub use directory::{Directory, Entry, Save};
pub use entry::{OutboxEntry, Received};
pub use error::StoreError;
pub use outbox::{
    Backlog, ClosedLane, DeliveryRecord, DueQueue, Enqueue, Enqueued, LogFilter, MAX_CLAIMS, Nodes,
    Outbox, Queue, ReceiptEffect, Want,
};

/// Everything RedFlash keeps.
pub trait Store: Directory + Outbox + fmt::Debug + 'static {}

impl<T: Directory + Outbox + fmt::Debug + 'static> Store for T {}
