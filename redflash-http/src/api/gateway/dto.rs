//! Gateways as the API shows them.

use redflash_core::clock::Timestamp;
use redflash_core::delivery::Lane;
use redflash_core::engine::GatewayTestView;
use redflash_core::gateway::{GatewayDetails, GatewayHealth, GatewayState, GatewayView};
use redflash_core::message::Price;
use redflash_core::model::{ChannelKind, NotificationId, Slug};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::alert;
use crate::api::extract::json_body::Optional;
use crate::api::openapi::value;
use crate::api::page::Listed;

/// A gateway that sends messages.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct GatewaySummary {
    #[schemars(with = "value::Slug")]
    name: Slug,
    /// Type in the configuration.
    #[serde(rename = "type")]
    #[schemars(extend("examples" = ["smtp"]))]
    type_name: String,
    #[schemars(with = "value::Channel")]
    channel: ChannelKind,
    /// Prefixes of the addresses that use the gateway; all addresses if empty.
    prefixes: Vec<String>,
    /// State of the gateway as a whole. One unavailable host of many does not affect it.
    #[schemars(with = "value::GatewayState")]
    state: GatewayState,
    /// Start of the state; null while it is `ok`.
    #[schemars(with = "Option<value::Time>")]
    since: Option<Timestamp>,
    /// Error that keeps messages from the gateway, or why it rejects some of them.
    last_error: Option<String>,
    /// Time at which the next message is sent.
    #[schemars(with = "Option<value::Time>")]
    next_try_at: Option<Timestamp>,
    /// Number of deliveries queued on the channel.
    waiting: u64,
    /// Capabilities, in a word or two each.
    #[schemars(extend("examples" = [["receipts", "replies"]]))]
    features: Vec<String>,
}

/// A gateway with its lanes and limits.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Gateway {
    #[serde(flatten)]
    summary: GatewaySummary,
    /// State in each recently used lane, at most 50.
    lanes: Vec<GatewayLane>,
    /// Maximum number of concurrent messages.
    #[schemars(range(min = 1))]
    concurrency: u32,
    /// Maximum number of messages per second; null for no limit.
    per_second: Option<f64>,
    /// Senders that messages may select; any that the channel allows if empty.
    senders: Vec<String>,
    budget: Budget,
    /// URL that receives delivery receipts, for people.
    receipts: Option<String>,
    /// URL that receives replies, for people.
    replies: Option<String>,
}

/// Maximum numbers of messages through a gateway; null for no limit.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Budget {
    per_hour: Option<u32>,
    per_day: Option<u32>,
    /// To one address.
    address_per_hour: Option<u32>,
    /// To one address.
    address_per_day: Option<u32>,
    /// Percentage of a limit at which an alarm is raised.
    alarm_percent: u32,
}

/// State of a gateway in one lane.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "GatewayHealth", deny_unknown_fields)]
pub(crate) struct GatewayLane {
    #[schemars(with = "value::Slug")]
    gateway: Slug,
    /// Channel, followed by the host if hosts fail separately.
    #[schemars(with = "String")]
    lane: Lane,
    /// Host, if hosts fail separately.
    host: Option<String>,
    #[schemars(with = "value::GatewayState")]
    state: GatewayState,
    /// Start of the state; null while it is `ok`.
    #[schemars(with = "Option<value::Time>")]
    since: Option<Timestamp>,
    /// Error that keeps messages from the gateway.
    last_error: Option<String>,
    /// Time at which the next message is sent.
    #[schemars(with = "Option<value::Time>")]
    next_try_at: Option<Timestamp>,
    /// Number of messages being sent.
    in_flight: u32,
}

/// A test of a gateway.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewGatewayTest {
    #[schemars(with = "value::Address")]
    pub(super) to: String,
    /// Text of the test message.
    #[serde(default)]
    #[schemars(extend(
        "minLength" = 1,
        "pattern" = r"[^\s\u0000-\u001f\u007f-\u009f]",
        "default" = alert::GATEWAY_TEST_MESSAGE,
    ))]
    pub(super) message: Optional<String>,
}

/// Result of a gateway test.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct GatewayTest {
    /// Notification of the test, which shows later receipts.
    #[schemars(with = "value::Id")]
    pub(super) notification: NotificationId,
    /// Outcome: accepted, or the type of error.
    #[schemars(extend("enum" = [
        "accepted",
        "rejected",
        "invalid address",
        "no route",
        "account refused",
        "refused",
        "deferred",
        "rate limited",
        "not handed over",
        "outcome unknown",
    ]))]
    class: String,
    /// Response of the gateway, or the error.
    detail: String,
    /// Duration in milliseconds.
    took_ms: u64,
    /// The gateway's id of the message.
    message_id: Option<String>,
    /// Price, if known.
    #[schemars(with = "Option<String>")]
    price: Option<Price>,
}

impl Listed for GatewaySummary {
    const LIST: &'static str = "gateways";
    const PAGE: &'static str = "GatewayPage";
}

impl From<GatewayView> for GatewaySummary {
    fn from(gateway: GatewayView) -> Self {
        Self {
            name: gateway.name,
            type_name: gateway.type_name,
            channel: gateway.channel,
            prefixes: gateway.prefixes,
            state: gateway.status.state,
            since: gateway.status.since,
            last_error: gateway.status.last_error,
            next_try_at: gateway.status.next_try_at,
            waiting: gateway.status.waiting,
            features: gateway.features,
        }
    }
}

impl From<GatewayDetails> for Gateway {
    fn from(details: GatewayDetails) -> Self {
        Self {
            summary: details.gateway.into(),
            lanes: details.lanes.into_iter().map(Into::into).collect(),
            concurrency: details.concurrency,
            per_second: details.per_second,
            senders: details.senders,
            budget: details.budget.into(),
            receipts: details.receipts,
            replies: details.replies,
        }
    }
}

impl From<redflash_core::gateway::Budget> for Budget {
    fn from(budget: redflash_core::gateway::Budget) -> Self {
        Self {
            per_hour: budget.per_hour,
            per_day: budget.per_day,
            address_per_hour: budget.address_per_hour,
            address_per_day: budget.address_per_day,
            alarm_percent: budget.alarm_percent,
        }
    }
}

impl From<GatewayHealth> for GatewayLane {
    fn from(health: GatewayHealth) -> Self {
        Self {
            gateway: health.gateway,
            lane: health.lane,
            host: health.host,
            state: health.state,
            since: health.since,
            last_error: health.last_error,
            next_try_at: health.next_try_at,
            in_flight: health.in_flight,
        }
    }
}

impl From<GatewayTestView> for GatewayTest {
    fn from(test: GatewayTestView) -> Self {
        Self {
            notification: test.notification,
            class: test.class,
            detail: test.detail,
            took_ms: test.took_ms,
            message_id: test.message_id,
            price: test.price,
        }
    }
}
