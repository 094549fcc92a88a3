//! A dump of the old service: `manage.py dumpdata squawk`, JSON.
//!
//! Its models, by their names in the dump: `squawk.contact`, `squawk.contactendpoint` (of which
//! `end_point` is 0 for telephones, 1 for Twitter, 2 for mail, 3 for webhooks),
//! `squawk.contactgroup`, `squawk.event` and `squawk.apiuser`. The log, `squawk.transmissionlog`, is
//! left behind.

use std::collections::BTreeMap;
use std::fmt::Display;

use redflash_core::store::Entry;
use redflash_core::{
    ApiKey, ChannelKind, Contact, Endpoint, EndpointId, Engine, Event, Group, MissingArguments,
    Scope, Slug,
};
use secrecy::SecretString;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::import::{check, once};
use crate::context::address as parse_address;

#[derive(Deserialize)]
struct Record {
    model: String,
    pk: i64,
    fields: Value,
}

#[derive(Deserialize)]
struct OldContact {
    name: String,
    slug: String,
    enabled: bool,
}

#[derive(Deserialize)]
struct OldEndpoint {
    contact: i64,
    end_point: i64,
    address: String,
    enabled: bool,
}

#[derive(Deserialize)]
struct OldGroup {
    name: String,
    slug: String,
    enabled: bool,
    #[serde(default)]
    contacts: Vec<i64>,
}

#[derive(Deserialize)]
struct OldEvent {
    name: String,
    slug: String,
    #[serde(default)]
    description: String,
    enabled: bool,
    message: String,
    #[serde(default)]
    contacts: Vec<i64>,
    #[serde(default)]
    groups: Vec<i64>,
}

#[derive(Deserialize)]
struct OldKey {
    slug: String,
    api_key: SecretString,
    enabled: bool,
    #[serde(default)]
    is_admin: bool,
}

/// What a dump holds, on its way to our own entries.
#[derive(Default)]
struct Dump {
    contacts: BTreeMap<i64, Contact>,
    groups: BTreeMap<i64, Group>,
    events: Vec<Event>,
    keys: Vec<ApiKey>,
}

/// The entries of a dump.
///
/// # Errors
///
/// Names the record, by its place in the dump, and what is wrong with it.
pub(super) fn entries(engine: &Engine, text: &str) -> Result<Vec<Entry>, String> {
    let records: Vec<Record> = serde_json::from_str(text).map_err(|fault| fault.to_string())?;
    let mut dump = Dump::default();
    // Records may name others that come later.
    for model in [
        "contact",
        "contactendpoint",
        "contactgroup",
        "event",
        "apiuser",
    ] {
        for (place, record) in records.iter().enumerate() {
            if record.model == format!("squawk.{model}") {
                let read = dump.read(engine, model, record);
                read.map_err(|reason| located(place, record, reason))?;
            }
        }
    }
    let known = [
        "contact",
        "contactendpoint",
        "contactgroup",
        "event",
        "apiuser",
    ];
    let is_log = |name: &str| matches!(name, "transmissionlog" | "auditlog");
    for (place, record) in records.iter().enumerate() {
        let name = record.model.strip_prefix("squawk.");
        if !name.is_some_and(|name| known.contains(&name) || is_log(name)) {
            return Err(located(place, record, "this model is not known here"));
        }
    }
    let entries: Vec<_> = (dump.contacts.into_values().map(Entry::Contact))
        .chain(dump.groups.into_values().map(Entry::Group))
        .chain(dump.events.into_iter().map(Entry::Event))
        .chain(dump.keys.into_iter().map(Entry::ApiKey))
        .collect();
    once(&entries)?;
    Ok(entries)
}

fn located(place: usize, record: &Record, reason: impl Display) -> String {
    format!(
        "record {} ({} {}): {reason}",
        place + 1,
        record.model,
        record.pk
    )
}

impl Dump {
    fn read(&mut self, engine: &Engine, model: &str, record: &Record) -> Result<(), String> {
        let fields = &record.fields;
        match model {
            "contact" => self.contact(record.pk, &parse(fields)?),
            "contactendpoint" => self.endpoint(engine, parse(fields)?),
            "contactgroup" => self.group(record.pk, &parse(fields)?),
            "event" => self.event(parse(fields)?),
            _ => self.key(engine, &parse(fields)?),
        }
    }

    fn contact(&mut self, pk: i64, old: &OldContact) -> Result<(), String> {
        let mut contact = Contact::new(slug(&old.slug)?, old.name.parse().map_err(text)?);
        contact.enabled = old.enabled;
        match self.contacts.insert(pk, contact) {
            None => Ok(()),
            Some(_) => Err("another contact has this pk".into()),
        }
    }

    fn endpoint(&mut self, engine: &Engine, old: OldEndpoint) -> Result<(), String> {
        let (channel, raw) = match old.end_point {
            // Numbers of the old service have their country, and no plus before it.
            0 if old.address.starts_with('+') => ("sms", old.address),
            0 => ("sms", format!("+{}", old.address)),
            1 => ("x", old.address),
            2 => ("email", old.address),
            3 => ("webhook", old.address),
            other => {
                return Err(format!(
                    "end_point {other} is no channel: it is 0, 1, 2 or 3"
                ));
            }
        };
        let channel = ChannelKind::parse(channel).map_err(text)?;
        let address = parse_address(engine, &channel, &raw);
        let address = address.map_err(|fault| fault.message)?;
        let contact = self.contacts.get_mut(&old.contact);
        let contact = contact.ok_or_else(|| dangling("contact", old.contact))?;
        contact.endpoints.push(Endpoint {
            id: EndpointId::new(engine.now()),
            channel,
            address,
            enabled: old.enabled,
            opted_out: None,
        });
        Ok(())
    }

    fn group(&mut self, pk: i64, old: &OldGroup) -> Result<(), String> {
        let contacts = self.named_contacts(&old.contacts)?;
        let mut group = Group::new(slug(&old.slug)?, old.name.parse().map_err(text)?, contacts);
        group.enabled = old.enabled;
        match self.groups.insert(pk, group) {
            None => Ok(()),
            Some(_) => Err("another group has this pk".into()),
        }
    }

    fn event(&mut self, old: OldEvent) -> Result<(), String> {
        let name = old.name.parse().map_err(text)?;
        let mut event = Event::new(slug(&old.slug)?, name, old.message);
        // The old service printed nothing, and its templates may count on that.
        event.missing_arguments = MissingArguments::Blank;
        event.description = old.description;
        event.enabled = old.enabled;
        event.contacts = self.named_contacts(&old.contacts)?;
        for pk in old.groups {
            let group = self
                .groups
                .get(&pk)
                .ok_or_else(|| dangling("contactgroup", pk))?;
            event.groups.push(group.slug.clone());
        }
        check(&event)?;
        self.events.push(event);
        Ok(())
    }

    fn key(&mut self, engine: &Engine, old: &OldKey) -> Result<(), String> {
        let slug = slug(&old.slug)?;
        let key = ApiKey::import(slug, old.is_admin, Scope::All, engine.now(), &old.api_key);
        let mut key = key.map_err(text)?;
        key.enabled = old.enabled;
        self.keys.push(key);
        Ok(())
    }

    fn named_contacts(&self, pks: &[i64]) -> Result<Vec<Slug>, String> {
        let named = |pk: &i64| {
            let contact = self
                .contacts
                .get(pk)
                .ok_or_else(|| dangling("contact", *pk))?;
            Ok(contact.slug.clone())
        };
        pks.iter().map(named).collect()
    }
}

fn dangling(model: &str, pk: i64) -> String {
    format!("it names squawk.{model} {pk}, which is not in the dump")
}

fn slug(raw: &str) -> Result<Slug, String> {
    raw.parse().map_err(|fault| format!("slug: {fault}"))
}

fn text(fault: impl Display) -> String {
    fault.to_string()
}

fn parse<T: DeserializeOwned>(fields: &Value) -> Result<T, String> {
    serde_path_to_error::deserialize(fields).map_err(|fault| match fault.path().to_string() {
        // The value itself is left out: it may be a key.
        path if path == "api_key" => "api_key: it must be a text".into(),
        path if path == "." => fault.inner().to_string(),
        path => format!("{path}: {}", fault.inner()),
    })
}
