//! The heartbeats of the dispatcher's loops, by which a hang or an end is noticed.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Monotonic;

/// Longest time that a loop may go without a heartbeat.
pub(crate) const MAX_SILENCE: Duration = Duration::from_secs(5);

/// A loop of the dispatcher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loop {
    /// Claims due deliveries from the store.
    Queue,
    /// Records outcomes.
    Recorder,
    /// Renews leases.
    Leases,
    /// Sends alarms.
    Alarms,
    /// Queues the remaining deliveries of large alerts.
    FanOuts,
}

impl Loop {
    pub(crate) const ALL: [Self; 5] = [
        Self::Queue,
        Self::Recorder,
        Self::Leases,
        Self::Alarms,
        Self::FanOuts,
    ];

    /// Returns the loop's name in a sentence.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Queue => "the dispatcher's queue",
            Self::Recorder => "the outcome recorder",
            Self::Leases => "the lease renewal",
            Self::Alarms => "the alarm sender",
            Self::FanOuts => "the queueing of large alerts",
        }
    }
}

/// The heartbeat of one loop.
#[derive(Debug, Default)]
pub(crate) struct Heartbeat {
    /// Start of the round in progress, in milliseconds of the monotonic clock plus one; 0 between
    /// two rounds.
    busy_since: AtomicU64,
    has_ended: AtomicBool,
    /// The error of the last round, if it failed.
    failure: Mutex<Option<String>>,
}

/// A round in progress. Dropping it ends the round.
#[derive(Debug)]
pub(crate) struct Round<'a>(&'a Heartbeat);

impl Heartbeat {
    /// Begins a round.
    pub(crate) fn begin(&self, now: Monotonic) -> Round<'_> {
        let since = now.as_millis().saturating_add(1);
        self.busy_since.store(since, Ordering::Relaxed);
        Round(self)
    }

    /// Records that the last round failed.
    pub(crate) fn fail(&self, why: String) {
        *self.failure() = Some(why);
    }

    /// Records that the loop will not run again.
    pub(crate) fn end(&self) {
        self.has_ended.store(true, Ordering::Release);
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::Acquire)
    }

    /// Returns true if a round is in progress.
    pub(crate) fn is_busy(&self) -> bool {
        self.busy_since.load(Ordering::Acquire) != 0
    }

    /// Returns the loop's problem, for people; `None` while there is none.
    pub(crate) fn problem(&self, name: Loop, now: Monotonic) -> Option<String> {
        let name = name.as_str();
        if self.has_ended() {
            return Some(format!("{name} has ended"));
        }
        let failure = self.failure().clone();
        if let Some(failure) = failure {
            return Some(format!("{name} fails: {failure}"));
        }
        let hangs = self.hangs_for(now)?;
        let seconds = hangs.as_secs();
        Some(format!("the store has not answered {name} for {seconds} s"))
    }

    /// Returns the time that the round in progress has taken, if that is too long.
    pub(crate) fn hangs_for(&self, now: Monotonic) -> Option<Duration> {
        let since = self.busy_since.load(Ordering::Relaxed).checked_sub(1)?;
        let taken = now.since(Monotonic::from_millis(since));
        (taken >= MAX_SILENCE).then_some(taken)
    }

    fn failure(&self) -> MutexGuard<'_, Option<String>> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Round<'_> {
    /// Ends a round that succeeded.
    pub(crate) fn succeed(self) {
        *self.0.failure() = None;
    }
}

impl Drop for Round<'_> {
    fn drop(&mut self) {
        self.0.busy_since.store(0, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Monotonic {
        Monotonic::from_millis(seconds * 1000)
    }

    #[test]
    fn round_that_takes_too_long_is_a_problem() {
        let heartbeat = Heartbeat::default();
        assert_eq!(heartbeat.problem(Loop::Queue, at(100)), None);
        let round = heartbeat.begin(at(0));
        assert_eq!(heartbeat.problem(Loop::Queue, at(4)), None);
        let problem = heartbeat.problem(Loop::Queue, at(7)).unwrap();
        let hang = "the store has not answered the dispatcher's queue for 7 s";
        assert_eq!(problem, hang);
        round.succeed();
        assert_eq!(heartbeat.problem(Loop::Queue, at(100)), None);
    }

    #[test]
    fn failure_is_a_problem_until_a_round_succeeds() {
        let heartbeat = Heartbeat::default();
        heartbeat.fail("the disk is gone".into());
        drop(heartbeat.begin(at(1)));
        let problem = heartbeat.problem(Loop::Recorder, at(1)).unwrap();
        let expected = "the outcome recorder fails: the disk is gone";
        assert_eq!(problem, expected);
        heartbeat.begin(at(1)).succeed();
        assert_eq!(heartbeat.problem(Loop::Recorder, at(1)), None);
        heartbeat.end();
        assert!(heartbeat.problem(Loop::Recorder, at(1)).is_some());
    }
}
