//! The health of a gateway, as it is shown.

pub(super) mod breaker;
mod signal;
pub(super) mod upstream;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::delivery::Lane;
use crate::model::Slug;

/// A gateway's health within a lane.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatewayHealth {
    /// The gateway.
    pub gateway: Slug,
    /// The lane.
    pub lane: Lane,
    /// The host, where each host fails on its own.
    #[serde(default)]
    pub host: Option<String>,
    /// State of the gateway for this lane and host.
    pub state: GatewayState,
    /// When it stopped taking messages; `None` while it takes them.
    #[serde(default)]
    pub since: Option<Timestamp>,
    /// The answer or failure that keeps messages from it.
    #[serde(default)]
    pub last_error: Option<String>,
    /// Time of the next try; `None` while it takes all messages, or while one is in flight.
    #[serde(default)]
    pub next_try_at: Option<Timestamp>,
    /// Number of messages in flight.
    pub in_flight: u32,
}

/// The state of a gateway.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum GatewayState {
    /// It takes messages.
    #[default]
    Ok,
    /// One message is in flight as a probe.
    Probing,
    /// It asked for a pause, or another node found that it takes no messages.
    Paused,
    /// Too many messages failed, or it rejects our account. Nothing is handed to it before the next
    /// try.
    Stopped,
}

impl GatewayState {
    /// Every state, from good to bad.
    pub const ALL: [Self; 4] = [Self::Ok, Self::Probing, Self::Paused, Self::Stopped];

    /// Returns the state as text, as in JSON, on pages and in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Probing => "probing",
            Self::Paused => "paused",
            Self::Stopped => "stopped",
        }
    }
}

impl fmt::Display for GatewayState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_have_one_word_everywhere() {
        for state in GatewayState::ALL {
            let json = serde_json::to_string(&state).unwrap();
            assert_eq!(json, format!("\"{state}\""));
        }
    }
}
