//! A gateway as seen from one lane: its breaker, its pauses, and its messages in flight.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::clock::{Moment, Monotonic};
use crate::delivery::Lane;
use crate::dispatcher::gateway_health::breaker::{Admission, Breaker};
use crate::dispatcher::gateway_health::{GatewayHealth, GatewayState};
use crate::gateway::Limits;
use crate::model::{Address, Slug};

/// A gateway as seen from one lane.
#[derive(Debug, Default)]
pub(crate) struct Upstream {
    breaker: Breaker,
    /// Permits for the gateway's requests in flight.
    requests: Option<Arc<Semaphore>>,
    /// Number of requests that may be in flight.
    width: usize,
    pub(crate) in_flight: u32,
    paused_until: Monotonic,
    /// Time until which another node has reported it closed.
    reported_until: Monotonic,
    /// Time since which it has taken no messages.
    closed_since: Option<Monotonic>,
    /// Its latest error that counts against it.
    last_error: Option<String>,
}

/// The bearing of a hand-over's result on the gateway's health.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HealthSignal {
    /// It accepted the message, or rejected it for a reason of the message's own.
    Healthy,
    /// It answered, and the answer says nothing about other messages.
    Answered,
    /// It answered, and did not accept the message to this recipient.
    FailedFor(Address),
    /// It did not accept the message, or the outcome is unknown.
    Failed,
    /// It asked for a pause until this time.
    PauseUntil(Monotonic),
    /// It rejected our account.
    Unauthorized,
    /// No information.
    Neutral,
}

impl HealthSignal {
    /// Returns true if the signal counts against the gateway.
    const fn is_bad(&self) -> bool {
        match self {
            Self::FailedFor(_) | Self::Failed | Self::PauseUntil(_) | Self::Unauthorized => true,
            Self::Healthy | Self::Answered | Self::Neutral => false,
        }
    }
}

impl Upstream {
    /// Applies new limits to the requests that begin from now on.
    pub(crate) fn apply_limits(&mut self, limits: &Limits) {
        let width = usize::try_from(limits.concurrency).unwrap_or(1).max(1);
        if self.width != width {
            self.requests = None;
        }
    }

    /// Clears the state of a gateway that is no longer configured, except for its messages in
    /// flight.
    pub(crate) fn retire(&mut self) {
        *self = Self {
            in_flight: self.in_flight,
            ..Self::default()
        };
    }

    /// Records that a message is handed over. Returns the permits for its request.
    pub(crate) fn begin(&mut self, limits: &Limits) -> Arc<Semaphore> {
        self.breaker.begin();
        self.in_flight += 1;
        let requests = self.requests.get_or_insert_with(|| {
            self.width = usize::try_from(limits.concurrency).unwrap_or(1).max(1);
            Arc::new(Semaphore::new(self.width))
        });
        Arc::clone(requests)
    }

    /// Records that a hand-over has ended. Returns the time of the next try if this stopped the
    /// gateway.
    ///
    /// * `error` - its answer, unless it accepted the message.
    pub(crate) fn end(
        &mut self,
        signal: HealthSignal,
        error: Option<&str>,
        now: Monotonic,
    ) -> Option<Monotonic> {
        self.in_flight = self.in_flight.saturating_sub(1);
        let was_open = self.breaker.is_open();
        if signal.is_bad() {
            self.last_error = error.map(str::to_owned);
        }
        match signal {
            HealthSignal::Healthy => self.breaker.succeed(now),
            HealthSignal::Answered => self.breaker.answer(),
            HealthSignal::FailedFor(to) => self.breaker.fail_for(&to, now, fastrand::f64()),
            HealthSignal::Failed => self.breaker.fail(now, fastrand::f64()),
            HealthSignal::Unauthorized => self.breaker.trip(now),
            HealthSignal::Neutral => self.breaker.abandon(now),
            HealthSignal::PauseUntil(until) => {
                self.breaker.abandon(now);
                self.paused_until = self.paused_until.max(until);
            }
        }
        self.note_closed(now);
        let has_stopped = !was_open && self.breaker.is_open();
        has_stopped.then(|| match self.admission(now) {
            Admission::Wait(until) => until,
            Admission::Any | Admission::One => now,
        })
    }

    /// Records a report of another node that the gateway takes no messages before this time.
    pub(crate) fn learn(&mut self, until: Monotonic, now: Monotonic) {
        self.reported_until = until;
        self.note_closed(now);
    }

    fn note_closed(&mut self, now: Monotonic) {
        if self.takes_all(now) {
            self.closed_since = None;
        } else {
            self.closed_since.get_or_insert(now);
        }
    }

    fn takes_all(&self, now: Monotonic) -> bool {
        self.admission(now) == Admission::Any
    }

    /// Returns the time since which it has taken no messages, if so.
    pub(crate) fn closed_since(&self, now: Monotonic) -> Option<Monotonic> {
        self.closed_since.filter(|_| !self.takes_all(now))
    }

    /// Returns its latest error that counts against it.
    pub(crate) fn last_error(&self) -> Option<&str> {
        self.last_error.as_deref()
    }

    /// Returns its health, as it is shown.
    pub(crate) fn health(&self, gateway: &Slug, lane: &Lane, now: Moment) -> GatewayHealth {
        let state = self.state(now.monotonic);
        let is_ok = state == GatewayState::Ok;
        let next_try = match self.admission(now.monotonic) {
            Admission::Wait(until) if state != GatewayState::Probing => Some(until),
            Admission::One => Some(now.monotonic),
            _ => None,
        };
        let since = self.closed_since(now.monotonic);
        GatewayHealth {
            gateway: gateway.clone(),
            lane: lane.clone(),
            host: lane.host().map(str::to_owned),
            state,
            since: since.map(|since| now.wall_at(since)),
            last_error: self.last_error.clone().filter(|_| !is_ok),
            next_try_at: next_try.map(|until| now.wall_at(until)),
            in_flight: self.in_flight,
        }
    }

    fn state(&self, now: Monotonic) -> GatewayState {
        if self.breaker.is_open() {
            GatewayState::Stopped
        } else if now < self.paused_until.max(self.reported_until) {
            GatewayState::Paused
        } else if self.breaker.is_probing() {
            GatewayState::Probing
        } else {
            GatewayState::Ok
        }
    }

    /// Returns true if it remembers anything that matters.
    pub(crate) fn is_relevant(&self, now: Monotonic) -> bool {
        self.in_flight > 0
            || self.paused_until > now
            || self.reported_until > now
            || !self.breaker.is_fresh(now)
    }

    /// Returns the time until which this node has found it closed.
    pub(crate) fn closed_until(&self) -> Option<Monotonic> {
        let paused = (self.paused_until > Monotonic::default()).then_some(self.paused_until);
        self.breaker.open_until().max(paused)
    }

    /// Returns how many messages it takes now.
    pub(crate) fn admission(&self, now: Monotonic) -> Admission {
        let until = self.paused_until.max(self.reported_until);
        if now < until {
            return Admission::Wait(until);
        }
        self.breaker.admission(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Monotonic {
        Monotonic::from_millis(seconds * 1000)
    }

    fn health(upstream: &Upstream, seconds: u64) -> GatewayHealth {
        let now = Moment {
            wall: crate::clock::Timestamp::from_millis(i64::try_from(seconds).unwrap() * 1000),
            monotonic: at(seconds),
        };
        let lane = Lane::stored("webhook:one.example".into());
        upstream.health(&Slug::parse("hook").unwrap(), &lane, now)
    }

    #[test]
    fn health_has_the_reason_and_times_of_a_stop() {
        let mut upstream = Upstream::default();
        upstream.end(HealthSignal::Unauthorized, Some("wrong password"), at(10));
        upstream.end(HealthSignal::Unauthorized, Some("still wrong"), at(11));
        let shown = health(&upstream, 20);
        assert_eq!(shown.state, GatewayState::Stopped);
        assert_eq!(shown.since.unwrap().as_millis(), 10_000);
        assert_eq!(shown.next_try_at.unwrap().as_millis(), 611_000);
        assert_eq!(shown.last_error.as_deref(), Some("still wrong"));
        assert_eq!(shown.host.as_deref(), Some("one.example"));
        upstream.begin(&Limits::default());
        assert_eq!(health(&upstream, 700).state, GatewayState::Probing);
        upstream.end(HealthSignal::Healthy, None, at(701));
        let shown = health(&upstream, 701);
        assert_eq!(shown.state, GatewayState::Ok);
        assert_eq!((shown.since, shown.last_error), (None, None));
    }

    #[test]
    fn requested_pause_ends_by_itself() {
        let mut upstream = Upstream::default();
        upstream.end(
            HealthSignal::PauseUntil(at(40)),
            Some("rate limited"),
            at(10),
        );
        assert_eq!(health(&upstream, 39).state, GatewayState::Paused);
        assert_eq!(upstream.closed_since(at(39)), Some(at(10)));
        assert_eq!(health(&upstream, 40).state, GatewayState::Ok);
        assert_eq!(upstream.closed_since(at(40)), None);
    }
}
