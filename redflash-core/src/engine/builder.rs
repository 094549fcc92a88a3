//! The builder of an engine.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::{Clock, IntoClock, SystemClock};
use crate::dispatcher::Dispatcher;
use crate::engine::{BuildError, Engine, Settings};
use crate::gateway::{Gateway, Gateways};
use crate::message::Raise;
use crate::model::{Address, AddressError, ChannelKind, Slug};
use crate::store::Store;

/// Parses an address into the normal form of a channel, whichever gateway serves it.
pub type AddressRules = fn(&ChannelKind, &str) -> Result<Address, AddressError>;

/// Builds an [`Engine`].
#[derive(Debug)]
#[must_use]
pub struct EngineBuilder {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    gateways: Vec<Gateway>,
    max_queued: u64,
    max_content: usize,
    lease: Duration,
    alarm_contact: Option<Slug>,
    inbound_event: Option<Slug>,
    address_rules: Option<AddressRules>,
    notification_pages: Option<String>,
    premium_prefixes: Vec<String>,
}

impl EngineBuilder {
    /// Default limit on queued deliveries, beyond which raises are refused.
    pub const MAX_QUEUED: u64 = 1_000_000;

    /// Default length of a lease.
    pub const LEASE: Duration = Duration::from_secs(120);

    /// Default prefixes of premium-rate phone numbers: the international service (ITU-T
    /// E.169.2), and the national ones: 900 in North America, 09 in Britain, 0900 in Germany, 0900,
    /// 0901 and 0906 in Switzerland, 089 in France, 190 in Australia.
    pub const PREMIUM_PREFIXES: [&str; 9] = [
        "+979", "+1900", "+449", "+49900", "+41900", "+41901", "+41906", "+3389", "+61190",
    ];

    pub(super) fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            clock: Arc::new(SystemClock),
            gateways: Vec::new(),
            max_queued: Self::MAX_QUEUED,
            max_content: Raise::MAX_CONTENT,
            lease: Self::LEASE,
            alarm_contact: None,
            inbound_event: None,
            address_rules: None,
            notification_pages: None,
            premium_prefixes: Self::PREMIUM_PREFIXES.map(str::to_owned).to_vec(),
        }
    }

    /// Adds a gateway. Those of one channel are tried in the order they were added.
    pub fn gateway(mut self, gateway: Gateway) -> Self {
        self.gateways.push(gateway);
        self
    }

    /// Adds gateways.
    pub fn gateways(mut self, gateways: impl IntoIterator<Item = Gateway>) -> Self {
        self.gateways.extend(gateways);
        self
    }

    /// Takes the time from another clock than the machine's.
    ///
    /// * `clock` - a clock, an `Arc` of one, or an `Arc<dyn Clock>`.
    pub fn clock(mut self, clock: impl IntoClock) -> Self {
        self.clock = clock.into_clock();
        self
    }

    /// Sets the limit on queued deliveries, beyond which raises are refused.
    pub const fn max_queued(mut self, max_queued: u64) -> Self {
        self.max_queued = max_queued;
        self
    }

    /// Sets the largest text or arguments of an alert, in bytes. The default is
    /// [`MAX_CONTENT`](Raise::MAX_CONTENT).
    pub const fn max_content(mut self, bytes: usize) -> Self {
        self.max_content = bytes;
        self
    }

    /// Sets the length of a delivery's lease: at least [`shortest_lease`](Gateway::shortest_lease)
    /// of every gateway. Leases are renewed while their holder lives, so others wait for one only
    /// if a node hangs without ending.
    pub const fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// Sets the contact to notify when a gateway has stopped or nearly used up its budget. The
    /// alarm goes through other channels than the gateway's.
    pub fn alarm_contact(mut self, contact: Option<Slug>) -> Self {
        self.alarm_contact = contact;
        self
    }

    /// Sets the event to raise for an inbound message. Its arguments are `text`, `from`, `contact`,
    /// `gateway`, `channel` and, if the message is known to be a reply, `answers`.
    pub fn inbound_event(mut self, event: Option<Slug>) -> Self {
        self.inbound_event = event;
        self
    }

    /// Sets the parser for addresses of channels that no gateway serves. Without it they are
    /// refused.
    pub const fn address_rules(mut self, rules: AddressRules) -> Self {
        self.address_rules = Some(rules);
        self
    }

    /// Sets the URL below which each notification has its page, such as
    /// `https://alerts.example.org/admin/log/`. Messages carry the page as their
    /// [link](crate::message::OutboundMessage::link).
    pub fn notification_pages(mut self, url: Option<String>) -> Self {
        self.notification_pages = url;
        self
    }

    /// Replaces the [`PREMIUM_PREFIXES`](Self::PREMIUM_PREFIXES). An `sms` address with such a
    /// prefix is refused when it is saved or a gateway is tested with it.
    pub fn premium_prefixes(mut self, prefixes: impl IntoIterator<Item = String>) -> Self {
        self.premium_prefixes = prefixes.into_iter().collect();
        self
    }

    /// Builds the engine. It raises from now on, and sends once it is [started](Engine::start).
    ///
    /// # Errors
    ///
    /// [`BuildError::DuplicateGateway`] when two gateways have one name, and
    /// [`BuildError::ShortLease`] when a lease could end during a hand-over.
    pub fn build(self) -> Result<Engine, BuildError> {
        let gateways = Gateways::new(self.gateways)?;
        gateways.check_lease(self.lease)?;
        let settings = Settings {
            gateways,
            alarm_contact: self.alarm_contact,
            inbound_event: self.inbound_event,
        };
        let dispatcher = Dispatcher::new(self.store, self.clock, settings, self.lease)
            .with_notification_pages(self.notification_pages);
        Ok(Engine {
            dispatcher: Arc::new(dispatcher),
            max_queued: self.max_queued,
            max_content: self.max_content,
            address_rules: self.address_rules,
            premium_prefixes: self.premium_prefixes,
        })
    }
}
