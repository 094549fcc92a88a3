//! Problems of an imported document, and the rules for its entries.

use std::collections::{BTreeMap, BTreeSet};

use redflash_core::Engine;
use redflash_core::model::{Address, ChannelKind, Contact, Endpoint, EndpointId, Event, Slug};
use redflash_core::store::Entry;
use serde::Serialize;

use crate::error::CliError;

/// Prefix of the reason why an endpoint with an invalid address is off.
const INVALID: &str = "not a valid address: ";

/// One problem of a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Problem {
    /// The entry or record.
    pub(super) location: String,
    pub(super) reason: String,
    pub(super) effect: Effect,
}

/// The effect of a problem on what is imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Effect {
    /// The entry is imported, but switched off.
    SwitchedOff,
    /// The entry is not imported.
    LeftOut,
}

/// The valid entries of a document, and its problems.
#[derive(Debug, Default)]
pub(super) struct Reading {
    pub(super) entries: Vec<Entry>,
    pub(super) problems: Vec<Problem>,
}

impl Problem {
    pub(super) fn left_out(location: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            location: location.into(),
            reason: reason.into(),
            effect: Effect::LeftOut,
        }
    }

    /// Describes the problem on one line.
    pub(super) fn line(&self) -> String {
        let effect = match self.effect {
            Effect::SwitchedOff => "imported switched off",
            Effect::LeftOut => "left out",
        };
        format!("{}: {} ({effect})", self.location, self.reason)
    }
}

/// Adds an endpoint to a contact. An endpoint with an invalid address is switched off with a reason, so
/// that it can be corrected later.
pub(super) fn add_endpoint(
    engine: &Engine,
    contact: &mut Contact,
    channel: ChannelKind,
    raw: &str,
    (enabled, opted_out): (bool, Option<String>),
) -> Result<(), (String, Effect)> {
    let parsed = engine.parse_address(&channel, raw);
    let error = parsed.as_ref().err().map(ToString::to_string);
    let kept = parsed.or_else(|_| Address::new(raw.trim()));
    let address = kept.map_err(|error| (format!("{channel}: {error}"), Effect::LeftOut))?;
    let same = |known: &Endpoint| (&known.channel, &known.address) == (&channel, &address);
    if contact.endpoints.iter().any(same) {
        let reason = format!("{channel} {address}: the contact already has this address");
        return Err((reason, Effect::LeftOut));
    }
    let was_known = !enabled && opted_out.is_some();
    let reason = error
        .as_ref()
        .map(|error| format!("{channel} {address}: {error}"));
    contact.endpoints.push(Endpoint {
        id: EndpointId::new(engine.now()),
        channel,
        address,
        enabled: enabled && error.is_none(),
        opted_out: opted_out.or(error.map(|error| format!("{INVALID}{error}"))),
    });
    match reason {
        Some(reason) if !was_known => Err((reason, Effect::SwitchedOff)),
        _ => Ok(()),
    }
}

/// Checks the templates of an event.
pub(super) fn check_event(event: &Event) -> Result<(), String> {
    match event.check_templates().first() {
        Some(error) => Err(error.to_string()),
        None => Ok(()),
    }
}

impl Reading {
    /// Leaves out entries whose name occurs several times.
    pub(super) fn remove_duplicates(&mut self) {
        let mut positions = BTreeMap::<_, Vec<usize>>::new();
        for (index, entry) in self.entries.iter().enumerate() {
            let name = entry.named().to_string();
            positions.entry(name).or_default().push(index + 1);
        }
        positions.retain(|_, positions| positions.len() > 1);
        let is_single = |entry: &Entry| !positions.contains_key(&entry.named().to_string());
        self.entries.retain(is_single);
        for (name, positions) in positions {
            let positions: Vec<_> = positions.iter().map(ToString::to_string).collect();
            let reason = format!(
                "it occurs {} times, as entries {}",
                positions.len(),
                positions.join(", ")
            );
            self.problems.push(Problem::left_out(name, reason));
        }
    }

    /// Leaves out what the store would reject: members that do not exist, and keys with the secret of
    /// another key. Known endpoints keep their ids, which queued deliveries refer to, and stay off if the
    /// recipient has opted out.
    pub(super) async fn fit_to_store(&mut self, engine: &Engine) -> Result<(), CliError> {
        let store = engine.store();
        let slugs = |kind: &str| -> BTreeSet<Slug> {
            let entries = self.entries.iter().map(Entry::named);
            let named = entries.map(|named| named.to_string());
            let prefix = format!("{kind}/");
            let slugs = named.filter_map(|name| name.strip_prefix(&prefix)?.parse().ok());
            slugs.collect()
        };
        let (mut contacts, mut groups) = (slugs("contact"), slugs("group"));
        contacts.extend(store.contacts().await?.into_iter().map(|one| one.slug));
        groups.extend(store.groups().await?.into_iter().map(|one| one.slug));
        let mut problems = Vec::new();
        let mut members =
            |name: &str, kind: &str, members: &mut Vec<Slug>, known: &BTreeSet<Slug>| {
                let mut seen = BTreeSet::new();
                members.retain(|slug| {
                    if !known.contains(slug) {
                        let reason = format!("there is no {kind} {slug}");
                        problems.push(Problem::left_out(
                            format!("{name}: member {kind}/{slug}"),
                            reason,
                        ));
                    }
                    known.contains(slug) && seen.insert(slug.clone())
                });
            };
        for entry in &mut self.entries {
            let name = entry.named().to_string();
            match entry {
                Entry::Group(group) => members(&name, "contact", &mut group.contacts, &contacts),
                Entry::Event(event) => {
                    members(&name, "contact", &mut event.contacts, &contacts);
                    members(&name, "group", &mut event.groups, &groups);
                }
                _ => {}
            }
        }
        let mut fitting = Vec::with_capacity(self.entries.len());
        for mut entry in std::mem::take(&mut self.entries) {
            match &mut entry {
                Entry::Contact(contact) => {
                    if let Some(known) = store.contact(&contact.slug).await? {
                        problems.extend(keep(contact, &known));
                    }
                }
                Entry::ApiKey(key) => {
                    let holder = store.api_key_by_hash(&key.hash).await?;
                    if let Some(holder) = holder.filter(|holder| holder.slug != key.slug) {
                        let reason = format!("key/{} has the same secret", holder.slug);
                        problems.push(Problem::left_out(entry.named().to_string(), reason));
                        continue;
                    }
                }
                _ => {}
            }
            fitting.push(entry);
        }
        self.entries = fitting;
        self.problems.extend(problems);
        Ok(())
    }
}

/// Keeps the ids and opt-outs of known endpoints.
fn keep(contact: &mut Contact, known: &Contact) -> Vec<Problem> {
    let mut problems = Vec::new();
    for endpoint in &mut contact.endpoints {
        let same = |old: &&Endpoint| {
            (&old.channel, &old.address) == (&endpoint.channel, &endpoint.address)
        };
        let Some(old) = known.endpoints.iter().find(same) else {
            continue;
        };
        endpoint.id = old.id;
        let asked = old.opted_out.as_ref().filter(|_| !old.enabled);
        let asked = asked.filter(|reason| endpoint.enabled && !reason.starts_with(INVALID));
        if let Some(reason) = asked {
            endpoint.enabled = false;
            endpoint.opted_out = Some(reason.clone());
            problems.push(Problem {
                location: format!("contact/{}", contact.slug),
                reason: format!("{} {}: {reason}", endpoint.channel, endpoint.address),
                effect: Effect::SwitchedOff,
            });
        }
    }
    problems
}
