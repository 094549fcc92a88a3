//! The limit on callbacks with an invalid signature.

use std::net::IpAddr;
use std::num::NonZeroU32;

use axum::http::StatusCode;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

/// The rate at which one address is refused callbacks with an invalid signature before it is throttled.
pub(crate) struct ForgeryLimit(DefaultKeyedRateLimiter<IpAddr>);

impl Default for ForgeryLimit {
    fn default() -> Self {
        const PER_SECOND: NonZeroU32 = NonZeroU32::new(10).expect("it is more than nothing");
        Self(RateLimiter::keyed(Quota::per_second(PER_SECOND)))
    }
}

impl ForgeryLimit {
    /// Counts a callback with an invalid signature, and returns the status of its answer.
    pub(crate) fn status(&self, from: Option<IpAddr>) -> StatusCode {
        /// Number of addresses above which idle ones are forgotten.
        const MANY: usize = 10_000;
        if self.0.len() > MANY {
            self.0.retain_recent();
        }
        match from {
            Some(from) if self.0.check_key(&from).is_err() => StatusCode::TOO_MANY_REQUESTS,
            _ => StatusCode::FORBIDDEN,
        }
    }
}
