//! Plans: the decision which endpoints get which message, and which are skipped for which reason.
//!
//! [`plan`] is the only place that decides. Explaining, raising, the answer and the log all use its
//! [`Plan`].

mod compose;
mod notification;
mod recipient;
mod switch;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::{Deserialize, Serialize};

pub(crate) use compose::printable;
pub use notification::Notification;
pub use switch::cancellation_reason;

use crate::clock::Timestamp;
use crate::delivery::Lane;
use crate::gateway::Gateways;
use crate::message::{Message, Raise};
use crate::model::{
    Address, ChannelKind, EndpointId, MissingArguments, Name, Slug, Target, TargetView,
};

/// The decision for one raise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Target of the raise.
    pub target: Target,
    /// Display name of the target.
    pub name: Name,
    /// Message to deliver.
    pub message: Message,
    /// All contacts behind the target, with a verdict for each endpoint.
    pub recipients: Vec<Recipient>,
    /// Arguments that the event's templates need and that were not given; at most 50.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// Arguments that were given and that the event's templates do not use; at most 50.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unused: Vec<String>,
    /// Reason why nothing is sent; `None` if something is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Refusal>,
}

/// One contact behind the target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    /// The contact.
    pub contact: Slug,
    /// Display name of the contact.
    pub name: Name,
    /// Enabled groups that it is notified through; empty if it is notified directly.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub via: Vec<Slug>,
    /// A verdict for each endpoint.
    pub endpoints: Vec<PlannedEndpoint>,
    /// Reason why the contact as a whole is skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skip: Option<Skip>,
}

/// The verdict for one endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedEndpoint {
    /// The endpoint.
    pub endpoint: EndpointId,
    /// Its channel.
    pub channel: ChannelKind,
    /// Its address.
    pub address: Address,
    /// Verdict.
    pub verdict: Verdict,
}

/// The decision about an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The message is delivered, in this lane.
    Deliver(Lane),
    /// The endpoint is skipped.
    Skip(Skip),
}

/// Reason why an endpoint or a contact is skipped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Skip {
    /// The contact is switched off.
    ContactOff,
    /// Every group that it would be notified through is switched off.
    GroupOff(Vec<Slug>),
    /// The contact has no endpoint.
    NoEndpoint,
    /// The endpoint is switched off.
    EndpointOff,
    /// No gateway is configured for the channel.
    NoGateway,
    /// No gateway of the channel serves such addresses.
    NoRoute,
    /// The raise is limited to another endpoint.
    NotChosen,
    /// The alarm is about this channel, and goes through another.
    #[serde(rename = "troubled")]
    AlarmedChannel,
    /// The same address already gets the message, as an endpoint of this contact.
    Duplicate(Slug),
}

/// Reason why a raise is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Refusal {
    /// The target is switched off.
    Disabled,
    /// Arguments are missing, and the event or the raise requires all of them.
    MissingArguments,
    /// Arguments were given that the event does not use, and the raise is strict.
    UnusedArguments,
    /// The message is empty.
    EmptyMessage,
    /// No endpoint would get the message.
    NoRecipients,
}

/// Formats the reason for people.
impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ContactOff => f.write_str("the contact is switched off"),
            Self::GroupOff(groups) => {
                let names: Vec<_> = groups.iter().map(ToString::to_string).collect();
                match &names[..] {
                    [name] => write!(f, "the group {name} is switched off"),
                    _ => write!(f, "the groups {} are switched off", names.join(", ")),
                }
            }
            Self::NoEndpoint => f.write_str("the contact has no endpoint"),
            Self::EndpointOff => f.write_str("the endpoint is switched off"),
            Self::NoGateway => f.write_str("no gateway serves this channel"),
            Self::NoRoute => f.write_str("no gateway of this channel serves such addresses"),
            Self::NotChosen => f.write_str("the alert is for another endpoint only"),
            Self::AlarmedChannel => f.write_str("the alarm is about this channel"),
            Self::Duplicate(contact) => write!(f, "same address as {contact}"),
        }
    }
}

/// Formats the reason for people.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Disabled => "the target is switched off",
            Self::MissingArguments => "arguments are missing",
            Self::UnusedArguments => "the event does not use all of the arguments",
            Self::EmptyMessage => "the message is empty",
            Self::NoRecipients => "no recipient can be notified",
        })
    }
}

impl Plan {
    /// Returns the number of deliveries.
    pub fn queued(&self) -> usize {
        self.endpoints()
            .filter(|e| matches!(e.verdict, Verdict::Deliver(_)))
            .count()
    }

    /// Returns the number of skipped endpoints.
    pub fn skipped(&self) -> usize {
        self.endpoints()
            .filter(|e| matches!(e.verdict, Verdict::Skip(_)))
            .count()
    }

    /// Returns the recipients who are switched on and get nothing.
    pub fn unreached(&self) -> impl Iterator<Item = &Recipient> {
        self.recipients.iter().filter(|recipient| {
            let reached = |e: &PlannedEndpoint| {
                matches!(
                    e.verdict,
                    Verdict::Deliver(_) | Verdict::Skip(Skip::Duplicate(_))
                )
            };
            let is_off = matches!(recipient.skip, Some(Skip::ContactOff | Skip::GroupOff(_)));
            !is_off && !recipient.endpoints.iter().any(reached)
        })
    }

    fn endpoints(&self) -> impl Iterator<Item = &PlannedEndpoint> {
        self.recipients
            .iter()
            .flat_map(|recipient| &recipient.endpoints)
    }
}

/// Decides what a raise does. Pure: the same arguments always give the same plan.
///
/// Each endpoint of each contact behind the target gets exactly one verdict, and no address of a
/// channel gets the message twice.
///
/// * `raise` - the request.
/// * `view` - the target's part of the directory.
/// * `gateways` - the gateways that can send.
/// * `now` - the time of the raise, which templates may show.
///
/// Returns `None` if the view does not contain the target.
pub fn plan(raise: &Raise, view: &TargetView, gateways: &Gateways, now: Timestamp) -> Option<Plan> {
    let target = raise.target();
    let (name, enabled) = match target {
        Target::Contact(slug) => {
            let contact = view.contact(slug)?;
            (&contact.name, contact.enabled)
        }
        Target::Group(slug) => {
            let group = view.groups.iter().find(|group| group.slug == *slug)?;
            (&group.name, group.enabled)
        }
        Target::Event(_) => {
            let event = view.event.as_ref()?;
            (&event.name, event.enabled)
        }
    };
    let composed = compose::compose(raise.content(), view.event.as_ref(), now);
    let refuses_missing = view
        .event
        .as_ref()
        .is_some_and(|event| raise.strict || event.missing_arguments == MissingArguments::Refuse);
    let recipients = recipient::recipients(raise, view, gateways);
    let mut plan = Plan {
        target: target.clone(),
        name: name.clone(),
        message: composed.message,
        recipients,
        missing: composed.missing,
        unused: composed.unused,
        refusal: None,
    };
    plan.refusal = if !enabled {
        Some(Refusal::Disabled)
    } else if refuses_missing && !plan.missing.is_empty() {
        Some(Refusal::MissingArguments)
    } else if raise.strict && !plan.unused.is_empty() {
        Some(Refusal::UnusedArguments)
    } else if plan.message.body.trim().is_empty() {
        Some(Refusal::EmptyMessage)
    } else if plan.queued() == 0 {
        Some(Refusal::NoRecipients)
    } else {
        None
    };
    Some(plan)
}
