//! How the gateways are, in a word each.

use std::sync::Arc;

use redflash_core::{Engine, Gateway, GatewayState, Health, Timestamp};
use serde::Serialize;

/// A gateway, and how it is.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct GatewayRow {
    url: String,
    name: String,
    channel: String,
    /// `works`.
    state: String,
    /// When it is tried again.
    until: Option<Timestamp>,
    is_well: bool,
}

/// Every gateway, in the order of the configuration.
pub(super) fn rows(engine: &Engine, health: &Health) -> Vec<GatewayRow> {
    let gateways = engine.gateways().iter().map(Arc::as_ref);
    gateways.map(|gateway| row(gateway, health)).collect()
}

fn row(gateway: &Gateway, health: &Health) -> GatewayRow {
    let lanes = health
        .gateways
        .iter()
        .filter(|lane| lane.gateway == gateway.name);
    let states: Vec<_> = lanes.map(|lane| lane.state).collect();
    let open = states.iter().filter_map(|state| match state {
        GatewayState::Open { until } => Some(*until),
        _ => None,
    });
    let open: Vec<_> = open.collect();
    let is_probing = states.contains(&GatewayState::Probing);
    let (state, is_well) = match open.len() {
        _ if health.stopped.contains(&gateway.name) => ("stopped".to_owned(), false),
        0 if is_probing => ("tried again now".to_owned(), false),
        0 if states.is_empty() => ("ready".to_owned(), true),
        0 => ("works".to_owned(), true),
        // A webhook's other hosts know nothing of one that is down.
        count if count < states.len() => (
            format!("works, but for {count} of {} hosts", states.len()),
            true,
        ),
        _ => ("rests: too much failed".to_owned(), false),
    };
    GatewayRow {
        url: format!("/admin/gateways/{}", gateway.name),
        name: gateway.name.to_string(),
        channel: gateway.channel.kind().to_string(),
        until: open.into_iter().min().filter(|_| !is_well),
        state,
        is_well,
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use redflash_core::{
        Accepted, Address, AddressError, Channel, ChannelKind, GatewayHealth, Lane,
        OutboundMessage, SendError,
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

    fn said(states: &[GatewayState], stopped: &[&str]) -> (String, bool) {
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
        (row.state, row.is_well)
    }

    #[test]
    fn a_gateway_says_how_it_is() {
        let open = GatewayState::Open {
            until: Timestamp::from_millis(5),
        };
        let (closed, probing) = (GatewayState::Closed, GatewayState::Probing);
        for (states, stopped, text, is_well) in [
            (&[][..], &[][..], "ready", true),
            (&[closed], &["other"], "works", true),
            (&[closed, open], &[], "works, but for 1 of 2 hosts", true),
            (&[open], &[], "rests: too much failed", false),
            (&[probing], &[], "tried again now", false),
            (&[closed], &["pager"], "stopped", false),
        ] {
            assert_eq!(said(states, stopped), (text.to_owned(), is_well));
        }
    }
}
