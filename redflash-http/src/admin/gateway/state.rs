//! The states of gateways, as pages show them.

use redflash_core::Engine;
use redflash_core::clock::Timestamp;
use redflash_core::gateway::{GatewayState, GatewayStatuses};
use serde::Serialize;

use crate::admin::urls;

/// The state of a gateway: the word, and the class of its badge.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct State {
    pub(crate) class: &'static str,
    pub(crate) word: &'static str,
}

/// A gateway with its state.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct GatewayRow {
    url: String,
    name: String,
    channel: String,
    state: State,
    last_error: Option<String>,
    next_try_at: Option<Timestamp>,
}

/// Returns all gateways in the order of the configuration.
pub(crate) fn rows(engine: &Engine, statuses: &GatewayStatuses) -> Vec<GatewayRow> {
    let gateways = engine.gateways();
    let rows = gateways.iter().map(|gateway| {
        let status = statuses.of(gateway);
        GatewayRow {
            url: urls::gateway(&gateway.name),
            name: gateway.name.to_string(),
            channel: gateway.channel.kind().to_string(),
            state: State::from(status.state),
            last_error: status.last_error,
            next_try_at: status.next_try_at,
        }
    });
    rows.collect()
}

impl From<GatewayState> for State {
    fn from(state: GatewayState) -> Self {
        let class = match state {
            GatewayState::Ok => "on",
            GatewayState::Probing => "sending",
            GatewayState::Paused => "suppressed",
            GatewayState::Stopped => "failed",
        };
        let word = state.as_str();
        Self { class, word }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_the_name_of_the_state() {
        for state in GatewayState::ALL {
            assert_eq!(State::from(state).word, state.as_str());
        }
        assert_eq!(State::from(GatewayState::Stopped).class, "failed");
    }
}
