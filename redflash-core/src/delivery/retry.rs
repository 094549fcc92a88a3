//! Retry schedules.

use std::time::Duration;

/// The waits between attempts.
///
/// After the listed waits the last one repeats until `give_up_after` has passed since the first
/// attempt. Each wait is spread by ±20 % so that deliveries that failed together are not retried
/// together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetrySchedule {
    waits: Vec<Duration>,
    give_up_after: Duration,
}

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const FIRST_WAITS: [u64; 6] = [2, 8, 30, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE];

impl RetrySchedule {
    /// Creates a schedule with these waits, the last of which repeats. Without waits, nothing is
    /// retried.
    pub const fn new(waits: Vec<Duration>, give_up_after: Duration) -> Self {
        Self {
            waits,
            give_up_after,
        }
    }

    /// Returns the schedule for texts and direct messages, which are soon out of date: up to every
    /// 10 minutes, for 6 hours.
    pub fn prompt() -> Self {
        let waits = FIRST_WAITS.into_iter().map(Duration::from_secs).collect();
        Self::new(waits, Duration::from_secs(6 * HOUR))
    }

    /// Returns the schedule for email and webhooks, which stay useful: up to every 30 minutes, for
    /// 24 hours.
    pub fn patient() -> Self {
        let waits = FIRST_WAITS.into_iter().chain([30 * MINUTE]);
        let waits = waits.map(Duration::from_secs).collect();
        Self::new(waits, Duration::from_secs(24 * HOUR))
    }

    /// Returns the schedule with another time to give up.
    #[must_use]
    pub fn giving_up_after(mut self, give_up_after: Duration) -> Self {
        self.give_up_after = give_up_after;
        self
    }

    /// Returns the time after the first attempt when a delivery is given up.
    pub const fn give_up_after(&self) -> Duration {
        self.give_up_after
    }

    /// Returns the longest wait, which also limits the delay that a gateway may ask for.
    pub fn longest_wait(&self) -> Duration {
        self.waits.iter().max().copied().unwrap_or_default()
    }

    /// Returns the wait before the next attempt, or `None` to give up.
    ///
    /// * `attempts` - number of attempts that have ended, at least 1.
    /// * `elapsed` - time since the first of them.
    /// * `retry_after` - delay that the gateway asked for. It can lengthen the wait up to the
    ///   longest of the schedule.
    /// * `random` - a number from 0 to 1 that selects the wait within its ±20 %.
    pub fn next(
        &self,
        attempts: u32,
        elapsed: Duration,
        retry_after: Option<Duration>,
        random: f64,
    ) -> Option<Duration> {
        if elapsed >= self.give_up_after {
            return None;
        }
        let last = self.waits.len().checked_sub(1)?;
        let index = usize::try_from(attempts.saturating_sub(1)).unwrap_or(last);
        let spread = 0.8 + 0.4 * random.clamp(0.0, 1.0);
        let wait = self.waits[index.min(last)].mul_f64(spread);
        let asked = retry_after.unwrap_or_default().min(self.longest_wait());
        Some(wait.max(asked))
    }

    /// Returns [`next`](Self::next) with a random number.
    pub fn draw(
        &self,
        attempts: u32,
        elapsed: Duration,
        retry_after: Option<Duration>,
    ) -> Option<Duration> {
        self.next(attempts, elapsed, retry_after, fastrand::f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIDDLE: f64 = 0.5;

    fn waits(schedule: &RetrySchedule) -> Vec<u64> {
        let mut elapsed = Duration::ZERO;
        let mut waits = Vec::new();
        for attempts in 1.. {
            let Some(wait) = schedule.next(attempts, elapsed, None, MIDDLE) else {
                break;
            };
            waits.push(wait.as_secs());
            elapsed += wait;
        }
        waits
    }

    #[test]
    fn retries_a_text_for_six_hours() {
        let waits = waits(&RetrySchedule::prompt());
        assert_eq!(waits[..8], [2, 8, 30, 120, 300, 600, 600, 600]);
        assert!((6 * HOUR..6 * HOUR + 600).contains(&waits.iter().sum()));
    }

    #[test]
    fn retries_an_email_for_a_day() {
        let waits = waits(&RetrySchedule::patient());
        assert_eq!(waits[..8], [2, 8, 30, 120, 300, 600, 1800, 1800]);
        assert!((24 * HOUR..24 * HOUR + 1800).contains(&waits.iter().sum()));
    }

    #[test]
    fn waits_are_spread_by_a_fifth() {
        let schedule = RetrySchedule::prompt();
        let at = |random| schedule.next(3, Duration::ZERO, None, random).unwrap();
        assert_eq!(at(0.0), Duration::from_secs(24));
        assert_eq!(at(1.0), Duration::from_secs(36));
    }

    #[test]
    fn retry_after_lengthens_the_wait_within_bounds() {
        let schedule = RetrySchedule::prompt();
        let after = |secs| {
            let asked = Some(Duration::from_secs(secs));
            schedule.next(1, Duration::ZERO, asked, MIDDLE).unwrap()
        };
        assert_eq!(after(0), Duration::from_secs(2));
        assert_eq!(after(60), Duration::from_secs(60));
        assert_eq!(after(999_999_999_999), Duration::from_secs(600));
    }

    #[test]
    fn empty_schedule_never_retries() {
        let never = RetrySchedule::new(Vec::new(), Duration::from_secs(HOUR));
        assert_eq!(never.draw(1, Duration::ZERO, None), None);
    }
}
