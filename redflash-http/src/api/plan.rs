//! Plans as the API shows them.

use redflash_core::model::{Address, ChannelKind, EndpointId, Name, Slug, Target};
use redflash_core::plan::{PlannedEndpoint, Refusal, Skip, Verdict};
use schemars::JsonSchema;
use serde::Serialize;

use crate::api::openapi::value;

/// Decision for a raise: the message, and the contacts that receive it or not, with the reasons.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Plan {
    #[schemars(with = "value::Target")]
    target: Target,
    #[schemars(with = "value::Name")]
    name: Name,
    message: Message,
    recipients: Vec<Recipient>,
    /// Arguments that the event's templates require and that are missing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    missing: Vec<String>,
    /// Arguments that the event's templates do not use.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    unused: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "value::Refusal")]
    refusal: Option<Refusal>,
}

/// Rendered message.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Message {
    subject: String,
    body: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    sender: Option<String>,
    /// Error in the event's template, if the body is a fallback.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    degraded: Option<String>,
    /// True if the body was truncated to the maximum length.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    cut: bool,
}

/// A contact behind the target.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct Recipient {
    #[schemars(with = "value::Slug")]
    contact: Slug,
    #[schemars(with = "value::Name")]
    name: Name,
    /// Groups through which the contact is notified.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<value::Slug>")]
    via: Vec<Slug>,
    endpoints: Vec<RecipientEndpoint>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "value::Skip")]
    skip: Option<Skip>,
}

/// An endpoint of a recipient.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct RecipientEndpoint {
    #[schemars(with = "value::Id")]
    endpoint: EndpointId,
    #[schemars(with = "value::Channel")]
    channel: ChannelKind,
    #[schemars(with = "String")]
    address: Address,
    #[schemars(with = "value::Verdict")]
    verdict: Verdict,
}

impl From<redflash_core::plan::Plan> for Plan {
    fn from(plan: redflash_core::plan::Plan) -> Self {
        Self {
            target: plan.target,
            name: plan.name,
            message: plan.message.into(),
            recipients: plan.recipients.into_iter().map(Into::into).collect(),
            missing: plan.missing,
            unused: plan.unused,
            refusal: plan.refusal,
        }
    }
}

impl From<redflash_core::message::Message> for Message {
    fn from(message: redflash_core::message::Message) -> Self {
        Self {
            subject: message.subject,
            body: message.body,
            sender: message.sender,
            degraded: message.degraded,
            cut: message.cut,
        }
    }
}

impl From<redflash_core::plan::Recipient> for Recipient {
    fn from(recipient: redflash_core::plan::Recipient) -> Self {
        Self {
            contact: recipient.contact,
            name: recipient.name,
            via: recipient.via,
            endpoints: recipient.endpoints.into_iter().map(Into::into).collect(),
            skip: recipient.skip,
        }
    }
}

impl From<PlannedEndpoint> for RecipientEndpoint {
    fn from(endpoint: PlannedEndpoint) -> Self {
        Self {
            endpoint: endpoint.endpoint,
            channel: endpoint.channel,
            address: endpoint.address,
            verdict: endpoint.verdict,
        }
    }
}
