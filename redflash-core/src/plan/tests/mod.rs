//! Tests of the plan.

mod property;
mod recipient;
mod switch;
mod text;

use serde_json::Value;

use super::*;
use crate::gateway::{Channel, Gateway};
use crate::message::{Accepted, OutboundMessage, SendError};
use crate::model::{AddressError, Contact, Event, Group};

/// A channel that takes any address.
#[derive(Debug)]
struct Anything(ChannelKind);

#[async_trait::async_trait]
impl Channel for Anything {
    fn kind(&self) -> ChannelKind {
        self.0.clone()
    }

    fn parse_address(&self, raw: &str) -> Result<Address, AddressError> {
        Address::new(raw)
    }

    async fn send(&self, _: &OutboundMessage) -> Result<Accepted, SendError> {
        Ok(Accepted::default())
    }
}

fn slug(text: &str) -> Slug {
    Slug::parse(text).unwrap()
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn gateways(kinds: &[ChannelKind]) -> Gateways {
    let gateway = |kind: &ChannelKind| Gateway::new(slug(kind.as_str()), Anything(kind.clone()));
    Gateways::new(kinds.iter().map(gateway)).unwrap()
}

fn both() -> Gateways {
    gateways(&[ChannelKind::sms(), ChannelKind::email()])
}

fn contact(who: &str, endpoints: &[(ChannelKind, &str)]) -> Contact {
    let new = Contact::new(slug(who), name(who));
    endpoints.iter().fold(new, |contact, (channel, address)| {
        let id = EndpointId::new(Timestamp::default());
        contact.with_endpoint(id, channel.clone(), Address::new(*address).unwrap())
    })
}

fn group(who: &str, contacts: &[&str]) -> Group {
    Group::new(
        slug(who),
        name(who),
        contacts.iter().map(|c| slug(c)).collect(),
    )
}

fn verdicts(plan: &Plan) -> Vec<(&str, &str, Option<&Skip>)> {
    let mut all = Vec::new();
    for recipient in &plan.recipients {
        for endpoint in &recipient.endpoints {
            let skip = match &endpoint.verdict {
                Verdict::Deliver(_) => None,
                Verdict::Skip(skip) => Some(skip),
            };
            all.push((recipient.contact.as_str(), endpoint.address.as_str(), skip));
        }
    }
    all
}

fn raise_group() -> Raise {
    Raise::group(slug("crew"), "hello")
}

fn decide(raise: &Raise, view: &TargetView) -> Plan {
    plan(raise, view, &both(), Timestamp::default()).unwrap()
}

/// Returns the plan for raising an event that notifies ann.
fn decide_event(event: Event, arguments: &Value, strict: bool) -> Plan {
    let view = TargetView {
        event: Some(Event {
            contacts: vec![slug("ann")],
            ..event
        }),
        contacts: vec![contact("ann", &[(ChannelKind::sms(), "+1")])],
        ..TargetView::default()
    };
    let arguments = arguments.as_object().unwrap().clone();
    decide(&Raise::event(slug("disk"), arguments).strict(strict), &view)
}
