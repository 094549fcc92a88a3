//! Notifications to be recorded with their deliveries.

use crate::{Delivery, Idempotency, Lease, Notification, NotificationId, Slug};

/// A notification to be recorded with its deliveries.
#[derive(Clone, Copy, Debug)]
pub struct Enqueue<'a> {
    /// What was raised, and what was decided.
    pub notification: &'a Notification,
    /// Its deliveries, in the order of the plan. Those in state `Queued` wait for a claim; those in
    /// state `Sending` are born leased.
    pub deliveries: &'a [Delivery],
    /// Number of deliveries after these that [`enqueue_more`](Outbox::enqueue_more) records later. Until
    /// then the store keeps the notification among its [unfinished](Outbox::unfinished) ones.
    pub unqueued: u32,
    /// The lease of those that are born leased, to be settled by its holder like claimed ones.
    pub lease: Option<&'a Lease>,
    /// Looked up among what was raised by the same key in the last [`KEPT`](Idempotency::KEPT); of
    /// many at once under one key, exactly one is new.
    pub idempotency: Option<&'a Idempotency>,
    /// The [directory's version](super::Directory::version) that the plan was made from: with
    /// another, nothing is recorded. `None` to record it whatever the directory says now.
    pub planned_at: Option<u64>,
}

/// What became of an enqueue.
#[derive(Clone, Debug, PartialEq)]
pub enum Enqueued {
    /// It was recorded.
    New,
    /// The same request was recorded before, as this notification; nothing was added.
    Repeat(Box<Notification>),
    /// Another request was recorded under the same idempotency key; nothing was added.
    Mismatch,
    /// The directory has changed since the plan was made; nothing was added.
    Outdated,
}

/// The next deliveries of a notification that was recorded with its first ones.
#[derive(Clone, Copy, Debug)]
pub struct EnqueueMore<'a> {
    /// The notification.
    pub notification: NotificationId,
    /// The key it was raised with.
    pub raised_by: Option<&'a Slug>,
    /// The deliveries, in the order of the plan, all of them queued.
    pub deliveries: &'a [Delivery],
    /// Number of deliveries after these.
    pub unqueued: u32,
}

impl EnqueueMore<'_> {
    /// Number of deliveries that were not recorded before these.
    pub fn unqueued_before(&self) -> u32 {
        let count = u32::try_from(self.deliveries.len()).unwrap_or(u32::MAX);
        self.unqueued.saturating_add(count)
    }
}

/// A notification of which deliveries are still to be recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FanOut {
    /// The notification.
    pub notification: NotificationId,
    /// Number of deliveries to be recorded: the last ones of its plan.
    pub unqueued: u32,
}
