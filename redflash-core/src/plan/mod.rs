//! The decision: who is told what through which channel, who is not, and why.
//!
//! [`plan`] is the only place that decides. What explains, raises, answers or logs an alert carries
//! the [`Plan`] that came out of it.

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

use crate::{
    Address, ChannelKind, EndpointId, Gateways, Lane, Message, MissingArguments, Name, Raise, Slug,
    Target, TargetView, Timestamp,
};

/// The decision for one raise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// What was raised.
    pub target: Target,
    /// What it is called among people.
    pub name: Name,
    /// What is said.
    pub message: Message,
    /// Everybody behind the target, with a verdict for each endpoint.
    pub recipients: Vec<Recipient>,
    /// Arguments that the event's templates need and that were not given; at most 50.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// Arguments that were given and that the event's templates do not use; at most 50.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unused: Vec<String>,
    /// Why nothing at all is sent; `None` when something is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Refusal>,
}

/// One contact behind the target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    /// The contact.
    pub contact: Slug,
    /// What it is called among people.
    pub name: Name,
    /// The groups, switched on, through which it is told; empty when it is told directly.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub via: Vec<Slug>,
    /// The verdict for each endpoint.
    pub endpoints: Vec<PlannedEndpoint>,
    /// Why the contact as a whole is not told.
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
    /// What is done about it.
    pub verdict: Verdict,
}

/// What is done about an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The message is delivered, in this lane.
    Deliver(Lane),
    /// It is not.
    Skip(Skip),
}

/// Why an endpoint or a contact is not told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Skip {
    /// The contact is switched off.
    ContactOff,
    /// Every group through which it would be told is switched off.
    GroupOff(Vec<Slug>),
    /// The contact has no endpoint.
    NoEndpoint,
    /// The endpoint is switched off.
    EndpointOff,
    /// No gateway is configured for the channel.
    NoGateway,
    /// No gateway of the channel is used for such addresses.
    NoRoute,
    /// Another endpoint alone was asked for.
    NotChosen,
    /// The alarm is about this channel, and goes through another.
    #[serde(rename = "troubled")]
    AlarmedChannel,
    /// The same address is told already, as an endpoint of this contact.
    Duplicate(Slug),
}

/// Why a raise is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Refusal {
    /// The target is switched off.
    Disabled,
    /// Arguments are missing, and the event or the raise wants them all.
    MissingArguments,
    /// Arguments were given that the event does not use, and the raise wants none.
    UnusedArguments,
    /// There is nothing to say.
    EmptyMessage,
    /// Nobody can be told.
    NoRecipients,
}

/// For people.
impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ContactOff => f.write_str("the contact is switched off"),
            Self::GroupOff(groups) => {
                let names: Vec<_> = groups.iter().map(ToString::to_string).collect();
                write!(f, "switched off: group {}", names.join(", "))
            }
            Self::NoEndpoint => f.write_str("the contact has no endpoint"),
            Self::EndpointOff => f.write_str("the endpoint is switched off"),
            Self::NoGateway => f.write_str("no gateway serves this channel"),
            Self::NoRoute => f.write_str("no gateway of this channel is used for such addresses"),
            Self::NotChosen => f.write_str("another endpoint alone was asked for"),
            Self::AlarmedChannel => f.write_str("this alert is about that channel"),
            Self::Duplicate(contact) => write!(f, "the same address is told as {contact}"),
        }
    }
}

/// For people.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Disabled => "the target is switched off",
            Self::MissingArguments => "arguments are missing",
            Self::UnusedArguments => "the event does not use all of the arguments",
            Self::EmptyMessage => "there is nothing to say",
            Self::NoRecipients => "nobody can be told",
        })
    }
}

impl Plan {
    /// How many deliveries it makes.
    pub fn queued(&self) -> usize {
        self.endpoints()
            .filter(|e| matches!(e.verdict, Verdict::Deliver(_)))
            .count()
    }

    /// How many endpoints it leaves out.
    pub fn skipped(&self) -> usize {
        self.endpoints()
            .filter(|e| matches!(e.verdict, Verdict::Skip(_)))
            .count()
    }

    /// Everybody who is switched on and still is told nothing.
    pub fn unreached(&self) -> impl Iterator<Item = &Recipient> {
        self.recipients.iter().filter(|recipient| {
            let told = |e: &PlannedEndpoint| {
                matches!(
                    e.verdict,
                    Verdict::Deliver(_) | Verdict::Skip(Skip::Duplicate(_))
                )
            };
            let off = matches!(recipient.skip, Some(Skip::ContactOff | Skip::GroupOff(_)));
            !off && !recipient.endpoints.iter().any(told)
        })
    }

    fn endpoints(&self) -> impl Iterator<Item = &PlannedEndpoint> {
        self.recipients
            .iter()
            .flat_map(|recipient| &recipient.endpoints)
    }
}

/// Decides what one raise does. Pure: the same arguments always give the same plan.
///
/// Each endpoint of each contact behind the target gets exactly one verdict, and no address of a
/// channel is delivered to twice.
///
/// * `raise` - what is asked for.
/// * `view` - what the directory says about the target.
/// * `gateways` - what can be sent through.
/// * `now` - the time of the raise, which templates may show.
///
/// Returns `None` when the view does not hold the target.
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
