//! The database's time, kept by this machine's clock between two looks at it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use redflash_core::{Clock, SystemClock, Timestamp};

/// How far the database's clock is ahead of this machine's.
#[derive(Debug, Default)]
pub(super) struct DatabaseClock {
    /// In milliseconds.
    ahead: AtomicI64,
}

impl DatabaseClock {
    /// Learns the database's time, as it was between asking and hearing the answer.
    ///
    /// * `took` - the time from one to the other.
    pub(super) fn set(&self, database: Timestamp, took: Duration) {
        let ours = SystemClock.now().minus(took / 2).as_millis();
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
        let ours = SystemClock.now().as_millis();
        Timestamp::from_millis(ours + self.ahead.load(Ordering::Relaxed))
    }
}
