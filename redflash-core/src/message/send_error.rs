//! Why a gateway did not take a message.

use std::time::Duration;

use crate::{BoxError, error_chain};

/// Why a message was not handed over, by what the caller does next.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The gateway refused this message, and would again.
    #[error("rejected: {reason}")]
    Rejected {
        /// What the gateway said.
        reason: String,
    },
    /// Nothing can be sent to this address.
    #[error("invalid address: {reason}")]
    InvalidAddress {
        /// What the gateway said.
        reason: String,
    },
    /// The gateway refuses us: wrong credentials, a closed account, no credit. It is stopped, and
    /// what waits for it goes to the next gateway of the channel or waits until it is let in again.
    #[error("the gateway refuses our account: {reason}")]
    Unauthorized {
        /// What the gateway said.
        reason: String,
    },
    /// This gateway cannot reach the address, or not with this sender; another might.
    #[error("no route: {reason}")]
    Unroutable {
        /// What the gateway said.
        reason: String,
    },
    /// The gateway refuses to take this message from us: relaying denied, a blocked sender, a policy,
    /// a quota. The message goes to the next gateway of the channel, or waits on its schedule, and an
    /// alarm is raised.
    #[error("the gateway refuses to send for us: {reason}")]
    Refused {
        /// The gateway's answer.
        reason: String,
    },
    /// This recipient or this message, later: the gateway itself works, and others are not delayed.
    #[error("deferred: {reason}{}", asked_to_wait(*retry_after))]
    Deferred {
        /// Part of the traffic that has to wait.
        scope: Deferral,
        /// The gateway's answer.
        reason: String,
        /// Time that the gateway asks us to wait.
        retry_after: Option<Duration>,
    },
    /// The gateway, or our whole account at it, later: too much at once.
    #[error("rate limited: {reason}{}", asked_to_wait(*retry_after))]
    RateLimited {
        /// What the gateway said.
        reason: String,
        /// Time that the gateway asks us to wait.
        retry_after: Option<Duration>,
    },
    /// The message certainly did not go out: the gateway was not reached, or said that it failed
    /// for now.
    #[error("not handed over")]
    Unreachable(#[source] BoxError),
    /// The message may have gone out, or may not.
    #[error("outcome unknown, may have been sent")]
    Unknown(#[source] BoxError),
}

/// The part of the traffic that has to wait after [`SendError::Deferred`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Deferral {
    /// Everything to this address: a full mailbox, greylisting, a chat or number with a limit of its
    /// own. Says nothing about the gateway.
    Recipient,
    /// This message: a 500 for one request. The same for different recipients in a row counts as a
    /// failure of the gateway.
    Message,
}

fn asked_to_wait(retry_after: Option<Duration>) -> String {
    retry_after.map_or_else(String::new, |after| {
        format!(", asked to wait {} s", after.as_secs())
    })
}

/// Why a gateway does not let a message say that it comes from somebody.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SenderError(String);

impl SenderError {
    /// An error that says what the gateway allows.
    pub fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

/// Whether a message that was not handed over is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Retry {
    /// It would fail again.
    Never,
    /// On the schedule, but not before this long has passed.
    After(Option<Duration>),
    /// On the schedule. It may then arrive twice, and the log says so.
    MayRepeat,
    /// The gateway is stopped; the message may go through another.
    StopGateway,
    /// Through another gateway, if there is one.
    Elsewhere,
    /// Through another gateway, or on the schedule when there is none.
    ElsewhereOrLater,
}

impl SendError {
    /// What the caller does next.
    pub const fn retry(&self) -> Retry {
        match self {
            Self::Rejected { .. } | Self::InvalidAddress { .. } => Retry::Never,
            Self::Unauthorized { .. } => Retry::StopGateway,
            Self::Unroutable { .. } => Retry::Elsewhere,
            Self::Refused { .. } => Retry::ElsewhereOrLater,
            Self::RateLimited { retry_after, .. } | Self::Deferred { retry_after, .. } => {
                Retry::After(*retry_after)
            }
            Self::Unreachable(_) => Retry::After(None),
            Self::Unknown(_) => Retry::MayRepeat,
        }
    }

    /// What kind of failure it is, in a word or two.
    pub const fn class(&self) -> &'static str {
        match self {
            Self::Rejected { .. } => "rejected",
            Self::InvalidAddress { .. } => "invalid address",
            Self::Unroutable { .. } => "no route",
            Self::Unauthorized { .. } => "account refused",
            Self::Refused { .. } => "refused",
            Self::Deferred { .. } => "deferred",
            Self::RateLimited { .. } => "rate limited",
            Self::Unreachable(_) => "not handed over",
            Self::Unknown(_) => "outcome unknown",
        }
    }

    /// The whole chain of causes on one line, for the log.
    pub fn detail(&self) -> String {
        error_chain(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_unknown_outcome_may_repeat() {
        let cause = || BoxError::from("connection reset");
        assert_eq!(SendError::Unknown(cause()).retry(), Retry::MayRepeat);
        assert_eq!(SendError::Unreachable(cause()).retry(), Retry::After(None));
        assert_eq!(
            SendError::Unknown(cause()).detail(),
            "outcome unknown, may have been sent: connection reset"
        );
    }
}
