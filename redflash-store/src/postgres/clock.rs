//! The database's time, kept by this machine's monotonic clock between two looks at it, so that
//! setting this machine's clock changes nothing.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use redflash_core::clock::{Clock, Monotonic, SystemClock, Timestamp};

/// Time by which the database's clock is ahead of this machine's monotonic one.
#[derive(Debug)]
pub(super) struct DatabaseClock {
    /// In milliseconds.
    ahead: AtomicI64,
}

impl Default for DatabaseClock {
    /// This machine's time, as long as the database's is not known.
    fn default() -> Self {
        let ahead = SystemClock.now().as_millis() - passed();
        Self {
            ahead: AtomicI64::new(ahead),
        }
    }
}

fn passed() -> i64 {
    i64::try_from(SystemClock.monotonic().as_millis()).unwrap_or(i64::MAX)
}

impl DatabaseClock {
    /// Learns the database's time, as it was between asking and hearing the answer.
    ///
    /// * `took` - the time from one to the other.
    pub(super) fn set(&self, database: Timestamp, took: Duration) {
        let half = i64::try_from((took / 2).as_millis()).unwrap_or(i64::MAX);
        let ours = passed().saturating_sub(half);
        let ahead = database.as_millis() - ours;
        // What lies within the answer's own time says nothing about the clocks.
        let slack = i64::try_from(took.as_millis()).unwrap_or(i64::MAX);
        let known = self.ahead.load(Ordering::Relaxed);
        if (ahead - known).abs() > slack {
            self.ahead.store(ahead, Ordering::Relaxed);
        }
    }
}

impl Clock for DatabaseClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(passed() + self.ahead.load(Ordering::Relaxed))
    }

    fn monotonic(&self) -> Monotonic {
        SystemClock.monotonic()
    }
}
