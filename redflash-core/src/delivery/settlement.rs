//! What ends a lease on one delivery.

use crate::{Accepted, Attempt, Delivery, LeaseToken, Timestamp};

/// What ends a lease on one delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// The delivery, as it was leased.
    pub delivery: Delivery,
    /// The lease that it ends.
    pub token: LeaseToken,
    /// The attempt that was made; `None` when none was.
    pub attempt: Option<Attempt>,
    /// What becomes of the delivery.
    pub next: Disposition,
    /// When that was decided: the end of a delivery that ends without an attempt.
    pub at: Timestamp,
}

/// What becomes of a delivery after a lease.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Disposition {
    /// A gateway took it.
    Done {
        /// What the gateway said.
        accepted: Accepted,
        /// When it goes through another gateway unless a receipt has come.
        receipt_due_at: Option<Timestamp>,
    },
    /// It goes back to the queue, due now, and not to this attempt's gateway again.
    Elsewhere {
        /// Why.
        detail: String,
    },
    /// It goes back to the queue.
    Queue {
        /// When it is due again.
        due_at: Timestamp,
        /// Why it waits.
        detail: String,
    },
    /// It is given up.
    Fail {
        /// Why.
        detail: String,
    },
    /// A switch was turned off.
    Cancel {
        /// Which.
        detail: String,
    },
    /// The budget is used up.
    Suppress {
        /// Which.
        detail: String,
    },
    /// It may have gone out, and is not repeated unless somebody says so.
    Hold {
        /// Why.
        detail: String,
    },
}

impl Disposition {
    /// A gateway took it, and no receipt is waited for.
    pub const fn done(accepted: Accepted) -> Self {
        Self::Done {
            accepted,
            receipt_due_at: None,
        }
    }
}

/// What became of a settlement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// It was recorded.
    Recorded,
    /// The lease had ended before, and the delivery was queued for a repeat: a success ended it.
    Late,
    /// The lease had passed to another: the attempt is logged, and the other's state stands.
    Lost,
}
