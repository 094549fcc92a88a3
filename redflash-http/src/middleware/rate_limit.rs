//! How much each key may raise in a second, on all nodes together.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use redflash_core::{ApiKey, Slug};

use crate::error::{RequestError, RequestErrorKind};

type Limiter = Arc<DefaultKeyedRateLimiter<Slug>>;

/// A rate for each key, of which this node lets through an even share.
pub(crate) struct KeyRateLimit {
    per_second: NonZeroU32,
    /// For so many nodes.
    share: Mutex<(u32, Limiter)>,
}

impl KeyRateLimit {
    pub(crate) fn new(per_second: NonZeroU32) -> Self {
        Self {
            per_second,
            share: Mutex::new((1, limiter(per_second, 1))),
        }
    }

    /// Refuses a key that raises too much.
    ///
    /// * `nodes` - how many nodes there are.
    pub(crate) fn check(&self, key: &ApiKey, nodes: u32) -> Result<(), RequestError> {
        self.of(nodes).check_key(&key.slug).map_err(|full| {
            let after = full.wait_time_from(DefaultClock::default().now());
            let message = format!("The key {} raises too much at once", key.slug);
            RequestError::new(RequestErrorKind::RateLimited, message).retry_after(after)
        })
    }

    fn of(&self, nodes: u32) -> Limiter {
        let mut share = self.share.lock().unwrap_or_else(PoisonError::into_inner);
        if share.0 != nodes {
            *share = (nodes, limiter(self.per_second, nodes));
        }
        Arc::clone(&share.1)
    }
}

fn limiter(per_second: NonZeroU32, nodes: u32) -> Limiter {
    let share = NonZeroU32::new(per_second.get() / nodes.max(1)).unwrap_or(NonZeroU32::MIN);
    Arc::new(RateLimiter::keyed(Quota::per_second(share)))
}
