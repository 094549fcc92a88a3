//! Reasons why a gateway did not accept a message.

use std::time::Duration;

use crate::{BoxError, error_chain};

/// Reason why a message was not accepted, by the action that follows.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The gateway rejected this message, and would again.
    #[error("rejected: {reason}")]
    Rejected {
        /// The gateway's answer.
        reason: String,
    },
    /// Nothing can be sent to this address.
    #[error("invalid address: {reason}")]
    InvalidAddress {
        /// The gateway's answer.
        reason: String,
    },
    /// The gateway rejects our account: wrong credentials, a closed account, no credit. The gateway
    /// is stopped; its messages go to the next gateway of the channel or wait for the next try.
    #[error("the gateway rejects our account: {reason}")]
    Unauthorized {
        /// The gateway's answer.
        reason: String,
    },
    /// This gateway cannot reach the address, or not with this sender; another gateway might.
    #[error("no route: {reason}")]
    Unroutable {
        /// The gateway's answer.
        reason: String,
    },
    /// The gateway refuses to accept this message from us: relaying denied, a blocked sender, a
    /// policy, a quota. The message goes to the next gateway of the channel or waits on its
    /// schedule, and an alarm is raised.
    #[error("the gateway refuses to send for us: {reason}")]
    Refused {
        /// The gateway's answer.
        reason: String,
    },
    /// This recipient or this message must wait: the gateway itself works, and others are not
    /// delayed.
    #[error("deferred: {reason}{}", asked_to_wait(*retry_after))]
    Deferred {
        /// The part of the traffic that has to wait.
        scope: Deferral,
        /// The gateway's answer.
        reason: String,
        /// Delay that the gateway asks for.
        retry_after: Option<Duration>,
    },
    /// The gateway, or our whole account at it, must wait: too many requests.
    #[error("rate limited: {reason}{}", asked_to_wait(*retry_after))]
    RateLimited {
        /// The gateway's answer.
        reason: String,
        /// Delay that the gateway asks for.
        retry_after: Option<Duration>,
    },
    /// The message certainly did not go out: the gateway was not reached, or reported a temporary
    /// failure.
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
    /// Everything to this address: a full mailbox, greylisting, a rate limit of one chat or number.
    /// Implies nothing about the gateway.
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

/// Reason why a gateway does not allow a sender.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SenderError(String);

impl SenderError {
    /// Creates an error that names the allowed senders.
    pub fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

/// The retry policy after a failed hand-over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Retry {
    /// Not retried: it would fail again.
    Never,
    /// Retried on the schedule, but not before this delay.
    After(Option<Duration>),
    /// Retried on the schedule. It may then arrive twice, and the log says so.
    MayRepeat,
    /// The gateway is stopped; the message may go through another.
    StopGateway,
    /// Retried through another gateway, if there is one.
    Elsewhere,
    /// Retried through another gateway, or on the schedule if there is none.
    ElsewhereOrLater,
}

impl SendError {
    /// Returns the retry policy.
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

    /// Returns the class of failure, in a word or two.
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

    /// Returns the whole chain of causes on one line, for the log.
    pub fn detail(&self) -> String {
        error_chain(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_only_unknown_outcomes() {
        let cause = || BoxError::from("connection reset");
        assert_eq!(SendError::Unknown(cause()).retry(), Retry::MayRepeat);
        assert_eq!(SendError::Unreachable(cause()).retry(), Retry::After(None));
        assert_eq!(
            SendError::Unknown(cause()).detail(),
            "outcome unknown, may have been sent: connection reset"
        );
    }
}
