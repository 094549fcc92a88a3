//! The configured gateways, and which of them serve a channel.

use std::sync::Arc;
use std::time::Duration;

use crate::{Address, AddressError, Channel, ChannelKind, Lane, RetrySchedule, Slug};

/// A configured, named instance of a channel.
#[derive(Clone, Debug)]
pub struct Gateway {
    /// How it is called in configuration, logs and callbacks.
    pub name: Slug,
    /// What sends.
    pub channel: Arc<dyn Channel>,
    /// How much it is given at once.
    pub limits: Limits,
    /// When what it could not take is tried again.
    pub schedule: RetrySchedule,
}

/// How much a gateway is given at once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// How many messages may be under way at once, per host where hosts fail apart.
    pub concurrency: u32,
    /// How many messages may start in a second; `None` for no bound.
    pub per_second: Option<f64>,
    /// When a hand-over is given up with its outcome unknown, should the channel not end it itself.
    pub deadline: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            concurrency: 32,
            per_second: None,
            deadline: Duration::from_secs(30),
        }
    }
}

impl Gateway {
    /// A gateway with ordinary limits and the patient retry schedule.
    pub fn new(name: Slug, channel: impl Channel) -> Self {
        Self {
            name,
            channel: Arc::new(channel),
            limits: Limits::default(),
            schedule: RetrySchedule::patient(),
        }
    }

    /// The gateway with other limits.
    #[must_use]
    pub const fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The gateway with another retry schedule.
    #[must_use]
    pub fn with_schedule(mut self, schedule: RetrySchedule) -> Self {
        self.schedule = schedule;
        self
    }
}

/// Every configured gateway. Those of one channel are an ordered list: the first that works is used.
#[derive(Clone, Debug, Default)]
pub struct Gateways(Vec<Arc<Gateway>>);

/// Two gateways of one name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("two gateways are called {0}: give each its own name")]
pub struct DuplicateGateway(pub Slug);

impl Gateways {
    /// The gateways in their order.
    ///
    /// # Errors
    ///
    /// [`DuplicateGateway`] when two have one name.
    pub fn new(gateways: impl IntoIterator<Item = Gateway>) -> Result<Self, DuplicateGateway> {
        let mut all = Self::default();
        for gateway in gateways {
            if all.get(&gateway.name).is_some() {
                return Err(DuplicateGateway(gateway.name));
            }
            all.0.push(Arc::new(gateway));
        }
        Ok(all)
    }

    /// The gateway of this name.
    pub fn get(&self, name: &Slug) -> Option<&Arc<Gateway>> {
        self.0.iter().find(|gateway| gateway.name == *name)
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Gateway>> {
        self.0.iter()
    }

    /// Those that serve a channel, first choice first.
    pub fn of<'a>(&'a self, channel: &'a str) -> impl Iterator<Item = &'a Arc<Gateway>> {
        let serves = move |gateway: &&Arc<Gateway>| gateway.channel.kind().as_str() == channel;
        self.0.iter().filter(serves)
    }

    /// The lane of an address; `None` when no gateway serves its channel.
    pub fn lane(&self, channel: &ChannelKind, address: &Address) -> Option<Lane> {
        let gateway = self.of(channel.as_str()).next()?;
        Some(Lane::new(channel, gateway.channel.host(address).as_deref()))
    }

    /// Brings an address into the normal form of its channel.
    ///
    /// # Errors
    ///
    /// [`AddressError`] when no gateway serves the channel, or when the channel refuses the address.
    pub fn parse_address(&self, channel: &ChannelKind, raw: &str) -> Result<Address, AddressError> {
        let gateway = self.of(channel.as_str()).next().ok_or_else(|| {
            AddressError::new(format!(
                "no gateway is configured for the channel {channel}"
            ))
        })?;
        gateway.channel.parse_address(raw)
    }
}
