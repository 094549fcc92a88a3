//! The list of configured gateways.

use std::sync::Arc;
use std::time::Duration;

use crate::delivery::Lane;
use crate::gateway::Gateway;
use crate::guarded::Guarded;
use crate::model::{Address, AddressError, ChannelKind, Slug};

/// All configured gateways. Those of one channel are an ordered list: the first that works is used.
/// Cheap to clone; clones share the list.
#[derive(Clone, Debug, Default)]
pub struct Gateways(Arc<Vec<Arc<Gateway>>>);

/// Reason why an engine cannot be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// Two gateways have one name.
    #[error(transparent)]
    DuplicateGateway(#[from] DuplicateGateway),
    /// A lease could end while a hand-over is still under way.
    #[error(
        "a lease of {lease:?} is too short for the gateway {gateway}: it must be at least {least:?}, twice its deadline and 2 s"
    )]
    ShortLease {
        /// The gateway with the longest deadline.
        gateway: Slug,
        /// The lease.
        lease: Duration,
        /// The shortest allowed lease.
        least: Duration,
    },
}

/// Two gateways of one name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("two gateways have the name {0}: names must be unique")]
pub struct DuplicateGateway(pub Slug);

impl Gateways {
    /// Creates a list of gateways, in order of preference.
    ///
    /// # Errors
    ///
    /// [`DuplicateGateway`] if two have one name.
    pub fn new(gateways: impl IntoIterator<Item = Gateway>) -> Result<Self, DuplicateGateway> {
        let mut all: Vec<Arc<Gateway>> = Vec::new();
        for mut gateway in gateways {
            if all.iter().any(|other| other.name == gateway.name) {
                return Err(DuplicateGateway(gateway.name));
            }
            gateway.channel = Arc::new(Guarded::new(gateway.channel));
            all.push(Arc::new(gateway));
        }
        Ok(Self(Arc::new(all)))
    }

    /// Checks that leases are long enough for every gateway.
    ///
    /// # Errors
    ///
    /// [`BuildError::ShortLease`] names the gateway that needs the longest.
    pub fn check_lease(&self, lease: Duration) -> Result<(), BuildError> {
        let slowest = self.0.iter().max_by_key(|gateway| gateway.limits.deadline);
        match slowest.map(|gateway| (gateway, gateway.shortest_lease())) {
            Some((gateway, shortest)) if lease < shortest => Err(BuildError::ShortLease {
                gateway: gateway.name.clone(),
                lease,
                least: shortest,
            }),
            _ => Ok(()),
        }
    }

    /// Returns the gateway with this name.
    pub fn get(&self, name: &Slug) -> Option<&Arc<Gateway>> {
        self.0.iter().find(|gateway| gateway.name == *name)
    }

    /// Returns all gateways, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Gateway>> {
        self.0.iter()
    }

    /// Returns the gateways of a channel, first choice first.
    pub fn of<'a>(&'a self, channel: &'a str) -> impl Iterator<Item = &'a Arc<Gateway>> {
        let serves = move |gateway: &&Arc<Gateway>| gateway.channel.kind().as_str() == channel;
        self.0.iter().filter(serves)
    }

    /// Returns the gateways that serve an address, first choice first.
    pub fn serving<'a>(
        &'a self,
        channel: &'a ChannelKind,
        address: &'a Address,
    ) -> impl Iterator<Item = &'a Arc<Gateway>> {
        let gateways = self.of(channel.as_str());
        gateways.filter(|gateway| gateway.serves(address))
    }

    /// Returns the lane of an address; `None` if no gateway serves it.
    pub fn lane(&self, channel: &ChannelKind, address: &Address) -> Option<Lane> {
        let gateway = self.serving(channel, address).next()?;
        Some(Lane::new(channel, gateway.channel.host(address).as_deref()))
    }

    /// Brings an address into the normal form of its channel, by the first gateway that accepts and
    /// serves it. Gateways may differ in the addresses they accept, as webhooks do in the networks
    /// they may reach.
    ///
    /// # Errors
    ///
    /// [`AddressError`] if no gateway serves the channel, or if none of its gateways accepts the
    /// address; then with the reason of the first.
    pub fn parse_address(&self, channel: &ChannelKind, raw: &str) -> Result<Address, AddressError> {
        let parse = |gateway: &Gateway| gateway.channel.parse_address(raw);
        let mut gateways = self.of(channel.as_str());
        let first = gateways.next().ok_or_else(|| {
            AddressError::new(format!(
                "no gateway is configured for the channel {channel}"
            ))
        })?;
        let parsed = parse(first);
        if parsed.as_ref().is_ok_and(|address| first.serves(address)) {
            return parsed;
        }
        let other = gateways.find_map(|gateway| {
            let address = parse(gateway).ok()?;
            gateway.serves(&address).then_some(address)
        });
        other.map_or(parsed, Ok)
    }
}
