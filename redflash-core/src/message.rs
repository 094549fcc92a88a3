//! What is handed to a gateway, and what it answers.

use std::error::Error;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Address, Arguments, DeliveryId, NotificationId, Target, Timestamp};

/// Any error, boxed.
pub type BoxError = Box<dyn Error + Send + Sync + 'static>;

/// One message to one address, as a channel gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboundMessage {
    /// The notification it belongs to.
    pub notification: NotificationId,
    /// The delivery: the same for every attempt, so it serves as an idempotency key.
    pub delivery: DeliveryId,
    /// Which attempt this is, counted from 1.
    pub attempt: u32,
    /// The time of the first attempt: of this one, if it is the first.
    pub first_attempt_at: Timestamp,
    /// The time of this attempt.
    pub at: Timestamp,
    /// Where it goes.
    pub to: Address,
    /// The subject, one line, for channels that have one.
    pub subject: String,
    /// The text.
    pub body: String,
    /// Who it says it comes from, where the gateway allows that.
    pub sender: Option<String>,
    /// The page of its notification, where people see what became of it; set by the dispatcher.
    pub link: Option<String>,
    /// The raise it comes from; `None` for a test of the gateway.
    pub origin: Option<Origin>,
}

/// The raise that a message comes from, for channels that pass it on as data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The contact, group or event that was raised.
    pub target: Target,
    /// The time of the raise.
    pub raised_at: Timestamp,
    /// The event's arguments; `None` for a literal message, and for arguments too large to be
    /// stored.
    pub arguments: Option<Arc<Arguments>>,
}

/// A gateway's word that it took a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accepted {
    /// The gateway's own id of the message.
    pub message_id: Option<String>,
    /// Into how many parts it was cut; 1 for channels that do not cut.
    pub parts: u32,
    /// What it cost, as far as the gateway says.
    pub price: Option<Price>,
    /// Whether the answer is proof that the message arrived, as with a webhook.
    pub delivered: bool,
    /// What the gateway said, short, for the log.
    pub detail: String,
}

impl Accepted {
    /// Taken by the gateway in one part; what becomes of it is not known yet.
    pub fn new(message_id: Option<String>) -> Self {
        Self {
            message_id,
            parts: 1,
            ..Self::default()
        }
    }

    /// Arrived: the answer came from the receiver.
    pub fn delivered(detail: impl Into<String>) -> Self {
        Self {
            parts: 1,
            delivered: true,
            detail: detail.into(),
            ..Self::default()
        }
    }
}

/// A price in the gateway's own currency: a decimal number that is not negative.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Price(String);

/// A text that is no price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a price is a decimal number that is not negative, such as 0.0333")]
pub struct PriceError;

impl Price {
    /// The price as text, exactly as the gateway wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The price as a number.
    pub fn value(&self) -> f64 {
        self.0.parse().unwrap_or_default()
    }
}

impl FromStr for Price {
    type Err = PriceError;

    fn from_str(text: &str) -> Result<Self, PriceError> {
        let legal = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        let number = text.parse::<f64>();
        if !legal || text.len() > 20 || number.is_err() {
            return Err(PriceError);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl TryFrom<String> for Price {
    type Error = PriceError;

    fn try_from(text: String) -> Result<Self, PriceError> {
        text.parse()
    }
}

impl From<Price> for String {
    fn from(price: Price) -> Self {
        price.0
    }
}

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

/// An error with the whole chain of its causes, on one line. A cause that the line ends with already is
/// not repeated.
pub fn error_chain(error: &(dyn Error + 'static)) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !line.ends_with(&text) {
            line.push_str(": ");
            line.push_str(&text);
        }
        cause = error.source();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_decimal_numbers() {
        for good in ["0", "0.03330000", "12"] {
            assert_eq!(good.parse::<Price>().unwrap().as_str(), good);
        }
        for bad in ["", "NaN", "-5", "1e9", "inf", "1.2.3", ".", &"9".repeat(21)] {
            assert_eq!(bad.parse::<Price>(), Err(PriceError), "{bad}");
        }
    }

    #[test]
    fn a_cause_is_named_once() {
        #[derive(Debug, thiserror::Error)]
        #[error("connection error: {0}")]
        struct Outer(#[source] Inner);
        #[derive(Debug, thiserror::Error)]
        #[error("refused")]
        struct Inner;
        assert_eq!(error_chain(&Outer(Inner)), "connection error: refused");
    }

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
