//! A gateway as it is shown: what it is, what it can, and where it is to call; without anything secret.

use serde::{Deserialize, Serialize};

use super::is_for;
use crate::{
    Address, Authenticity, Budget, Callback, ChannelKind, Gateway, GatewayHealth, GatewayStatus,
    GatewayStatuses, Slug, Timestamp,
};

/// A gateway in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatewayView {
    /// How it is called.
    pub name: Slug,
    /// What it is in the configuration.
    #[serde(rename = "type")]
    pub type_name: String,
    /// The channel that it serves.
    pub channel: ChannelKind,
    /// The beginnings of the addresses it is used for; all when there is none.
    pub used_for: Vec<String>,
    /// State of the gateway, and the reason if it gets no messages.
    #[serde(flatten)]
    pub status: GatewayStatus,
    /// What it can, in a word or two each.
    pub can: Vec<String>,
}

/// A gateway by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GatewayDetails {
    /// As in a list.
    #[serde(flatten)]
    pub gateway: GatewayView,
    /// The gateway as seen from each lane in which it was used lately, at most [`LANES`](Self::LANES),
    /// those first in which it takes nothing.
    #[serde(default)]
    pub lanes: Vec<GatewayHealth>,
    /// How many messages may be under way at once.
    pub at_once: u32,
    /// How many messages may start in a second; `None` for no bound.
    pub a_second: Option<f64>,
    /// The senders that messages may choose; any that the channel allows when there is none.
    pub senders: Vec<String>,
    /// How much may be sent through it.
    pub budget: Budget,
    /// Where its receipts come to, if it sends any; for people.
    pub receipts: Option<String>,
    /// Where it brings replies to, if it does; for people.
    pub replies: Option<String>,
}

/// Where the server is reached, and what lets callbacks in.
#[derive(Clone, Copy, Debug)]
pub struct Callbacks<'a> {
    /// The URL of the server as gateways see it.
    pub public_url: Option<&'a str>,
    /// Whether the gateway has a secret that stands in their path.
    pub has_secret: bool,
}

impl GatewayView {
    /// A gateway, with its status.
    pub fn new(gateway: &Gateway, status: GatewayStatus) -> Self {
        Self {
            name: gateway.name.clone(),
            type_name: gateway.type_name.clone(),
            channel: gateway.channel.kind(),
            used_for: gateway.prefixes.clone(),
            status,
            can: gateway.abilities().map(str::to_owned).collect(),
        }
    }

    /// Whether it is used for this address of this channel.
    pub fn serves(&self, channel: &ChannelKind, address: &Address) -> bool {
        self.channel == *channel && is_for(&self.used_for, address)
    }
}

impl GatewayDetails {
    /// The most lanes that are shown.
    pub const LANES: usize = 50;

    /// A gateway, with its status and its lanes.
    pub fn new(gateway: &Gateway, statuses: &GatewayStatuses, callbacks: Callbacks<'_>) -> Self {
        Self {
            gateway: GatewayView::new(gateway, statuses.of(gateway)),
            lanes: statuses
                .lanes(&gateway.name)
                .into_iter()
                .take(Self::LANES)
                .collect(),
            at_once: gateway.limits.concurrency,
            a_second: gateway.limits.per_second,
            senders: gateway.senders.clone(),
            budget: gateway.budget,
            receipts: callbacks.receipts(gateway),
            replies: callbacks.replies(gateway),
        }
    }
}

impl Callbacks<'_> {
    /// Where a gateway's receipts come to, without its secret, or that they are not believed; `None` for
    /// one that sends none.
    pub fn receipts(&self, gateway: &Gateway) -> Option<String> {
        let can = gateway.channel.capabilities();
        can.receipts.then(|| self.place(gateway, "ack"))
    }

    /// The same for where it brings replies to.
    pub fn replies(&self, gateway: &Gateway) -> Option<String> {
        let can = gateway.channel.capabilities();
        can.inbound.then(|| self.place(gateway, "inbound"))
    }

    fn place(&self, gateway: &Gateway, path: &str) -> String {
        let nothing = Callback {
            method: "POST",
            url: "",
            fields: &[],
            headers: &[],
            body: &[],
        };
        let signed = gateway.channel.authenticate(&nothing, Timestamp::default());
        let is_signed = !matches!(signed, Ok(Authenticity::Unsigned));
        let base = self.public_url.unwrap_or("http://…");
        let url = format!("{}/{path}/{}", base.trim_end_matches('/'), gateway.name);
        match (is_signed, self.has_secret) {
            (true, _) => format!("{url} (signed)"),
            (false, true) => format!("{url}/<callback_secret>"),
            (false, false) => "nowhere: the gateway has no callback_secret".to_owned(),
        }
    }
}
