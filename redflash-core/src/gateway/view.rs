//! Views of gateways for display, without secrets.

use serde::{Deserialize, Serialize};

use super::serves;
use crate::clock::Timestamp;
use crate::gateway::{
    Authenticity, Budget, Callback, Gateway, GatewayHealth, GatewayStatus, GatewayStatuses,
};
use crate::model::{Address, ChannelKind, Slug};

/// A gateway in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatewayView {
    /// Name.
    pub name: Slug,
    /// Type in the configuration.
    #[serde(rename = "type")]
    pub type_name: String,
    /// Channel that it serves.
    pub channel: ChannelKind,
    /// Prefixes of the addresses it serves; all addresses if empty.
    pub prefixes: Vec<String>,
    /// State of the gateway, and the reason if it gets no messages.
    #[serde(flatten)]
    pub status: GatewayStatus,
    /// Abilities, in a word or two each.
    pub features: Vec<String>,
}

/// A gateway in detail.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GatewayDetails {
    /// The fields of the list.
    #[serde(flatten)]
    pub gateway: GatewayView,
    /// State in each lane in which it was used lately, at most [`LANES`](Self::LANES), closed lanes
    /// first.
    #[serde(default)]
    pub lanes: Vec<GatewayHealth>,
    /// The maximum number of messages under way at once.
    pub concurrency: u32,
    /// The maximum number of messages started per second; `None` for no limit.
    pub per_second: Option<f64>,
    /// Senders that messages may choose; any that the channel allows if empty.
    pub senders: Vec<String>,
    /// Limits on the number of messages.
    pub budget: Budget,
    /// URL for its receipts, if it sends any; for people.
    pub receipts: Option<String>,
    /// URL for replies, if it passes any on; for people.
    pub replies: Option<String>,
}

/// The base of callback URLs.
#[derive(Clone, Copy, Debug)]
pub struct Callbacks<'a> {
    /// URL of the server as gateways see it.
    pub public_url: Option<&'a str>,
    /// True if the gateway has a secret in the path of its URLs.
    pub has_secret: bool,
}

impl GatewayView {
    /// Creates the view of a gateway with its status.
    pub fn new(gateway: &Gateway, status: GatewayStatus) -> Self {
        Self {
            name: gateway.name.clone(),
            type_name: gateway.type_name.clone(),
            channel: gateway.channel.kind(),
            prefixes: gateway.prefixes.clone(),
            status,
            features: gateway.abilities().map(str::to_owned).collect(),
        }
    }

    /// Returns true if it serves this address of this channel.
    pub fn serves(&self, channel: &ChannelKind, address: &Address) -> bool {
        self.channel == *channel && serves(&self.prefixes, address)
    }
}

impl GatewayDetails {
    /// The maximum number of lanes that are shown.
    pub const LANES: usize = 50;

    /// Creates the view of a gateway with its status and its lanes.
    pub fn new(gateway: &Gateway, statuses: &GatewayStatuses, callbacks: Callbacks<'_>) -> Self {
        Self {
            gateway: GatewayView::new(gateway, statuses.of(gateway)),
            lanes: statuses
                .lanes(&gateway.name)
                .into_iter()
                .take(Self::LANES)
                .collect(),
            concurrency: gateway.limits.concurrency,
            per_second: gateway.limits.per_second,
            senders: gateway.senders.clone(),
            budget: gateway.budget,
            receipts: callbacks.receipts(gateway),
            replies: callbacks.replies(gateway),
        }
    }
}

impl Callbacks<'_> {
    /// Returns the URL for a gateway's receipts, without its secret, or a note that they are not
    /// accepted; `None` if it sends none.
    pub fn receipts(&self, gateway: &Gateway) -> Option<String> {
        let can = gateway.channel.capabilities();
        can.receipts.then(|| self.url(gateway, "ack"))
    }

    /// Returns the URL for the replies that a gateway passes on, likewise.
    pub fn replies(&self, gateway: &Gateway) -> Option<String> {
        let can = gateway.channel.capabilities();
        can.inbound.then(|| self.url(gateway, "inbound"))
    }

    fn url(&self, gateway: &Gateway, path: &str) -> String {
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
            (false, false) => "not accepted: the gateway has no callback_secret".to_owned(),
        }
    }
}
