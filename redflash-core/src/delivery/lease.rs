//! Leases and their fencing: every grant has a token of its own, so that the outcome of an earlier
//! grant cannot settle a later one.

use crate::clock::Timestamp;
use crate::model::{DeliveryId, WorkerId};

/// The right to hand over some deliveries, for a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Holder.
    pub worker: WorkerId,
    /// Token of the grant, which separates its outcomes from those of other grants.
    pub token: LeaseToken,
    /// Time of the claim.
    pub now: Timestamp,
    /// Time when the deliveries return to the queue unless they are settled or their leases
    /// renewed.
    pub until: Timestamp,
}

/// A random number that identifies one grant of a lease. A delivery that is leased again gets a new
/// one, even by the same worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LeaseToken(i64);

impl LeaseToken {
    /// Returns a new token.
    #[must_use]
    pub fn random() -> Self {
        Self(fastrand::i64(1..))
    }

    /// Wraps a token read from a store.
    pub const fn stored(number: i64) -> Self {
        Self(number)
    }

    /// Returns the token as a number, for stores.
    pub const fn as_i64(self) -> i64 {
        self.0
    }
}

/// A lease on one delivery, as its holder remembers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HeldLease {
    /// The delivery.
    pub delivery: DeliveryId,
    /// Token of the grant.
    pub token: LeaseToken,
}

/// A lease on one delivery, as a store records it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseGrant {
    /// Holder.
    pub worker: WorkerId,
    /// Token of the grant.
    pub token: LeaseToken,
    /// Time when the delivery returns to the queue unless the lease is settled or renewed.
    pub until: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_differ_and_read_back() {
        let (one, other) = (LeaseToken::random(), LeaseToken::random());
        assert_ne!(one, other);
        assert_eq!(LeaseToken::stored(one.as_i64()), one);
    }
}
