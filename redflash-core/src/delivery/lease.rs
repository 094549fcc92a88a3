//! Fencing: every grant of a lease has a token of its own, so that the outcome of an earlier grant
//! cannot settle a later one.

use crate::{DeliveryId, Timestamp, WorkerId};

/// The right to hand some deliveries over, for a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Who holds it.
    pub worker: WorkerId,
    /// The grant, by which later outcomes are told from those of other grants.
    pub token: LeaseToken,
    /// The time of the claim.
    pub now: Timestamp,
    /// When the deliveries return to the queue unless they are settled or their leases renewed.
    pub until: Timestamp,
}

/// A random number that names one grant of a lease. A delivery leased again has another one, also
/// when the same worker leases it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LeaseToken(i64);

impl LeaseToken {
    /// A new token.
    #[must_use]
    pub fn random() -> Self {
        Self(fastrand::i64(1..))
    }

    /// A token read back from a store.
    pub const fn stored(number: i64) -> Self {
        Self(number)
    }

    /// The token as a number, for a store to keep.
    pub const fn as_i64(self) -> i64 {
        self.0
    }
}

/// A lease on one delivery, as its holder remembers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HeldLease {
    /// The delivery.
    pub delivery: DeliveryId,
    /// The grant.
    pub token: LeaseToken,
}

/// A lease on one delivery, as a store keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseGrant {
    /// The worker that holds it.
    pub worker: WorkerId,
    /// The grant.
    pub token: LeaseToken,
    /// When the delivery returns to the queue unless the lease was settled or renewed.
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
