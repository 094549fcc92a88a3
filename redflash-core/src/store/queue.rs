//! The queue of deliveries, and claims on it.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::delivery::Lane;
use crate::model::{ChannelKind, DeliveryId, Slug};

/// Number of consecutive claims without an outcome after which a delivery is quarantined.
pub const MAX_CLAIMS: u32 = 3;

/// The unit that takes turns: the deliveries of one lane that were raised with one key.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Queue {
    /// The lane.
    pub lane: Lane,
    /// The API key; `None` for raises in-process or by an operator.
    pub raised_by: Option<Slug>,
}

/// A queue that is not empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueQueue {
    /// The queue.
    pub queue: Queue,
    /// Time when its first delivery is due, which may be in the future.
    pub due_at: Timestamp,
}

/// A request to claim deliveries of a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimRequest {
    /// The queue.
    pub queue: Queue,
    /// The maximum number of deliveries.
    pub limit: NonZeroU32,
}

/// Deliveries that have been queued for too long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Overdue {
    /// Those of a channel whose first attempt was before a time.
    Attempted {
        /// The channel.
        channel: ChannelKind,
        /// The time.
        before: Timestamp,
    },
    /// Those of a lane that were raised before a time and never attempted.
    Waiting {
        /// The lane.
        lane: Lane,
        /// The time.
        before: Timestamp,
        /// Reason for the wait.
        why: String,
    },
}

/// A step of the wall clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockStep {
    /// Time that it would show without the step.
    pub before: Timestamp,
    /// Time that it shows.
    pub after: Timestamp,
}

impl ClockStep {
    /// Returns how far the clock was set forward, in milliseconds; negative if it was set back.
    pub const fn by(&self) -> i64 {
        self.after
            .as_millis()
            .saturating_sub(self.before.as_millis())
    }

    /// Returns the earlier of both times: what is later than it was not due yet.
    pub fn earlier(&self) -> Timestamp {
        self.before.min(self.after)
    }
}

/// The effect of a receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceiptEffect {
    /// It moved this delivery forward, or added a price.
    Applied(DeliveryId),
    /// It repeated what is known of this delivery.
    Known(DeliveryId),
    /// No delivery of that gateway matches.
    Unmatched,
}

/// The size of the queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backlog {
    /// Deliveries that wait for their turn or their next attempt, and those still to record.
    pub queued: u64,
    /// Deliveries leased to a dispatcher.
    pub sending: u64,
    /// Time when the first queued one was or is due.
    pub oldest_due: Option<Timestamp>,
}
