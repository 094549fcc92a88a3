//! Deliveries as the API shows them.

use redflash_core::clock::Timestamp;
use redflash_core::delivery::{AttemptOutcome, DeliveryState, Lane};
use redflash_core::message::Price;
use redflash_core::model::{Address, ChannelKind, DeliveryId, EndpointId, NotificationId, Slug};
use redflash_core::store::DeliveryRecord;
use schemars::JsonSchema;
use serde::Serialize;

use crate::api::openapi::value;

/// A message to one endpoint.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Delivery {
    #[schemars(with = "value::Id")]
    id: DeliveryId,
    #[schemars(with = "value::Id")]
    notification: NotificationId,
    #[schemars(with = "value::Slug")]
    contact: Slug,
    #[schemars(with = "value::Id")]
    endpoint: EndpointId,
    #[schemars(with = "value::Channel")]
    channel: ChannelKind,
    /// Address at the time of the raise.
    #[schemars(with = "String")]
    address: Address,
    /// Groups through which the contact is notified.
    #[schemars(with = "Vec<value::Slug>")]
    via: Vec<Slug>,
    /// Queue of the delivery: its channel, or one host of the channel.
    #[schemars(with = "String")]
    lane: Lane,
    #[schemars(with = "value::DeliveryState")]
    state: DeliveryState,
    /// Number of attempts.
    attempts: u32,
    /// Time of the next attempt, or of the end of the delivery.
    #[schemars(with = "value::Time")]
    due_at: Timestamp,
    /// Time of the end; null while the delivery continues.
    #[schemars(with = "Option<value::Time>")]
    ended_at: Option<Timestamp>,
    #[schemars(with = "Option<value::Time>")]
    first_attempt_at: Option<Timestamp>,
    /// Gateway of the last attempt.
    #[schemars(with = "Option<value::Slug>")]
    gateway: Option<Slug>,
    /// The gateway's id of the message.
    message_id: Option<String>,
    /// Number of parts in which the message was sent.
    parts: Option<u32>,
    /// Price in the gateway's currency, if known.
    #[schemars(with = "Option<String>", extend("examples" = ["0.0333"]))]
    price: Option<Price>,
    /// Explanation of the state, for people.
    detail: String,
    /// True if an earlier attempt may have arrived before it was repeated.
    may_repeat: bool,
    /// Gateways that are not tried again.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<value::Slug>")]
    refused_by: Vec<Slug>,
    /// Time at which another gateway is tried unless a receipt arrives.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "value::Time")]
    receipt_due_at: Option<Timestamp>,
    /// The gateway's ids of the parts that were delivered.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parts_delivered: Vec<String>,
}

/// A delivery with all of its attempts.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct DeliveryWithAttempts {
    #[serde(flatten)]
    delivery: Delivery,
    /// Attempts in chronological order.
    attempts_made: Vec<Attempt>,
}

/// An attempt to hand a delivery to a gateway.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Attempt {
    /// Number of the attempt, counted from 1.
    number: u32,
    /// Null if the server stopped before the gateway was recorded.
    #[schemars(with = "Option<value::Slug>")]
    gateway: Option<Slug>,
    #[schemars(with = "value::Time")]
    started_at: Timestamp,
    #[schemars(with = "value::Time")]
    ended_at: Timestamp,
    #[schemars(with = "value::AttemptOutcome")]
    outcome: AttemptOutcome,
    /// Response of the gateway, or the error.
    detail: String,
    /// True if an earlier attempt may have arrived.
    may_repeat: bool,
}

impl From<redflash_core::delivery::Delivery> for Delivery {
    fn from(delivery: redflash_core::delivery::Delivery) -> Self {
        Self {
            ended_at: delivery.ended_at(),
            id: delivery.id,
            notification: delivery.notification,
            contact: delivery.contact,
            endpoint: delivery.endpoint,
            channel: delivery.channel,
            address: delivery.address,
            via: delivery.via,
            lane: delivery.lane,
            state: delivery.state,
            attempts: delivery.attempts,
            due_at: delivery.due_at,
            first_attempt_at: delivery.first_attempt_at,
            gateway: delivery.gateway,
            message_id: delivery.message_id,
            parts: delivery.parts,
            price: delivery.price,
            detail: delivery.detail,
            may_repeat: delivery.may_repeat,
            refused_by: delivery.refused_by,
            receipt_due_at: delivery.receipt_due_at,
            parts_delivered: delivery.parts_delivered,
        }
    }
}

impl From<DeliveryRecord> for DeliveryWithAttempts {
    fn from(record: DeliveryRecord) -> Self {
        Self {
            delivery: record.delivery.into(),
            attempts_made: record.attempts_made.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<redflash_core::delivery::Attempt> for Attempt {
    fn from(attempt: redflash_core::delivery::Attempt) -> Self {
        Self {
            number: attempt.number,
            gateway: attempt.gateway,
            started_at: attempt.started_at,
            ended_at: attempt.ended_at,
            outcome: attempt.outcome,
            detail: attempt.detail,
            may_repeat: attempt.may_repeat,
        }
    }
}
