//! Notifications to record with their deliveries.

use crate::delivery::{Delivery, Lease};
use crate::message::Idempotency;
use crate::model::{NotificationId, Slug};
use crate::plan::Notification;

/// A notification to record with its deliveries.
#[derive(Clone, Copy, Debug)]
pub struct Enqueue<'a> {
    /// The notification.
    pub notification: &'a Notification,
    /// Its deliveries, in the order of the plan. Those in state `Queued` wait for a claim; those in
    /// state `Sending` are leased from the beginning.
    pub deliveries: &'a [Delivery],
    /// Number of later deliveries, which [`enqueue_more`](super::Outbox::enqueue_more) records.
    /// Until then the store lists the notification as [unfinished](super::Outbox::unfinished).
    pub unqueued: u32,
    /// Lease of the deliveries that are leased from the beginning.
    pub lease: Option<&'a Lease>,
    /// Idempotency key, looked up among the raises of the same API key in the last
    /// [`KEPT`](Idempotency::RETENTION); of concurrent raises with one key, exactly one is new.
    pub idempotency: Option<&'a Idempotency>,
    /// The [directory's version](super::Directory::version) that the plan was made from: with
    /// another, nothing is recorded. `None` for any version.
    pub planned_at: Option<u64>,
}

/// The result of an enqueue.
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
    /// Returns the number of deliveries that were not recorded before these.
    pub fn unqueued_before(&self) -> u32 {
        let count = u32::try_from(self.deliveries.len()).unwrap_or(u32::MAX);
        self.unqueued.saturating_add(count)
    }
}

/// A notification with deliveries still to record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FanOut {
    /// The notification.
    pub notification: NotificationId,
    /// Number of deliveries still to record: the last ones of its plan.
    pub unqueued: u32,
}
