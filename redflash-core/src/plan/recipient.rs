//! The recipients behind a target, with a verdict for each endpoint.

use std::collections::HashMap;

use super::{PlannedEndpoint, Recipient, Skip, Verdict};
use crate::gateway::Gateways;
use crate::message::Raise;
use crate::model::{Address, ChannelKind, Contact, Slug, Target, TargetView};

/// The paths from the target to a contact.
#[derive(Default)]
struct Paths<'a> {
    direct: bool,
    on: Vec<&'a Slug>,
    off: Vec<&'a Slug>,
}

/// The contacts reached a target, in order of discovery.
#[derive(Default)]
struct Reached<'a> {
    order: Vec<&'a Slug>,
    paths: HashMap<&'a Slug, Paths<'a>>,
}

impl<'a> Reached<'a> {
    fn of(target: &'a Target, view: &'a TargetView) -> Self {
        let mut reached = Self::default();
        match target {
            Target::Contact(slug) => reached.reach(slug).direct = true,
            Target::Group(_) => {}
            Target::Event(_) => {
                for slug in view.event.iter().flat_map(|event| &event.contacts) {
                    reached.reach(slug).direct = true;
                }
            }
        }
        for group in &view.groups {
            for slug in &group.contacts {
                let paths = reached.reach(slug);
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
        reached
    }

    fn reach(&mut self, slug: &'a Slug) -> &mut Paths<'a> {
        self.paths.entry(slug).or_insert_with(|| {
            self.order.push(slug);
            Paths::default()
        })
    }
}

pub(super) fn recipients(raise: &Raise, view: &TargetView, gateways: &Gateways) -> Vec<Recipient> {
    let target = raise.target();
    let contacts: HashMap<&Slug, &Contact> = view
        .contacts
        .iter()
        .map(|contact| (&contact.slug, contact))
        .collect();
    let mut delivered = Delivered::new();
    let reached = Reached::of(target, view);
    let known = reached
        .order
        .iter()
        .filter_map(|slug| Some((*contacts.get(slug)?, &reached.paths[slug])));
    known
        .map(|(contact, paths)| recipient(contact, paths, gateways, raise, &mut delivered))
        .collect()
}

/// The addresses that get the message, with the contact of each.
type Delivered<'a> = HashMap<(&'a ChannelKind, &'a Address), &'a Slug>;

fn recipient<'a>(
    contact: &'a Contact,
    paths: &Paths<'_>,
    gateways: &Gateways,
    raise: &Raise,
    delivered: &mut Delivered<'a>,
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
        let destination = (&endpoint.channel, &endpoint.address);
        let verdict = if let Some(skip) = &skip {
            Verdict::Skip(skip.clone())
        } else if !endpoint.enabled {
            Verdict::Skip(Skip::EndpointOff)
        } else if raise.only.is_some_and(|only| only != endpoint.id) {
            Verdict::Skip(Skip::NotChosen)
        } else if raise.except.as_ref() == Some(destination.0) {
            Verdict::Skip(Skip::AlarmedChannel)
        } else if let Some(lane) = gateways.lane(destination.0, destination.1) {
            match delivered.insert(destination, &contact.slug) {
                Some(first) => {
                    delivered.insert(destination, first);
                    Verdict::Skip(Skip::Duplicate(first.clone()))
                }
                None => Verdict::Deliver(lane),
            }
        } else if gateways.of(destination.0.as_str()).next().is_some() {
            Verdict::Skip(Skip::NoRoute)
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
