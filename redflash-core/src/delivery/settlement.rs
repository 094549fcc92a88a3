//! Settlements of leases.

use crate::clock::Timestamp;
use crate::delivery::{Attempt, Delivery, LeaseToken};
use crate::message::Accepted;

/// The end of a lease on one delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// The delivery, as it was leased.
    pub delivery: Delivery,
    /// Token of the lease that it ends.
    pub token: LeaseToken,
    /// The attempt that was made; `None` if there was none.
    pub attempt: Option<Attempt>,
    /// The delivery's next step.
    pub next: Disposition,
    /// Time of the decision: the end of a delivery that ends without an attempt.
    pub at: Timestamp,
}

/// The next step of a delivery after a lease.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Disposition {
    /// A gateway accepted it.
    Done {
        /// The gateway's answer.
        accepted: Accepted,
        /// Time when it goes through another gateway unless a receipt arrives.
        receipt_due_at: Option<Timestamp>,
    },
    /// It returns to the queue, due now, and does not go to this attempt's gateway again.
    Elsewhere {
        /// Reason.
        detail: String,
    },
    /// It returns to the queue.
    Queue {
        /// Time when it is due again.
        due_at: Timestamp,
        /// Reason for the wait.
        detail: String,
    },
    /// It is given up.
    Fail {
        /// Reason.
        detail: String,
    },
    /// It or its target was switched off.
    Cancel {
        /// Reason.
        detail: String,
    },
    /// The budget is used up.
    Suppress {
        /// Reason.
        detail: String,
    },
    /// It may have gone out, and is repeated on request only.
    Hold {
        /// Reason.
        detail: String,
    },
}

impl Disposition {
    /// Returns the step for a message that a gateway accepted, if no receipt is expected.
    pub const fn done(accepted: Accepted) -> Self {
        Self::Done {
            accepted,
            receipt_due_at: None,
        }
    }
}

/// The result of a settlement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// It was recorded.
    Recorded,
    /// The lease had ended before, and the delivery was queued for a repeat: a success ended it.
    Late,
    /// The lease had passed to another holder: the attempt is logged, and the other holder's state
    /// is kept.
    Lost,
}
