//! How the gateways are, in a word each.

use std::sync::Arc;

use redflash_core::{Engine, Gateway, GatewayHealth, GatewayState, Health, Slug, Timestamp};
use serde::Serialize;

/// Whether messages are handed to a gateway: words, and the class of their badge.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct State {
    pub(super) class: &'static str,
    pub(super) word: String,
}

/// A gateway, and how it is.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct GatewayRow {
    url: String,
    name: String,
    channel: String,
    state: State,
    /// When it is tried again.
    until: Option<Timestamp>,
}

/// Every gateway, in the order of the configuration.
pub(super) fn rows(engine: &Engine, health: &Health) -> Vec<GatewayRow> {
    let gateways = engine.gateways();
    let gateways = gateways.iter().map(Arc::as_ref);
    gateways.map(|gateway| row(gateway, health)).collect()
}

fn row(gateway: &Gateway, health: &Health) -> GatewayRow {
    let (state, until) = of(&gateway.name, &health.stopped, &health.gateways);
    GatewayRow {
        url: format!("/admin/gateways/{}", gateway.name),
        name: gateway.name.to_string(),
        channel: gateway.channel.kind().to_string(),
        state,
        until,
    }
}

/// How a gateway is, and when it is tried again if nothing is handed to it.
pub(super) fn of(
    name: &Slug,
    stopped: &[Slug],
    health: &[GatewayHealth],
) -> (State, Option<Timestamp>) {
    let lanes = health.iter().filter(|lane| lane.gateway == *name);
    let states: Vec<_> = lanes.map(|lane| lane.state).collect();
    let open = states.iter().filter_map(|state| match state {
        GatewayState::Open { until } => Some(*until),
        _ => None,
    });
    let open: Vec<_> = open.collect();
    let state = |class, word: &str| State {
        class,
        word: word.to_owned(),
    };
    let until = open.iter().min().copied();
    match open.len() {
        _ if stopped.contains(name) => (state("failed", "has stopped"), until),
        0 if states.contains(&GatewayState::Probing) => (state("sending", "is tried again"), None),
        0 => (state("on", "works"), None),
        // A webhook's other hosts know nothing of one that is down.
        count if count < states.len() => {
            let word = format!("pauses for {count} of {} hosts", states.len());
            (state("suppressed", &word), None)
        }
        _ => (state("suppressed", "pauses"), until),
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use redflash_core::{
        Accepted, Address, AddressError, Channel, ChannelKind, Lane, OutboundMessage, SendError,
    };

    use super::*;

    #[derive(Debug)]
    struct Pager;

    #[async_trait]
    impl Channel for Pager {
        fn kind(&self) -> ChannelKind {
            ChannelKind::parse("pager").unwrap()
        }

        fn parse_address(&self, raw: &str) -> Result<Address, AddressError> {
            Address::new(raw)
        }

        async fn send(&self, _: &OutboundMessage) -> Result<Accepted, SendError> {
            Ok(Accepted::new(None))
        }
    }

    fn said(states: &[GatewayState], stopped: &[&str]) -> (&'static str, String) {
        let gateway = Gateway::new("pager".parse().unwrap(), Pager);
        let lane = |state: &GatewayState| GatewayHealth {
            gateway: gateway.name.clone(),
            lane: Lane::new(&gateway.channel.kind(), None),
            state: *state,
            in_flight: 0,
        };
        let health = Health {
            running: true,
            moved_at: None,
            queued: 0,
            nodes: 1,
            gateways: states.iter().map(lane).collect(),
            stopped: stopped.iter().map(|name| name.parse().unwrap()).collect(),
        };
        let row = row(&gateway, &health);
        (row.state.class, row.state.word)
    }

    #[test]
    fn a_gateway_says_how_it_is() {
        let open = GatewayState::Open {
            until: Timestamp::from_millis(5),
        };
        let (closed, probing) = (GatewayState::Closed, GatewayState::Probing);
        for (states, stopped, class, word) in [
            (&[][..], &[][..], "on", "works"),
            (&[closed], &["other"], "on", "works"),
            (
                &[closed, open],
                &[],
                "suppressed",
                "pauses for 1 of 2 hosts",
            ),
            (&[open], &[], "suppressed", "pauses"),
            (&[probing], &[], "sending", "is tried again"),
            (&[closed], &["pager"], "failed", "has stopped"),
        ] {
            assert_eq!(said(states, stopped), (class, word.to_owned()));
        }
    }
}
