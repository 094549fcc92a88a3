//! The circuit breaker, which stops handing messages to a gateway that does not accept them.

use std::collections::VecDeque;
use std::time::Duration;

use crate::clock::Monotonic;
use crate::model::Address;

/// Opens after five failures in a row, after five failures among the last ten messages within a
/// minute, or after failures for three different recipients in a row.
///
/// Stays open for 30 s at first, doubling to 10 min with every failed probe. Then it is half-open:
/// one message goes through, and the rest waits for its outcome.
#[derive(Debug, Default)]
pub(crate) struct Breaker {
    state: State,
    in_a_row: u32,
    recent: VecDeque<(Monotonic, bool)>,
    openings: u32,
    /// The different recipients whose messages failed since the last success, oldest first.
    failed_recipients: VecDeque<Address>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Closed,
    Open(Monotonic),
    Probing,
}

/// The number of messages that may be handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// As many as the limits allow.
    Any,
    /// One, to probe the gateway.
    One,
    /// None before this time.
    Wait(Monotonic),
}

const MAX_FAILURES_IN_A_ROW: u32 = 5;
/// Number of different recipients in a row after which the gateway is to blame, not the recipients.
const MAX_FAILED_RECIPIENTS: usize = 3;
/// Number of recipients remembered, so that a probe with one of them proves nothing new.
const MAX_REMEMBERED: usize = 16;
const RECENT_MESSAGES: usize = 10;
const RECENT_WINDOW: Duration = Duration::from_secs(60);
const MIN_OPEN: Duration = Duration::from_secs(30);
const MAX_OPEN: Duration = Duration::from_secs(600);
/// Time after which messages that wait for a probe are checked again. The end of the probe wakes
/// them earlier.
const PROBE_RECHECK: Duration = Duration::from_secs(1);

impl Breaker {
    /// Returns how many messages may be handed over, without counting one.
    pub(crate) fn admission(&self, now: Monotonic) -> Admission {
        match self.state {
            State::Closed => Admission::Any,
            State::Open(until) if now < until => Admission::Wait(until),
            State::Open(_) => Admission::One,
            State::Probing => Admission::Wait(now.plus(PROBE_RECHECK)),
        }
    }

    /// Records that an admitted message is handed over.
    pub(crate) fn begin(&mut self) {
        if matches!(self.state, State::Open(_)) {
            self.state = State::Probing;
        }
    }

    /// Records a hand-over that says nothing about the gateway.
    pub(crate) fn abandon(&mut self, now: Monotonic) {
        if self.state == State::Probing {
            self.state = State::Open(now);
        }
    }

    /// Records an answer that says nothing about messages to other recipients.
    pub(crate) fn answer(&mut self) {
        if self.state == State::Probing {
            *self = Self::default();
        }
    }

    /// Records that the gateway did not accept a message to this recipient. The message or the
    /// recipient is to blame, unless it happens to different recipients in a row.
    ///
    /// * `random` - as for [`fail`](Self::fail).
    pub(crate) fn fail_for(&mut self, recipient: &Address, now: Monotonic, random: f64) {
        let is_probe = self.state == State::Probing;
        let is_to_blame = self.failed_recipients.len() >= MAX_FAILED_RECIPIENTS;
        if is_probe && !is_to_blame {
            // It was open for another reason, and the gateway answers again.
            self.answer();
        }
        let is_new = !self.failed_recipients.contains(recipient);
        if is_new {
            self.failed_recipients.push_back(recipient.clone());
            while self.failed_recipients.len() > MAX_REMEMBERED {
                self.failed_recipients.pop_front();
            }
        }
        match self.state {
            State::Closed if is_new && self.failed_recipients.len() >= MAX_FAILED_RECIPIENTS => {
                self.open(now, random);
            }
            State::Probing if is_new => self.open(now, random),
            // Another recipient has to be tried, or those few would block all others.
            State::Probing => self.abandon(now),
            State::Closed | State::Open(_) => {}
        }
    }

    /// Records an accepted message.
    pub(crate) fn succeed(&mut self, now: Monotonic) {
        self.in_a_row = 0;
        self.failed_recipients.clear();
        self.note(now, true);
        if self.state != State::Closed {
            *self = Self::default();
        }
    }

    /// Records that the gateway did not accept a message.
    ///
    /// * `random` - a number from 0 to 1 that spreads the open time by ±20 %.
    pub(crate) fn fail(&mut self, now: Monotonic, random: f64) {
        self.in_a_row += 1;
        self.note(now, false);
        let failed = self.recent.iter().filter(|(_, ok)| !ok).count();
        let half = self.recent.len() == RECENT_MESSAGES && failed * 2 >= RECENT_MESSAGES;
        match self.state {
            State::Closed if self.in_a_row >= MAX_FAILURES_IN_A_ROW || half => {
                self.open(now, random);
            }
            State::Probing => self.open(now, random),
            State::Closed | State::Open(_) => {}
        }
    }

    /// Records that the gateway rejects our account, which opens the breaker for the longest time.
    pub(crate) fn trip(&mut self, now: Monotonic) {
        self.openings = u32::MAX;
        self.open(now, 0.5);
    }

    /// Returns the time until which the breaker is open, if it is.
    pub(crate) const fn open_until(&self) -> Option<Monotonic> {
        match self.state {
            State::Open(until) => Some(until),
            State::Closed | State::Probing => None,
        }
    }

    pub(crate) const fn is_open(&self) -> bool {
        matches!(self.state, State::Open(_))
    }

    pub(crate) const fn is_probing(&self) -> bool {
        matches!(self.state, State::Probing)
    }

    /// Returns true if the breaker remembers nothing that matters.
    pub(crate) fn is_fresh(&self, now: Monotonic) -> bool {
        let old = |(at, ok): &(Monotonic, bool)| *ok || now.since(*at) > RECENT_WINDOW;
        let counts_nothing = self.in_a_row == 0 && self.failed_recipients.is_empty();
        self.state == State::Closed && counts_nothing && self.recent.iter().all(old)
    }

    fn note(&mut self, now: Monotonic, ok: bool) {
        self.recent.push_back((now, ok));
        while self.recent.len() > RECENT_MESSAGES
            || self
                .recent
                .front()
                .is_some_and(|(at, _)| now.since(*at) > RECENT_WINDOW)
        {
            self.recent.pop_front();
        }
    }

    fn open(&mut self, now: Monotonic, random: f64) {
        let doubled = MIN_OPEN.saturating_mul(1 << self.openings.min(10));
        let spread = 0.8 + 0.4 * random.clamp(0.0, 1.0);
        self.openings = self.openings.saturating_add(1);
        self.state = State::Open(now.plus(doubled.min(MAX_OPEN).mul_f64(spread)));
        self.recent.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIDDLE: f64 = 0.5;

    fn at(seconds: u64) -> Monotonic {
        Monotonic::from_millis(seconds * 1000)
    }

    fn failed(times: u32, now: Monotonic) -> Breaker {
        let mut breaker = Breaker::default();
        (0..times).for_each(|_| breaker.fail(now, MIDDLE));
        breaker
    }

    #[test]
    fn opens_after_five_failures_in_a_row() {
        assert_eq!(failed(4, at(0)).admission(at(0)), Admission::Any);
        let breaker = failed(5, at(0));
        assert_eq!(breaker.admission(at(29)), Admission::Wait(at(30)));
        assert_eq!(breaker.admission(at(30)), Admission::One);
    }

    #[test]
    fn opens_when_half_of_ten_fail_within_a_minute() {
        let alternate = |apart: u64| {
            let mut breaker = Breaker::default();
            for turn in 0..5 {
                breaker.succeed(at(2 * turn * apart));
                breaker.fail(at((2 * turn + 1) * apart), MIDDLE);
            }
            breaker.open_until().is_some()
        };
        assert!(alternate(1));
        assert!(!alternate(10));
    }

    #[test]
    fn single_probe_decides() {
        let mut breaker = failed(5, at(0));
        breaker.begin();
        assert!(matches!(breaker.admission(at(30)), Admission::Wait(_)));
        breaker.fail(at(31), MIDDLE);
        assert_eq!(breaker.open_until(), Some(at(91)));
        breaker.begin();
        breaker.succeed(at(92));
        assert_eq!(breaker.admission(at(92)), Admission::Any);
        assert!(breaker.is_fresh(at(92)));
    }

    #[test]
    fn probe_without_information_is_repeated() {
        let mut breaker = failed(5, at(0));
        breaker.begin();
        breaker.abandon(at(40));
        assert_eq!(breaker.admission(at(40)), Admission::One);
    }

    #[test]
    fn open_time_doubles_to_ten_minutes() {
        let mut breaker = failed(5, at(0));
        let mut waits = Vec::new();
        for _ in 0..7 {
            let until = breaker.open_until().unwrap();
            breaker.begin();
            breaker.fail(until, MIDDLE);
            waits.push(breaker.open_until().unwrap().since(until).as_secs());
        }
        assert_eq!(waits, [60, 120, 240, 480, 600, 600, 600]);
    }

    fn to(recipient: &str) -> Address {
        Address::new(recipient).unwrap()
    }

    fn failed_for(recipients: &[&str]) -> Breaker {
        let mut breaker = Breaker::default();
        for recipient in recipients {
            breaker.fail_for(&to(recipient), at(0), MIDDLE);
        }
        breaker
    }

    #[test]
    fn opens_after_three_different_recipients_in_a_row() {
        assert_eq!(failed_for(&["a"; 50]).admission(at(0)), Admission::Any);
        assert_eq!(
            failed_for(&["a", "b", "a", "b"]).admission(at(0)),
            Admission::Any
        );
        let opened = failed_for(&["a", "b", "a", "c"]);
        assert_eq!(opened.admission(at(0)), Admission::Wait(at(30)));
        let mut breaker = failed_for(&["a", "b"]);
        breaker.succeed(at(0));
        breaker.fail_for(&to("c"), at(0), MIDDLE);
        assert_eq!(breaker.admission(at(0)), Admission::Any);
    }

    #[test]
    fn deferral_of_a_recipient_is_neither_failure_nor_success() {
        let mut breaker = failed_for(&["a", "b"]);
        breaker.answer();
        breaker.fail_for(&to("c"), at(0), MIDDLE);
        assert!(breaker.is_open());
    }

    #[test]
    fn answered_probe_closes_a_breaker_opened_by_silence() {
        for answer in [Breaker::answer, |breaker: &mut Breaker| {
            breaker.fail_for(&to("a"), at(31), MIDDLE);
        }] {
            let mut breaker = failed(5, at(0));
            breaker.begin();
            answer(&mut breaker);
            assert_eq!(breaker.admission(at(31)), Admission::Any);
        }
    }

    #[test]
    fn probe_with_a_known_failed_recipient_needs_another() {
        let mut breaker = failed_for(&["a", "b", "c"]);
        breaker.begin();
        breaker.fail_for(&to("b"), at(31), MIDDLE);
        assert_eq!(breaker.admission(at(31)), Admission::One);
        breaker.begin();
        breaker.fail_for(&to("d"), at(31), MIDDLE);
        assert_eq!(breaker.open_until(), Some(at(91)));
        breaker.begin();
        breaker.succeed(at(91));
        assert!(breaker.is_fresh(at(91)));
    }

    #[test]
    fn rejected_account_opens_it_for_the_longest_time() {
        let mut breaker = Breaker::default();
        breaker.trip(at(0));
        assert_eq!(breaker.open_until(), Some(at(600)));
        breaker.begin();
        breaker.trip(at(600));
        assert_eq!(breaker.open_until(), Some(at(1200)));
    }
}
