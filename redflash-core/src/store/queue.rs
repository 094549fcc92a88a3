//! The queue: what waits, and who may take it.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use crate::{ChannelKind, DeliveryId, Lane, Slug, Timestamp};

/// After how many claims in a row without an outcome a delivery is set aside.
pub const MAX_CLAIMS: u32 = 3;

/// What shares turns: the deliveries of one lane that were raised with one key.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Queue {
    /// The lane.
    pub lane: Lane,
    /// The key; `None` for what was raised in-process or by an operator.
    pub raised_by: Option<Slug>,
}

/// A queue with something in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueQueue {
    /// The queue.
    pub queue: Queue,
    /// When the first of its deliveries is due, which may be in the future.
    pub due_at: Timestamp,
}

/// How many deliveries of a queue are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimRequest {
    /// The queue.
    pub queue: Queue,
    /// At most so many.
    pub limit: NonZeroU32,
}

/// Deliveries that have waited in the queue for too long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Overdue {
    /// Those of a channel that were first attempted before a time.
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
        /// The reason why they waited.
        why: String,
    },
}

/// The clock on the wall was set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockStep {
    /// The time that it would show.
    pub before: Timestamp,
    /// The time that it shows.
    pub after: Timestamp,
}

impl ClockStep {
    /// Returns how far the clock was set forward, in milliseconds; negative if it was set back.
    pub const fn by(&self) -> i64 {
        self.after
            .as_millis()
            .saturating_sub(self.before.as_millis())
    }

    /// The earlier of both times: what is later than it was not due yet.
    pub fn earlier(&self) -> Timestamp {
        self.before.min(self.after)
    }
}

/// What a receipt did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceiptEffect {
    /// It moved this delivery forward, or added a price.
    Applied(DeliveryId),
    /// It said nothing new about this delivery.
    Known(DeliveryId),
    /// No delivery of that gateway is known by it.
    Unmatched,
}

/// How much waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backlog {
    /// Deliveries waiting for their turn or their next attempt, and those still to be recorded.
    pub queued: u64,
    /// Deliveries leased to a dispatcher.
    pub sending: u64,
    /// When the first of the waiting ones was or is due.
    pub oldest_due: Option<Timestamp>,
}
