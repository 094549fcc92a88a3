//! The configured gateways, and which of them serve a channel.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use crate::guarded::Guarded;
use crate::{
    Address, AddressError, Budget, Channel, ChannelKind, Lane, RetrySchedule, SenderError, Slug,
};

/// A configured, named instance of a channel.
#[derive(Clone, Debug)]
pub struct Gateway {
    /// How it is called in configuration, logs and callbacks.
    pub name: Slug,
    /// What it is in the configuration, such as `smtp`; elsewhere the name of its channel.
    pub type_name: String,
    /// What sends.
    pub channel: Arc<dyn Channel>,
    /// How much it is given at once.
    pub limits: Limits,
    /// When what it could not take is tried again.
    pub schedule: RetrySchedule,
    /// The beginnings of the addresses it is used for, such as `+44`; all when there is none.
    pub prefixes: Vec<String>,
    /// The senders that messages may choose; any that the channel allows when there is none.
    pub senders: Vec<String>,
    /// How much may be sent through it.
    pub budget: Budget,
    /// What is done with a message of unknown outcome.
    pub on_unknown: OnUnknown,
    /// How long a receipt is waited for before the message goes through another gateway as well;
    /// `None` for ever.
    pub receipt_timeout: Option<Duration>,
}

/// What is done with a message of unknown outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnUnknown {
    /// It is sent again, and may arrive twice.
    #[default]
    Resend,
    /// It is set aside until somebody resends it, or a receipt says that it arrived. A gateway that
    /// knows a repeat when it sees one gets it again all the same.
    Hold,
}

/// How much a gateway is given at once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// How many messages may be under way at once, per host where hosts fail apart.
    pub concurrency: u32,
    /// How many messages may start in a second; `None` for no bound.
    pub per_second: Option<f64>,
    /// When a hand-over is given up with its outcome unknown, should the channel not end it itself: a
    /// little longer than the channel's own timeout.
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
            type_name: channel.kind().to_string(),
            channel: Arc::new(channel),
            limits: Limits::default(),
            schedule: RetrySchedule::patient(),
            prefixes: Vec::new(),
            senders: Vec::new(),
            budget: Budget::default(),
            on_unknown: OnUnknown::default(),
            receipt_timeout: None,
        }
    }

    /// What it can, in a word or two each.
    pub fn abilities(&self) -> impl Iterator<Item = &'static str> {
        let can = self.channel.capabilities();
        let all = [
            (can.receipts, "receipts"),
            (can.inbound, "replies"),
            (can.sender, "senders"),
            (can.subject, "subjects"),
            (can.batch > 1, "batches"),
            (can.idempotent, "knows repeats"),
        ];
        all.into_iter()
            .filter_map(|(can, word)| can.then_some(word))
    }

    /// Whether it is used for this address.
    pub fn serves(&self, address: &Address) -> bool {
        is_for(&self.prefixes, address)
    }

    /// Whether a message may say that it comes from this sender.
    ///
    /// # Errors
    ///
    /// [`SenderError`] says what is allowed.
    pub fn check_sender(&self, sender: &str) -> Result<(), SenderError> {
        if !self.senders.is_empty() && !self.senders.iter().any(|allowed| allowed == sender) {
            let reason = format!("it is one of {}", self.senders.join(", "));
            return Err(SenderError::new(reason));
        }
        self.channel.check_sender(sender)
    }

    /// The shortest lease that is safe with it: two hand-overs, and time to record their outcomes.
    pub fn shortest_lease(&self) -> Duration {
        const RECORDING: Duration = Duration::from_secs(2);
        self.limits.deadline.saturating_mul(2) + RECORDING
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

/// Whether what is used for addresses that begin so is used for this one.
pub(crate) fn is_for(beginnings: &[String], address: &Address) -> bool {
    // A user name must not pass for the host: https://hooks.example.org@elsewhere.example/
    let address = address.without_userinfo();
    let begins = |beginning: &String| address.starts_with(&**beginning);
    beginnings.is_empty() || beginnings.iter().any(begins)
}

/// Every configured gateway. Those of one channel are an ordered list: the first that works is used.
/// Cheap to clone; clones are the same list.
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
        /// The shortest that is allowed.
        least: Duration,
    },
}

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

    /// Those that serve an address, first choice first.
    pub fn serving<'a>(
        &'a self,
        channel: &'a ChannelKind,
        address: &'a Address,
    ) -> impl Iterator<Item = &'a Arc<Gateway>> {
        let gateways = self.of(channel.as_str());
        gateways.filter(|gateway| gateway.serves(address))
    }

    /// The lane of an address; `None` when no gateway serves it.
    pub fn lane(&self, channel: &ChannelKind, address: &Address) -> Option<Lane> {
        let gateway = self.serving(channel, address).next()?;
        Some(Lane::new(channel, gateway.channel.host(address).as_deref()))
    }

    /// Brings an address into the normal form of its channel: by the first gateway that accepts the
    /// address and is used for it. Gateways may differ in what they accept, as webhooks do in the
    /// networks they may reach.
    ///
    /// # Errors
    ///
    /// [`AddressError`] when no gateway serves the channel, or when none of its gateways accepts the
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
