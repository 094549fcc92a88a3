//! States of a delivery.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The state of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DeliveryState {
    /// Waiting for its turn or its next attempt.
    Queued,
    /// Leased to a dispatcher, which hands it over.
    Sending,
    /// Accepted by a gateway.
    Sent,
    /// Known to have arrived.
    Delivered,
    /// Given up.
    Failed,
    /// Cancelled: it, its contact or its target was switched off after the raise.
    Cancelled,
    /// Not sent: the budgets of its gateways were used up.
    Suppressed,
    /// Set aside until it is resent. Either it was claimed three times without any outcome, so it
    /// may crash the process, or its outcome is unknown at a gateway that must not repeat.
    Quarantined,
}

impl DeliveryState {
    /// All states, in the order of a delivery's life.
    pub const ALL: [Self; 8] = [
        Self::Queued,
        Self::Sending,
        Self::Sent,
        Self::Delivered,
        Self::Failed,
        Self::Cancelled,
        Self::Suppressed,
        Self::Quarantined,
    ];

    /// Returns the state as text, as in JSON and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Suppressed => "suppressed",
            Self::Quarantined => "quarantined",
        }
    }

    /// Returns true if nothing more happens unless the delivery is resent.
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Queued | Self::Sending)
    }
}

/// Error for a text that is not a delivery state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no delivery state: it is one of queued, sending, sent, delivered, failed, cancelled, suppressed, quarantined"
)]
pub struct DeliveryStateError(String);

impl FromStr for DeliveryState {
    type Err = DeliveryStateError;

    fn from_str(text: &str) -> Result<Self, DeliveryStateError> {
        let mut all = Self::ALL.into_iter();
        all.find(|state| state.as_str() == text)
            .ok_or_else(|| DeliveryStateError(text.to_owned()))
    }
}

impl fmt::Display for DeliveryState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_its_own_states() {
        for state in DeliveryState::ALL {
            assert_eq!(state.to_string().parse(), Ok(state));
            let json = serde_json::to_string(&state).unwrap();
            assert_eq!(json, format!("\"{state}\""));
        }
        assert!("done".parse::<DeliveryState>().is_err());
    }
}
