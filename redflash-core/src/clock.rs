//! Time as an argument: the core never reads the machine's clock itself.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// A point in time: milliseconds since 1970-01-01T00:00:00Z.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The first instant of the year 10000.
    const END: Self = Self(253_402_300_800_000);

    /// Returns the instant this many milliseconds after the Unix epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Returns the milliseconds since the Unix epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Returns this instant if it is within the years 1970 to 9999.
    ///
    /// # Errors
    ///
    /// [`ClockError`] before 1970 and after 9999.
    pub const fn checked(self) -> Result<Self, ClockError> {
        if self.0 < 0 || self.0 >= Self::END.0 {
            return Err(ClockError(self));
        }
        Ok(self)
    }

    /// Returns this instant moved forward, saturating.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        Self(self.0.saturating_add(millis(by)))
    }

    /// Returns this instant moved back, saturating.
    #[must_use]
    pub fn minus(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(millis(by)))
    }

    /// Returns the last multiple of a duration since the Unix epoch that is not after this instant.
    #[must_use]
    pub fn floor(self, step: Duration) -> Self {
        let step = millis(step).max(1);
        Self(self.0.div_euclid(step).saturating_mul(step))
    }

    /// Returns the time since `earlier`; zero if this is not after it.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

/// Error for a clock that shows an impossible time. Nothing is stored with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the clock is wrong: it shows {} ms since 1970, and only the years 1970 to 9999 can be stored; \
     set the clock",
    .0.as_millis()
)]
pub struct ClockError(pub Timestamp);

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// A reading of a monotonic clock: only the difference of two readings in one process has a
/// meaning.
///
/// Rates, breakers, pauses and deadlines use it, so that setting the machine's clock neither delays
/// nor hurries them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Monotonic(Duration);

impl Monotonic {
    /// Returns the reading this many milliseconds after the first one.
    pub const fn from_millis(millis: u64) -> Self {
        Self(Duration::from_millis(millis))
    }

    /// Returns the milliseconds since the first reading.
    pub fn as_millis(self) -> u64 {
        u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX)
    }

    /// Returns this reading moved forward, saturating.
    #[must_use]
    pub const fn plus(self, by: Duration) -> Self {
        Self(self.0.saturating_add(by))
    }

    /// Returns this reading moved back, saturating.
    #[must_use]
    pub const fn minus(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(by))
    }

    /// Returns the time since an earlier reading; zero if this is not after it.
    pub const fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

/// The present time by both clocks: the wall clock, which can be set, and the monotonic one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) wall: Timestamp,
    pub(crate) monotonic: Monotonic,
}

impl Moment {
    pub(crate) fn of(clock: &dyn Clock) -> Self {
        Self {
            wall: clock.now(),
            monotonic: clock.monotonic(),
        }
    }

    /// Returns the wall-clock time at a reading, unless the clock is set meanwhile.
    pub(crate) fn wall_at(self, at: Monotonic) -> Timestamp {
        let ago = self.monotonic.since(at);
        self.wall.minus(ago).plus(at.since(self.monotonic))
    }

    /// Returns the reading at a wall-clock time, unless the clock is set meanwhile. A past time is
    /// now.
    pub(crate) fn monotonic_at(self, at: Timestamp) -> Monotonic {
        self.monotonic.plus(at.since(self.wall))
    }
}

/// A source of the present time.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// Returns the present time.
    fn now(&self) -> Timestamp;

    /// Returns a reading that never goes back and is not affected by setting the clock.
    ///
    /// By default it is derived from [`now`](Self::now), which is right for a clock that nobody
    /// sets.
    fn monotonic(&self) -> Monotonic {
        Monotonic(self.now().since(Timestamp::default()))
    }
}

/// A clock to share: a `Clock`, an `Arc` of one, or an `Arc<dyn Clock>`.
pub trait IntoClock {
    /// Returns the clock behind an `Arc`.
    fn into_clock(self) -> Arc<dyn Clock>;
}

impl<T: Clock> IntoClock for T {
    fn into_clock(self) -> Arc<dyn Clock> {
        Arc::new(self)
    }
}

impl<T: Clock> IntoClock for Arc<T> {
    fn into_clock(self) -> Arc<dyn Clock> {
        self
    }
}

impl IntoClock for Arc<dyn Clock> {
    fn into_clock(self) -> Arc<dyn Clock> {
        self
    }
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the machine's clock"
    )]
    fn now(&self) -> Timestamp {
        let now = SystemTime::now();
        now.duration_since(UNIX_EPOCH).map_or_else(
            |before| Timestamp::default().minus(before.duration()),
            |after| Timestamp::default().plus(after),
        )
    }

    fn monotonic(&self) -> Monotonic {
        static FIRST: OnceLock<Instant> = OnceLock::new();
        let first = *FIRST.get_or_init(Instant::now);
        Monotonic(Instant::now().saturating_duration_since(first))
    }
}

/// A clock that moves only on request, for tests.
#[derive(Debug, Default)]
pub struct ManualClock {
    wall: AtomicI64,
    passed: AtomicI64,
}

impl ManualClock {
    /// Creates a clock that shows `start`.
    pub const fn new(start: Timestamp) -> Self {
        Self {
            wall: AtomicI64::new(start.as_millis()),
            passed: AtomicI64::new(0),
        }
    }

    /// Moves both clocks forward.
    pub fn advance(&self, by: Duration) {
        self.wall.fetch_add(millis(by), Ordering::SeqCst);
        self.passed.fetch_add(millis(by), Ordering::SeqCst);
    }

    /// Sets the wall clock, forward or back, without passing time.
    pub fn set(&self, wall: Timestamp) {
        self.wall.store(wall.as_millis(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.wall.load(Ordering::SeqCst))
    }

    fn monotonic(&self) -> Monotonic {
        let passed = self.passed.load(Ordering::SeqCst);
        Monotonic::from_millis(u64::try_from(passed).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_saturates_instead_of_overflowing() {
        let last = Timestamp::from_millis(i64::MAX);
        assert_eq!(last.plus(Duration::MAX), last);
        let first = Timestamp::from_millis(i64::MIN);
        assert_eq!(first.minus(Duration::MAX), first);
        assert_eq!(first.since(last), Duration::ZERO);
    }

    #[test]
    fn accepts_only_the_years_1970_to_9999() {
        for (millis, is_stored) in [
            (i64::MIN, false),
            (-1, false),
            (0, true),
            (253_402_300_799_999, true),
            (253_402_300_800_000, false),
            (i64::MAX, false),
        ] {
            let at = Timestamp::from_millis(millis);
            assert_eq!(
                at.checked(),
                if is_stored {
                    Ok(at)
                } else {
                    Err(ClockError(at))
                }
            );
        }
    }

    #[test]
    fn manual_clock_moves_only_on_request() {
        let clock = ManualClock::new(Timestamp::from_millis(5));
        assert_eq!(clock.now(), clock.now());
        clock.advance(Duration::from_secs(1));
        assert_eq!(clock.now(), Timestamp::from_millis(1005));
    }

    #[test]
    fn setting_a_clock_passes_no_time() {
        let clock = ManualClock::new(Timestamp::from_millis(5000));
        clock.set(Timestamp::from_millis(1000));
        clock.advance(Duration::from_secs(1));
        assert_eq!(clock.now(), Timestamp::from_millis(2000));
        assert_eq!(clock.monotonic(), Monotonic::from_millis(1000));
    }

    #[test]
    fn clock_without_a_monotonic_reading_derives_one() {
        #[derive(Debug)]
        struct Fixed;
        impl Clock for Fixed {
            fn now(&self) -> Timestamp {
                Timestamp::from_millis(7)
            }
        }
        assert_eq!(Fixed.monotonic(), Monotonic::from_millis(7));
    }

    #[test]
    fn machine_reads_a_monotonic_clock() {
        let first = SystemClock.monotonic();
        assert!(SystemClock.monotonic() >= first);
    }

    #[test]
    fn moment_translates_between_its_clocks() {
        let now = Moment {
            wall: Timestamp::from_millis(5000),
            monotonic: Monotonic::from_millis(300),
        };
        assert_eq!(now.wall_at(Monotonic::from_millis(400)).as_millis(), 5100);
        assert_eq!(now.wall_at(Monotonic::from_millis(100)).as_millis(), 4800);
        let at = |millis| now.monotonic_at(Timestamp::from_millis(millis));
        assert_eq!(at(5100), Monotonic::from_millis(400));
        assert_eq!(at(4800), Monotonic::from_millis(300));
    }
}
