//! A rate limit in messages a second, with a burst of one second.

use std::time::Duration;

use crate::clock::Monotonic;

/// Lets through `per_second` messages a second, evenly, with a burst of at most one second.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate {
    /// Milliseconds that each message uses up of the rate of all nodes.
    whole: f64,
    /// Milliseconds that each message uses up of this node's rate.
    interval: f64,
    /// Time at which the messages let through are paid off, in milliseconds.
    used_until: f64,
}

const BURST_MILLIS: f64 = 1000.0;

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "milliseconds and counts of messages are far below 2^52"
)]
impl Rate {
    pub(crate) fn per_second(per_second: f64) -> Self {
        let whole = BURST_MILLIS / per_second.clamp(0.001, 1_000_000.0);
        Self {
            whole,
            interval: whole,
            used_until: 0.0,
        }
    }

    /// Gives this node an even share of the rate of all nodes.
    pub(crate) fn share(&mut self, nodes: u32) {
        self.interval = self.whole * f64::from(nodes.max(1));
    }

    /// Returns how many messages may go now, or the time at which the next one may.
    pub(crate) fn available(&self, now: Monotonic) -> Result<u32, Monotonic> {
        let now = now.as_millis() as f64;
        let saved = BURST_MILLIS.max(self.interval) - (self.used_until - now).max(0.0);
        if saved + 1e-6 >= self.interval {
            return Ok(((saved + 1e-6) / self.interval) as u32);
        }
        let missing = Duration::from_millis((self.interval - saved).ceil() as u64);
        Err(Monotonic::from_millis(now as u64).plus(missing))
    }

    /// Lets one message through, or returns the time at which one may go.
    pub(crate) fn take(&mut self, now: Monotonic) -> Result<(), Monotonic> {
        self.available(now)?;
        self.used_until = self.used_until.max(now.as_millis() as f64) + self.interval;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lets_through_its_rate_each_second() {
        let mut rate = Rate::per_second(30.0);
        let start = 1_700_000_000_000;
        let mut sent = 0;
        for millis in 0..10_000 {
            while rate.take(Monotonic::from_millis(start + millis)).is_ok() {
                sent += 1;
            }
        }
        assert!((329..=330).contains(&sent), "{sent}");
    }

    #[test]
    fn nodes_share_a_rate() {
        let mut rate = Rate::per_second(30.0);
        rate.share(3);
        let now = Monotonic::from_millis(1_700_000_000_000);
        assert_eq!(rate.available(now), Ok(10));
        rate.share(1);
        assert_eq!(rate.available(now), Ok(30));
    }

    #[test]
    fn slow_rate_returns_the_time_of_the_next_message() {
        let mut rate = Rate::per_second(0.5);
        let now = Monotonic::from_millis(10_000);
        assert_eq!(rate.take(now), Ok(()));
        assert_eq!(rate.take(now), Err(Monotonic::from_millis(12_000)));
        assert_eq!(rate.take(Monotonic::from_millis(12_000)), Ok(()));
    }
}
