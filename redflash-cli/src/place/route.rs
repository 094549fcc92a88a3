//! Which gateways serve which addresses.

use std::sync::Arc;

use redflash_core::{Address, ChannelKind, Engine, Gateway, GatewayStatus, GatewayView};

use super::{At, Place};
use crate::failure::Failure;

/// The gateways with the addresses they serve, in the order in which they are tried.
#[derive(Debug)]
pub(crate) struct Routes(Vec<GatewayView>);

impl Routes {
    /// Those of an engine.
    pub(crate) fn of(engine: &Engine) -> Self {
        let gateways = engine.gateways();
        let view = |one: &Arc<Gateway>| GatewayView::new(one, GatewayStatus::default());
        Self(gateways.iter().map(view).collect())
    }

    /// The gateways that serve an address, in words.
    pub(crate) fn through(&self, channel: &ChannelKind, address: &Address) -> String {
        let serving = self.0.iter().filter(|one| one.serves(channel, address));
        let names: Vec<_> = serving.map(|route| route.name.as_str()).collect();
        names.join(", else ")
    }

    /// Whether a gateway serves a channel.
    pub(crate) fn serve(&self, channel: &ChannelKind) -> bool {
        self.0.iter().any(|route| route.channel == *channel)
    }
}

impl Place {
    /// Which gateways serve which addresses.
    pub(crate) async fn routes(&self) -> Result<Routes, Failure> {
        match &self.at {
            At::Here(here) => Ok(Routes::of(here.engine().await?)),
            At::Server(api) => Ok(Routes(api.all("gateways", &[]).await?)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gateways_of_an_address_are_named_in_their_order() {
        let route = |name: &str, channel: &str, beginnings: &[&str]| GatewayView {
            name: name.parse().unwrap(),
            channel: channel.parse().unwrap(),
            used_for: beginnings.iter().map(ToString::to_string).collect(),
            type_name: "exec".to_owned(),
            status: GatewayStatus::default(),
            can: Vec::new(),
        };
        let routes = Routes(vec![
            route("uk", "sms", &["+44"]),
            route("mail", "email", &[]),
            route("world", "sms", &[]),
        ]);
        let sms = ChannelKind::sms();
        let through = |address: &str| routes.through(&sms, &Address::new(address).unwrap());
        assert_eq!(through("+447700900123"), "uk, else world");
        assert_eq!(through("+491700900123"), "world");
        assert_eq!(
            routes.through(&"x".parse().unwrap(), &Address::new("a").unwrap()),
            ""
        );
    }
}
