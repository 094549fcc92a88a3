//! The gateways that serve an address.

use std::sync::Arc;

use redflash_core::Engine;
use redflash_core::gateway::{Gateway, GatewayState, GatewayStatus, GatewayView};
use redflash_core::model::{Address, ChannelKind};

use super::{Backend, Location};
use crate::error::CliError;

/// The gateways, in the order in which they are tried.
#[derive(Debug)]
pub(crate) struct GatewayRoutes(Vec<GatewayView>);

impl GatewayRoutes {
    /// Returns the gateways of an engine.
    pub(crate) async fn of(engine: &Engine) -> Result<Self, CliError> {
        let (gateways, statuses) = (engine.gateways(), engine.gateway_statuses().await?);
        let view = |one: &Arc<Gateway>| GatewayView::new(one, statuses.of(one));
        Ok(Self(gateways.iter().map(view).collect()))
    }

    /// Lists the gateways that serve an address, with the state of those that are not ok.
    pub(crate) fn through(&self, channel: &ChannelKind, address: &Address) -> String {
        let serving = self.0.iter().filter(|one| one.serves(channel, address));
        let names: Vec<_> = serving.map(describe).collect();
        names.join(", else ")
    }

    /// Returns true if a gateway serves the channel.
    pub(crate) fn serve(&self, channel: &ChannelKind) -> bool {
        self.0.iter().any(|route| route.channel == *channel)
    }
}

/// Returns the name of a gateway, with its state unless it is ok.
fn describe(gateway: &GatewayView) -> String {
    let GatewayStatus {
        state, last_error, ..
    } = &gateway.status;
    match last_error {
        _ if *state == GatewayState::Ok => gateway.name.to_string(),
        Some(error) => format!("{} ({state}: {error})", gateway.name),
        None => format!("{} ({state})", gateway.name),
    }
}

impl Backend {
    /// Returns the gateways that serve addresses.
    pub(crate) async fn routes(&self) -> Result<GatewayRoutes, CliError> {
        match &self.location {
            Location::Local(local) => GatewayRoutes::of(local.engine().await?).await,
            Location::Remote(api) => Ok(GatewayRoutes(api.all("gateways", &[]).await?)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_gateways_of_an_address_in_order() {
        let route = |name: &str, channel: &str, prefixes: &[&str]| GatewayView {
            name: name.parse().unwrap(),
            channel: channel.parse().unwrap(),
            prefixes: prefixes.iter().map(ToString::to_string).collect(),
            type_name: "exec".to_owned(),
            status: GatewayStatus::default(),
            features: Vec::new(),
        };
        let routes = GatewayRoutes(vec![
            route("uk", "sms", &["+44"]),
            route("mail", "email", &[]),
            route("world", "sms", &[]),
        ]);
        let sms = ChannelKind::sms();
        let through = |address: &str| routes.through(&sms, &Address::new(address).unwrap());
        assert_eq!(through("+447700900123"), "uk, else world");
        assert_eq!(through("+491700900123"), "world");
        let mut stopped = route("uk", "sms", &[]);
        stopped.status.state = GatewayState::Stopped;
        stopped.status.last_error = Some("no route".into());
        assert_eq!(describe(&stopped), "uk (stopped: no route)");
        assert_eq!(
            routes.through(&"x".parse().unwrap(), &Address::new("a").unwrap()),
            ""
        );
    }
}
