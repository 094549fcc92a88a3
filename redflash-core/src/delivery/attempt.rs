//! One hand-over of a delivery to a gateway.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Slug, Timestamp};

/// One hand-over of a delivery to a gateway, as it is logged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Which attempt of its delivery, counted from 1; given by the store when it is logged.
    pub number: u32,
    /// The gateway; `None` when the process ended before it was recorded.
    pub gateway: Option<Slug>,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// How it ended.
    pub outcome: AttemptOutcome,
    /// What the gateway said or what went wrong.
    pub detail: String,
    /// Whether an earlier attempt may have arrived: why this one may be a repeat.
    pub may_repeat: bool,
}

impl Attempt {
    /// What the log says of an attempt whose outcome was not recorded.
    pub const UNRECORDED: &str = "the process ended before the outcome was recorded";

    /// The detail of an attempt that the end of its dispatcher cut off.
    pub const CUT_OFF: &str = "it was cut off before the gateway answered";

    /// An attempt whose holder vanished: it may have been made, or may not.
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

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptOutcome {
    /// The gateway took the message.
    Ok,
    /// It did not, and may later.
    Retry,
    /// Nobody knows: the message may have gone out.
    Unknown,
    /// It did not, and will not.
    Permanent,
}

impl AttemptOutcome {
    /// The outcome as text, as in JSON and in the store.
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

/// A text that is no attempt's outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an attempt ends ok, retry, unknown or permanent")]
pub struct AttemptOutcomeError;
