//! The reason why a delivery waits, and the end of the wait.

use std::fmt;
use std::time::Duration;

use crate::clock::{Moment, Monotonic};
use crate::model::Slug;

/// The cause of a delivery's wait, and its end.
#[derive(Clone, Debug)]
pub(crate) struct Wait {
    pub(crate) until: Monotonic,
    pub(crate) cause: Cause,
    /// Time since which no eligible gateway has taken any messages. `None` if one of them waits for
    /// our own limit, or for this address.
    pub(crate) closed_since: Option<Monotonic>,
}

/// The cause of a wait.
#[derive(Clone, Debug)]
pub(crate) enum Cause {
    /// No gateway is configured for the channel.
    NoneConfigured,
    /// The gateway takes no messages, after this error if it is known.
    Closed(Slug, Option<String>),
    /// The gateway asked us to pause the address.
    PausedAddress(Slug),
    /// Our own limit for the gateway.
    OwnLimit(Slug),
}

impl Wait {
    /// Returns the wait for the first of several gateways, each of which will do.
    pub(crate) fn earliest(waits: Vec<Self>) -> Option<Self> {
        let closed_since: Option<Vec<_>> = waits.iter().map(|wait| wait.closed_since).collect();
        let closed_since = closed_since.and_then(|all| all.into_iter().max());
        let earliest = waits.into_iter().min_by_key(|wait| wait.until)?;
        Some(Self {
            closed_since,
            ..earliest
        })
    }

    /// Returns the cause and the time of the next try, for people.
    pub(crate) fn describe(&self, now: Moment) -> String {
        let at = jiff::Timestamp::from_millisecond(now.wall_at(self.until).as_millis());
        match at {
            Ok(at) if self.until > now.monotonic => {
                format!("{}, next try {}", self.cause, at.strftime("%H:%M:%S UTC"))
            }
            _ => self.cause.to_string(),
        }
    }

    /// Returns true if no gateway has taken messages for at least `patience`.
    pub(crate) fn is_closed_for(&self, patience: Duration, now: Monotonic) -> bool {
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
