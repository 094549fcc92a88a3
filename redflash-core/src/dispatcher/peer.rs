//! A gateway as seen from one lane: whether it takes messages now, and how many are under way.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use super::breaker::{Admission, Breaker};
use crate::{Address, Lane, Limits, Slug, Timestamp};

/// A gateway as seen from one lane.
#[derive(Debug, Default)]
pub(super) struct Peer {
    breaker: Breaker,
    /// Lets through as many requests as this gateway may have under way.
    requests: Option<Arc<Semaphore>>,
    pub(super) in_flight: u32,
    paused_until: Timestamp,
    /// Until when another node has found it closed.
    pub(super) told_until: Timestamp,
}

/// What a hand-over says about its gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It works, whatever it thought of the message.
    Works,
    /// It answered, and the answer says nothing about what it does with other messages.
    Answers,
    /// It answered, and did not take the message to this recipient.
    FailsFor(Address),
    /// It did not take the message, or nobody knows.
    Fails,
    /// It asks for a pause until this time.
    Pauses(Timestamp),
    /// It refuses our account.
    Refuses,
    /// Nothing.
    Nothing,
}

/// A gateway's health within a lane.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatewayHealth {
    /// The gateway.
    pub gateway: Slug,
    /// The lane.
    pub lane: Lane,
    /// Whether messages are handed to it.
    pub state: GatewayState,
    /// How many are under way.
    pub in_flight: u32,
}

/// Whether messages are handed to a gateway. As JSON `works`, `rests` or `probing`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GatewayState {
    /// Yes.
    #[serde(rename = "works")]
    Closed,
    /// Not before this time: too much failed.
    #[serde(rename = "rests")]
    Open {
        /// When one message is let through.
        until: Timestamp,
    },
    /// One message is under way to see whether it works again.
    Probing,
}

impl Peer {
    /// A message is handed over. Returns what its request has to go through.
    pub(super) fn begin(&mut self, limits: &Limits) -> Arc<Semaphore> {
        self.breaker.begin();
        self.in_flight += 1;
        let requests = self.requests.get_or_insert_with(|| {
            let width = usize::try_from(limits.concurrency).unwrap_or(1);
            Arc::new(Semaphore::new(width.max(1)))
        });
        Arc::clone(requests)
    }

    /// A hand-over has ended. Says whether the gateway has stopped by it.
    pub(super) fn end(&mut self, verdict: Verdict, now: Timestamp) -> bool {
        self.in_flight = self.in_flight.saturating_sub(1);
        let was_open = self.breaker.is_open();
        match verdict {
            Verdict::Works => self.breaker.succeed(now),
            Verdict::Answers => self.breaker.answer(),
            Verdict::FailsFor(to) => self.breaker.fail_for(&to, now, fastrand::f64()),
            Verdict::Fails => self.breaker.fail(now, fastrand::f64()),
            Verdict::Refuses => self.breaker.trip(now),
            Verdict::Nothing => self.breaker.abandon(now),
            Verdict::Pauses(until) => {
                self.breaker.abandon(now);
                self.paused_until = self.paused_until.max(until);
            }
        }
        !was_open && self.breaker.is_open()
    }

    /// Whether messages are handed to it.
    pub(super) fn state(&self, now: Timestamp) -> GatewayState {
        match self.breaker.open_until() {
            None if self.told_until > now => GatewayState::Open {
                until: self.told_until,
            },
            Some(until) => GatewayState::Open { until },
            None if self.breaker.is_probing() => GatewayState::Probing,
            None => GatewayState::Closed,
        }
    }

    /// Whether it remembers anything that matters.
    pub(super) fn matters(&self, now: Timestamp) -> bool {
        self.in_flight > 0
            || self.paused_until > now
            || self.told_until > now
            || !self.breaker.is_fresh(now)
    }

    /// Until when this node has found it to take nothing.
    pub(super) fn found_until(&self) -> Option<Timestamp> {
        let paused = (self.paused_until > Timestamp::default()).then_some(self.paused_until);
        self.breaker.open_until().max(paused)
    }

    /// Whether it takes messages now.
    pub(super) fn admission(&self, now: Timestamp) -> Admission {
        let until = self.paused_until.max(self.told_until);
        if now < until {
            return Admission::Wait(until);
        }
        self.breaker.admission(now)
    }
}
