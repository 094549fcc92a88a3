//! One hand-over of a delivery to a gateway.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::model::Slug;

/// A logged hand-over of a delivery to a gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Number of the attempt within its delivery, counted from 1; set by the store.
    pub number: u32,
    /// The gateway; `None` if the process ended before it was recorded.
    pub gateway: Option<Slug>,
    /// Time when it began.
    pub started_at: Timestamp,
    /// Time when it ended.
    pub ended_at: Timestamp,
    /// Outcome.
    pub outcome: AttemptOutcome,
    /// The gateway's answer or the error.
    pub detail: String,
    /// True if an earlier attempt may have arrived, so this one may be a repeat.
    pub may_repeat: bool,
}

impl Attempt {
    /// Detail of an attempt whose outcome was not recorded.
    pub const UNRECORDED: &str = "the process ended before the outcome was recorded";

    /// Detail of an attempt that the shutdown of its dispatcher cut off.
    pub const CUT_OFF: &str = "it was cut off before the gateway answered";

    /// Creates an attempt whose holder vanished: it may have been made or not.
    pub fn unrecorded(now: Timestamp) -> Self {
        Self {
            number: 0,
            gateway: None,
            started_at: now,
            ended_at: now,
            outcome: AttemptOutcome::Unknown,
            detail: Self::UNRECORDED.to_owned(),
            may_repeat: false,
        }
    }
}

/// The outcome of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AttemptOutcome {
    /// The gateway accepted the message.
    Ok,
    /// The gateway did not accept it, and may later.
    Retry,
    /// Unknown: the message may have gone out.
    Unknown,
    /// The gateway did not accept it, and will not.
    Permanent,
}

impl AttemptOutcome {
    /// Returns the outcome as text, as in JSON and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Retry => "retry",
            Self::Unknown => "unknown",
            Self::Permanent => "permanent",
        }
    }
}

impl FromStr for AttemptOutcome {
    type Err = AttemptOutcomeError;

    fn from_str(text: &str) -> Result<Self, AttemptOutcomeError> {
        let all = [Self::Ok, Self::Retry, Self::Unknown, Self::Permanent];
        let mut all = all.into_iter();
        all.find(|outcome| outcome.as_str() == text)
            .ok_or(AttemptOutcomeError)
    }
}

/// Error for a text that is not an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an attempt's outcome is ok, retry, unknown or permanent")]
pub struct AttemptOutcomeError;
