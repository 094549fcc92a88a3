//! The rate at which each key may raise alerts, on all nodes together.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use redflash_core::model::{ApiKey, Slug};

use crate::error::{RequestError, RequestErrorKind};

type Limiter = Arc<DefaultKeyedRateLimiter<Slug>>;

/// A rate per key, of which each node allows an even share.
pub(crate) struct KeyRateLimit {
    per_second: NonZeroU32,
    /// The limiter for a number of nodes.
    share: Mutex<(u32, Limiter)>,
}

impl KeyRateLimit {
    pub(crate) fn new(per_second: NonZeroU32) -> Self {
        Self {
            per_second,
            share: Mutex::new((1, new_limiter(per_second, 1))),
        }
    }

    /// Fails if a key exceeds its rate.
    ///
    /// * `nodes` - number of nodes.
    pub(crate) fn check(&self, key: &ApiKey, nodes: u32) -> Result<(), RequestError> {
        self.limiter(nodes).check_key(&key.slug).map_err(|full| {
            let after = full.wait_time_from(DefaultClock::default().now());
            let message = format!("the key {} exceeds its rate limit", key.slug);
            RequestError::new(RequestErrorKind::RateLimited, message).retry_after(after)
        })
    }

    fn limiter(&self, nodes: u32) -> Limiter {
        let mut share = self.share.lock().unwrap_or_else(PoisonError::into_inner);
        if share.0 != nodes {
            *share = (nodes, new_limiter(self.per_second, nodes));
        }
        Arc::clone(&share.1)
    }
}

fn new_limiter(per_second: NonZeroU32, nodes: u32) -> Limiter {
    let share = NonZeroU32::new(per_second.get() / nodes.max(1)).unwrap_or(NonZeroU32::MIN);
    Arc::new(RateLimiter::keyed(Quota::per_second(share)))
}
