//! A delivery that no gateway takes now: how long it waits, and when it is given up.

use std::fmt;
use std::time::Duration;

use super::Dispatcher;
use super::attempt::comes_into_question;
use crate::store::OutboxEntry;
use crate::{Disposition, Job, Lane, Moment, Monotonic, Settlement, Slug};

/// Time that a delivery waits for a gateway of its channel to be configured again.
const ORPHANED: Duration = Duration::from_secs(24 * 60 * 60);

/// The cause of a delivery's wait, and its end.
#[derive(Clone, Debug)]
pub(crate) struct Wait {
    pub(crate) until: Monotonic,
    pub(crate) cause: Cause,
    /// Since when no gateway that comes into question has taken messages at all; `None` where it is
    /// our own limit, or this address, that one of them waits for.
    pub(crate) closed_since: Option<Monotonic>,
}

/// The cause of a delivery's wait.
#[derive(Clone, Debug)]
pub(crate) enum Cause {
    /// A gateway for the channel, of which none is configured.
    NoneConfigured,
    /// The gateway, which takes nothing after this error, if it is known.
    Closed(Slug, Option<String>),
    /// The gateway, which asked to leave the address alone.
    PausedAddress(Slug),
    /// Our own limit for the gateway.
    OwnLimit(Slug),
}

impl Wait {
    /// The wait for several gateways of which each will do.
    pub(super) fn earliest(waits: Vec<Self>) -> Option<Self> {
        let closed_since: Option<Vec<_>> = waits.iter().map(|wait| wait.closed_since).collect();
        let closed_since = closed_since.and_then(|all| all.into_iter().max());
        let earliest = waits.into_iter().min_by_key(|wait| wait.until)?;
        Some(Self {
            closed_since,
            ..earliest
        })
    }

    /// The cause and the time of the next try, for people.
    pub(super) fn describe(&self, now: Moment) -> String {
        let at = jiff::Timestamp::from_millisecond(now.wall_at(self.until).as_millis());
        match at {
            Ok(at) if self.until > now.monotonic => {
                format!("{}, next try {}", self.cause, at.strftime("%H:%M:%S UTC"))
            }
            _ => self.cause.to_string(),
        }
    }

    /// Returns true if nothing has been taken for at least `patience`.
    pub(super) fn is_closed_for(&self, patience: Duration, now: Monotonic) -> bool {
        self.closed_since
            .is_some_and(|since| now.since(since) >= patience)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoneConfigured => f.write_str("no gateway is configured for its channel"),
            Self::Closed(gateway, Some(error)) => {
                write!(f, "waiting for gateway {gateway}: {error}")
            }
            Self::Closed(gateway, None) => write!(f, "waiting for gateway {gateway}"),
            Self::PausedAddress(gateway) => {
                write!(f, "waiting: gateway {gateway} asked to pause this address")
            }
            Self::OwnLimit(gateway) => write!(f, "waiting for the rate limit of gateway {gateway}"),
        }
    }
}

impl Dispatcher {
    /// No gateway takes the delivery now: it waits without using up an attempt, but not for ever. Our
    /// own limits fail nothing that was never attempted.
    pub(super) fn wait(&self, job: &Job, now: Moment, wait: &Wait) -> Settlement {
        let lane = &job.delivery.lane;
        let why = wait.cause.to_string();
        let is_over = match (&wait.cause, job.delivery.first_attempt_at) {
            (Cause::NoneConfigured, first) => {
                self.elapsed(first.unwrap_or(job.raised_at), now) >= ORPHANED
            }
            (_, Some(first)) => self.elapsed(first, now) >= self.patience(job),
            (_, None) => {
                let patience = self.patience(job);
                wait.is_closed_for(patience, now.monotonic)
                    && self.elapsed(job.raised_at, now) >= patience
            }
        };
        let next = if is_over {
            let detail = OutboxEntry::given_up(job.delivery.attempts, &why);
            Disposition::Fail { detail }
        } else {
            let until = wait.until.plus(self.spread(lane));
            let (due_at, detail) = (now.wall_at(until), why);
            Disposition::Queue { due_at, detail }
        };
        self.settle(job, None, next)
    }

    /// Returns the longest time that any gateway eligible for a delivery keeps trying it.
    fn patience(&self, job: &Job) -> Duration {
        let gateways = self.gateways();
        let ours = gateways
            .of(job.delivery.lane.channel())
            .filter(|gateway| comes_into_question(job, gateway));
        let longest = ours.map(|gateway| gateway.schedule.give_up_after()).max();
        longest.unwrap_or(ORPHANED)
    }

    /// Returns a random extra wait for a delivery. If the gateways of a lane serve different addresses,
    /// more deliveries may be claimed than one of them takes. This spreads their return.
    fn spread(&self, lane: &Lane) -> Duration {
        const LONGEST: Duration = Duration::from_secs(60);
        let gateways = self.gateways();
        if gateways
            .of(lane.channel())
            .all(|gateway| gateway.prefixes.is_empty())
        {
            return Duration::ZERO;
        }
        let longest = Duration::from_millis(self.about_queued().saturating_mul(10));
        longest.min(LONGEST).mul_f64(fastrand::f64())
    }
}
