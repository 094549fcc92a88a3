//! The decision: who is told what through which channel, who is not, and why.
//!
//! [`plan`] is the only place that decides. What explains, raises, answers or logs an alert carries
//! the [`Plan`] that came out of it.

use std::collections::{HashMap, HashSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    Address, ChannelKind, Contact, EndpointId, Event, Gateways, Group, Lane, Name, Raise, Slug,
    Target, Template, Timestamp, raise::Content, template::Arguments,
};

/// What the directory says about a target: the target itself and everybody behind it, on or off.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// The [directory's version](crate::store::Directory::version) at which this was read.
    pub version: u64,
    /// The event, when that is the target.
    pub event: Option<Event>,
    /// The group that is the target, or the event's groups in their order.
    pub groups: Vec<Group>,
    /// Every contact that is the target, or that the event or one of the groups names.
    pub contacts: Vec<Contact>,
}

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
    /// Why nothing at all is sent; `None` when something is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Refusal>,
}

/// What is said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The subject, for channels that have one.
    pub subject: String,
    /// The text.
    pub body: String,
    /// Who it says it comes from, where the gateway allows that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender: Option<String>,
    /// Why the text is a fallback, when the event's own template failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub degraded: Option<String>,
    /// Whether the text was cut at the bound for messages.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
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
    /// The same address is told already, as an endpoint of this contact.
    Duplicate(Slug),
}

/// Why a raise is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The target is switched off.
    Disabled,
    /// There is nothing to say.
    EmptyMessage,
    /// Nobody can be told.
    NoRecipients,
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
pub fn plan(raise: &Raise, view: &View, gateways: &Gateways, now: Timestamp) -> Option<Plan> {
    let target = raise.target();
    let (name, enabled) = match target {
        Target::Contact(slug) => {
            let contact = view.contacts.iter().find(|contact| contact.slug == *slug)?;
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
    let message = message(raise.content(), view.event.as_ref(), now);
    let recipients = recipients(target, view, gateways);
    let mut plan = Plan {
        target: target.clone(),
        name: name.clone(),
        message,
        recipients,
        refusal: None,
    };
    plan.refusal = if !enabled {
        Some(Refusal::Disabled)
    } else if plan.message.body.trim().is_empty() {
        Some(Refusal::EmptyMessage)
    } else if plan.queued() == 0 {
        Some(Refusal::NoRecipients)
    } else {
        None
    };
    Some(plan)
}

fn message(content: &Content, event: Option<&Event>, now: Timestamp) -> Message {
    match (content, event) {
        (Content::Arguments(arguments), Some(event)) => event_message(event, arguments, now),
        (Content::Arguments(_), None) => literal(""),
        (Content::Message(text), _) => literal(text),
    }
}

/// The subject of a message that brings none: its first line, shortened.
fn first_line(body: &str) -> String {
    const LONGEST: usize = 78;
    let line = body
        .trim_start()
        .lines()
        .next()
        .unwrap_or_default()
        .trim_end();
    if line.chars().count() <= LONGEST {
        return line.to_owned();
    }
    line.chars().take(LONGEST - 1).chain(['…']).collect()
}

fn literal(text: &str) -> Message {
    let body = printable(text);
    Message {
        subject: first_line(&body),
        body,
        sender: None,
        degraded: None,
        cut: false,
    }
}

fn event_message(event: &Event, arguments: &Arguments, now: Timestamp) -> Message {
    let render = |source: &str| Template::parse(source)?.render(arguments, now);
    let (body, degraded, cut) = match render(&event.message) {
        Ok(rendered) => (rendered.text, None, rendered.cut),
        Err(error) => {
            let (text, cut) = fallback(event, arguments);
            (text, Some(error.to_string()), cut)
        }
    };
    let subject = match event.subject.as_deref().map(render) {
        Some(Ok(rendered)) => first_line(&printable(&rendered.text)),
        _ => event.name.to_string(),
    };
    Message {
        subject,
        body: printable(&body),
        sender: event.sender.clone(),
        degraded,
        cut,
    }
}

/// What is said when an event's own template fails: its name, and each argument on its line.
fn fallback(event: &Event, arguments: &Arguments) -> (String, bool) {
    let mut text = event.name.to_string();
    for (name, value) in arguments {
        let value = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        text.extend(["\n", name, ": ", &value]);
    }
    let cut = text.len() > Template::MAX_OUTPUT;
    if cut {
        text.truncate(text.floor_char_boundary(Template::MAX_OUTPUT - '…'.len_utf8()));
        text.push('…');
    }
    (text, cut)
}

/// The text without control characters, but for tabs and line ends; NUL leaves a visible mark.
fn printable(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    text.chars()
        .filter_map(|character| match character {
            '\0' => Some(char::REPLACEMENT_CHARACTER),
            '\r' => Some('\n'),
            '\n' | '\t' => Some(character),
            _ if character.is_control() => None,
            _ => Some(character),
        })
        .collect()
}

/// How a contact came to be behind the target.
#[derive(Default)]
struct Paths<'a> {
    direct: bool,
    on: Vec<&'a Slug>,
    off: Vec<&'a Slug>,
}

/// Everybody behind a target, in the order they were come upon.
#[derive(Default)]
struct Behind<'a> {
    order: Vec<&'a Slug>,
    paths: HashMap<&'a Slug, Paths<'a>>,
}

impl<'a> Behind<'a> {
    fn of(target: &'a Target, view: &'a View) -> Self {
        let mut behind = Self::default();
        match target {
            Target::Contact(slug) => behind.reach(slug).direct = true,
            Target::Group(_) => {}
            Target::Event(_) => {
                for slug in view.event.iter().flat_map(|event| &event.contacts) {
                    behind.reach(slug).direct = true;
                }
            }
        }
        for group in &view.groups {
            for slug in &group.contacts {
                let paths = behind.reach(slug);
                let list = if group.enabled {
                    &mut paths.on
                } else {
                    &mut paths.off
                };
                if !list.contains(&&group.slug) {
                    list.push(&group.slug);
                }
            }
        }
        behind
    }

    fn reach(&mut self, slug: &'a Slug) -> &mut Paths<'a> {
        self.paths.entry(slug).or_insert_with(|| {
            self.order.push(slug);
            Paths::default()
        })
    }
}

fn recipients(target: &Target, view: &View, gateways: &Gateways) -> Vec<Recipient> {
    let contacts: HashMap<&Slug, &Contact> = view
        .contacts
        .iter()
        .map(|contact| (&contact.slug, contact))
        .collect();
    let mut told = Told::new();
    let behind = Behind::of(target, view);
    let known = behind
        .order
        .iter()
        .filter_map(|slug| Some((*contacts.get(slug)?, &behind.paths[slug])));
    known
        .map(|(contact, paths)| recipient(contact, paths, gateways, &mut told))
        .collect()
}

type Told<'a> = HashMap<(&'a ChannelKind, &'a Address), &'a Slug>;

fn recipient<'a>(
    contact: &'a Contact,
    paths: &Paths<'_>,
    gateways: &Gateways,
    told: &mut Told<'a>,
) -> Recipient {
    let skip = if !contact.enabled {
        Some(Skip::ContactOff)
    } else if !paths.direct && paths.on.is_empty() {
        Some(Skip::GroupOff(paths.off.iter().copied().cloned().collect()))
    } else if contact.endpoints.is_empty() {
        Some(Skip::NoEndpoint)
    } else {
        None
    };
    let endpoints = contact.endpoints.iter().map(|endpoint| {
        let place = (&endpoint.channel, &endpoint.address);
        let verdict = if let Some(skip) = &skip {
            Verdict::Skip(skip.clone())
        } else if !endpoint.enabled {
            Verdict::Skip(Skip::EndpointOff)
        } else if let Some(lane) = gateways.lane(place.0, place.1) {
            match told.insert(place, &contact.slug) {
                Some(first) => {
                    told.insert(place, first);
                    Verdict::Skip(Skip::Duplicate(first.clone()))
                }
                None => Verdict::Deliver(lane),
            }
        } else {
            Verdict::Skip(Skip::NoGateway)
        };
        PlannedEndpoint {
            endpoint: endpoint.id,
            channel: endpoint.channel.clone(),
            address: endpoint.address.clone(),
            verdict,
        }
    });
    let endpoints = endpoints.collect();
    let via = if paths.direct { &[][..] } else { &paths.on[..] };
    Recipient {
        contact: contact.slug.clone(),
        name: contact.name.clone(),
        via: via.iter().copied().cloned().collect(),
        endpoints,
        skip,
    }
}

/// Why a delivery that was planned must no longer be handed over, judged on the directory as it is
/// now: a switch was turned off, or what it was for is gone.
///
/// * `via` - the groups through which the contact was to be told; empty when directly.
pub fn stopped(
    view: &View,
    target: &Target,
    contact: &Slug,
    endpoint: EndpointId,
    via: &[Slug],
) -> Option<String> {
    let off = |what: &dyn fmt::Display| Some(format!("{what} was switched off"));
    let gone = |what: &dyn fmt::Display| Some(format!("{what} was removed"));
    match &view.event {
        Some(event) if !event.enabled => return off(target),
        None if matches!(target, Target::Event(_)) => return gone(target),
        _ => {}
    }
    let Some(contact) = view.contacts.iter().find(|known| known.slug == *contact) else {
        return gone(&format_args!("contact/{contact}"));
    };
    if !contact.enabled {
        return off(&format_args!("contact/{}", contact.slug));
    }
    match contact.endpoints.iter().find(|known| known.id == endpoint) {
        None => return gone(&"the endpoint"),
        Some(known) if !known.enabled => return off(&"the endpoint"),
        Some(_) => {}
    }
    let on: HashSet<_> = view
        .groups
        .iter()
        .filter(|group| group.enabled)
        .map(|group| &group.slug)
        .collect();
    if !via.is_empty() && !via.iter().any(|group| on.contains(group)) {
        let groups: Vec<_> = via.iter().map(|group| format!("group/{group}")).collect();
        return off(&groups.join(", "));
    }
    None
}
