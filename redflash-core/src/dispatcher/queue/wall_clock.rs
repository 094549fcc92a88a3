//! The wall clock, which can be set while the process runs. Steps are noticed, logged and survived.

use std::collections::VecDeque;
use std::time::Duration;

use tracing::warn;

use crate::clock::{Moment, Monotonic, Timestamp};
use crate::dispatcher::Dispatcher;
use crate::store::{ClockStep, StoreError};

/// Smallest difference that counts. Slewing stays far below it between two looks.
const MIN_STEP: i64 = 1000;
/// Number of steps remembered.
const MAX_STEPS: usize = 16;
/// Time by which waits may exceed the longest of all schedules. Waits are spread, gateways are
/// paused, and the schedules may have been longer before.
const SCHEDULE_MARGIN: Duration = Duration::from_secs(24 * 60 * 60);
/// Time that other nodes get after a step to renew their leases by the new time.
const RENEWAL_GRACE: Duration = Duration::from_secs(2);

/// Steps of the wall clock, found by comparing it with the monotonic one.
#[derive(Debug, Default)]
pub(crate) struct WallClock {
    last: Option<Moment>,
    /// Oldest first.
    steps: VecDeque<ClockStep>,
    /// The steps that the store has not followed yet.
    pending: VecDeque<ClockStep>,
    /// Time at which the last step was noticed.
    set_at: Option<Monotonic>,
}

impl WallClock {
    /// Compares the clocks. Returns the step since the last comparison, if there was one.
    fn compare(&mut self, now: Moment) -> Option<ClockStep> {
        let last = self.last.replace(now)?;
        let step = ClockStep {
            before: last.wall_at(now.monotonic),
            after: now.wall,
        };
        if step.by().abs() < MIN_STEP {
            return None;
        }
        self.set_at = Some(now.monotonic);
        self.steps.push_back(step);
        if self.steps.len() > MAX_STEPS {
            self.steps.pop_front();
        }
        Some(step)
    }

    /// Returns the moment by the clock as it was last seen.
    pub(crate) fn extrapolate(&self, now: Moment) -> Moment {
        let wall = self
            .last
            .map_or(now.wall, |last| last.wall_at(now.monotonic));
        Moment { wall, ..now }
    }

    /// Returns the real time that has passed since a time on the wall clock.
    fn elapsed(&self, since: Timestamp, now: Moment) -> Duration {
        let is_older = |step: &&ClockStep| {
            // A time in the future can only be from before the clock was set back.
            let is_ahead = since > now.wall && since <= step.before;
            since < step.after || is_ahead
        };
        let steps: i64 = self.steps.iter().filter(is_older).map(ClockStep::by).sum();
        let passed = now.wall.as_millis().saturating_sub(since.as_millis());
        Duration::from_millis(u64::try_from(passed.saturating_sub(steps)).unwrap_or(0))
    }

    /// Returns the time on the wall clock at a real time before now. If two times match, returns
    /// the earlier one.
    fn ago(&self, ago: Duration, now: Moment) -> Timestamp {
        let mut then = now.wall.minus(ago);
        for step in self.steps.iter().rev() {
            if then < step.after {
                let before = then.as_millis().saturating_sub(step.by());
                then = Timestamp::from_millis(before).min(step.after);
            }
        }
        then
    }
}

impl Dispatcher {
    /// Checks whether the wall clock was set. If no one else dispatches from the store, its waiting
    /// deliveries follow, so that nothing is sent early, late or twice.
    pub(crate) async fn follow_clock(&self, now: Moment) -> Result<(), StoreError> {
        let step = self.wall_clock().compare(now);
        if let Some(step) = step {
            let seconds = step.by() / 1000;
            warn!(
                seconds,
                "the wall clock was set; waiting deliveries follow it"
            );
            if self.is_exclusive() {
                self.wall_clock().pending.push_back(step);
            }
        }
        loop {
            let pending = self.wall_clock().pending.front().copied();
            let Some(step) = pending else {
                return Ok(());
            };
            self.store.follow_clock(&step, self.worker).await?;
            self.wall_clock().pending.pop_front();
        }
    }

    /// Makes deliveries due that wait for a time beyond all schedules. A wrong clock put them
    /// there, and was corrected while nothing ran that could follow it.
    pub(crate) async fn bring_forward(&self, now: Timestamp) -> Result<(), StoreError> {
        let gateways = self.gateways();
        let waits = gateways.iter().map(|gateway| {
            let receipt = gateway.receipt_timeout.unwrap_or_default();
            gateway.schedule.longest_wait().max(receipt)
        });
        let longest = waits.max().unwrap_or_default();
        let latest = now.plus(longest).plus(SCHEDULE_MARGIN);
        let moved = self.store.bring_forward(now, latest).await?;
        if moved > 0 {
            warn!(
                deliveries = moved,
                "a wrong clock had scheduled deliveries far ahead; they are due now"
            );
        }
        Ok(())
    }

    /// Returns true if the clock was just set, so that leases of other live nodes may look expired.
    pub(crate) fn was_just_set(&self, now: Moment) -> bool {
        let set_at = self.wall_clock().set_at;
        set_at.is_some_and(|at| now.monotonic.since(at) < RENEWAL_GRACE)
    }

    /// Returns the real time that has passed since a time on the wall clock.
    pub(crate) fn elapsed(&self, since: Timestamp, now: Moment) -> Duration {
        self.wall_clock().elapsed(since, now)
    }

    /// Returns the time on the wall clock at a real time before now.
    pub(crate) fn ago(&self, ago: Duration, now: Moment) -> Timestamp {
        self.wall_clock().ago(ago, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Monotonic;

    const HOUR: i64 = 3600;

    fn moment(wall: i64, monotonic: u64) -> Moment {
        Moment {
            wall: at(wall),
            monotonic: Monotonic::from_millis(monotonic * 1000),
        }
    }

    const fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    const fn hours(hours: u64) -> Duration {
        Duration::from_secs(hours * 3600)
    }

    /// Returns a clock that was set from `10 h` to this hour, one hour ago.
    fn set_to(hour: i64) -> (WallClock, Moment) {
        let mut clock = WallClock::default();
        assert_eq!(clock.compare(moment(9 * HOUR, 0)), None);
        let step = clock.compare(moment(hour * HOUR, 3600)).unwrap();
        assert_eq!(step.by(), (hour - 10) * HOUR * 1000);
        let now = moment((hour + 1) * HOUR, 7200);
        assert_eq!(clock.compare(now), None);
        (clock, now)
    }

    #[test]
    fn small_differences_are_not_steps() {
        let mut clock = WallClock::default();
        clock.compare(moment(100, 0));
        let slewed = Moment {
            wall: Timestamp::from_millis(101_900),
            monotonic: Monotonic::from_millis(1000),
        };
        assert_eq!(clock.compare(slewed), None);
        assert!(clock.compare(moment(110, 2)).is_some());
    }

    #[test]
    fn elapsed_time_ignores_steps_of_the_clock() {
        for hour in [8, 15] {
            let (clock, now) = set_to(hour);
            assert_eq!(clock.elapsed(at(7 * HOUR), now), hours(4), "{hour}");
            assert_eq!(clock.elapsed(now.wall.minus(hours(1)), now), hours(1));
            assert_eq!(clock.elapsed(now.wall, now), hours(0));
        }
        let (clock, now) = set_to(8);
        assert_eq!(
            clock.elapsed(at(9 * HOUR + 1800), now),
            Duration::from_secs(5400)
        );
    }

    #[test]
    fn past_times_are_found_on_the_clock_of_that_time() {
        let (clock, now) = set_to(15);
        assert_eq!(clock.ago(hours(4), now), at(7 * HOUR));
        assert_eq!(clock.ago(Duration::from_secs(60), now), at(16 * HOUR - 60));
        let (clock, now) = set_to(8);
        assert_eq!(clock.ago(hours(4), now), at(7 * HOUR));
        // Half past nine at that time, or eight o'clock by the clock that was set since.
        assert_eq!(clock.ago(Duration::from_secs(5400), now), at(8 * HOUR));
    }
}
