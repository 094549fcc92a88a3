//! Large notifications, whose deliveries are recorded in pieces, so that small ones pass between them.

use crate::{Delivery, NotificationId, Slug};

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
