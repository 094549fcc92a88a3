//! Signs of life of the dispatcher's loops, by which a hang or an end is noticed.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::Monotonic;

/// The longest time that a loop may go without a sign of life.
pub(crate) const BOUND: Duration = Duration::from_secs(5);

/// A loop of the dispatcher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Takes what is due from the store.
    Queue,
    /// Records outcomes.
    Recorder,
    /// Renews leases.
    Leases,
    /// Gives alarms.
    Alarms,
    /// Queues what is left of large alerts.
    FanOuts,
}

impl Part {
    pub(crate) const ALL: [Self; 5] = [
        Self::Queue,
        Self::Recorder,
        Self::Leases,
        Self::Alarms,
        Self::FanOuts,
    ];

    /// The loop in a sentence.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Queue => "the dispatcher's queue",
            Self::Recorder => "the recorder of outcomes",
            Self::Leases => "the renewal of leases",
            Self::Alarms => "the sender of alarms",
            Self::FanOuts => "the queueing of large alerts",
        }
    }
}

/// The signs of life of one loop.
#[derive(Debug, Default)]
pub(crate) struct Pulse {
    /// When the round under way began, in milliseconds of the monotonic clock and one more; 0 between
    /// two rounds.
    busy_since: AtomicU64,
    has_ended: AtomicBool,
    /// The error of the last round, if it failed.
    failure: Mutex<Option<String>>,
}

/// A round under way. Dropping it ends the round.
#[derive(Debug)]
pub(crate) struct Round<'a>(&'a Pulse);

impl Pulse {
    /// Begins a round.
    pub(crate) fn begin(&self, now: Monotonic) -> Round<'_> {
        let since = now.as_millis().saturating_add(1);
        self.busy_since.store(since, Ordering::Relaxed);
        Round(self)
    }

    /// The last round failed.
    pub(crate) fn fail(&self, why: String) {
        *self.failure() = Some(why);
    }

    /// The loop will not run again.
    pub(crate) fn end(&self) {
        self.has_ended.store(true, Ordering::Release);
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::Acquire)
    }

    /// Returns true if a round is under way.
    pub(crate) fn is_busy(&self) -> bool {
        self.busy_since.load(Ordering::Acquire) != 0
    }

    /// Returns what is wrong with the loop, in words; `None` while it is well.
    pub(crate) fn problem(&self, part: Part, now: Monotonic) -> Option<String> {
        let part = part.as_str();
        if self.has_ended() {
            return Some(format!("{part} has ended"));
        }
        let failure = self.failure().clone();
        if let Some(failure) = failure {
            return Some(format!("{part} fails: {failure}"));
        }
        let hangs = self.hangs_for(now)?;
        let seconds = hangs.as_secs();
        Some(format!("the store has not answered {part} for {seconds} s"))
    }

    /// Time that the round under way has taken, if that is too long.
    pub(crate) fn hangs_for(&self, now: Monotonic) -> Option<Duration> {
        let since = self.busy_since.load(Ordering::Relaxed).checked_sub(1)?;
        let taken = now.since(Monotonic::from_millis(since));
        (taken >= BOUND).then_some(taken)
    }

    fn failure(&self) -> MutexGuard<'_, Option<String>> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Round<'_> {
    /// The round went well.
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
        let pulse = Pulse::default();
        assert_eq!(pulse.problem(Part::Queue, at(100)), None);
        let round = pulse.begin(at(0));
        assert_eq!(pulse.problem(Part::Queue, at(4)), None);
        let problem = pulse.problem(Part::Queue, at(7)).unwrap();
        let hang = "the store has not answered the dispatcher's queue for 7 s";
        assert_eq!(problem, hang);
        round.succeed();
        assert_eq!(pulse.problem(Part::Queue, at(100)), None);
    }

    #[test]
    fn failure_is_a_problem_until_a_round_succeeds() {
        let pulse = Pulse::default();
        pulse.fail("the disk is gone".into());
        drop(pulse.begin(at(1)));
        let problem = pulse.problem(Part::Recorder, at(1)).unwrap();
        let told = "the recorder of outcomes fails: the disk is gone";
        assert_eq!(problem, told);
        pulse.begin(at(1)).succeed();
        assert_eq!(pulse.problem(Part::Recorder, at(1)), None);
        pulse.end();
        assert!(pulse.problem(Part::Recorder, at(1)).is_some());
    }
}
