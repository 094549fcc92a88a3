//! Dumps of the old service, as `manage.py dumpdata squawk` writes them.
//!
//! Its models are `squawk.contact`, `squawk.contactendpoint` (with `end_point` 0 for telephones, 1 for
//! Twitter, 2 for mail and 3 for webhooks), `squawk.contactgroup`, `squawk.event` and `squawk.apiuser`.
//! The log, `squawk.transmissionlog`, is not imported.

use std::collections::BTreeMap;
use std::fmt::Display;

use redflash_core::Engine;
use redflash_core::model::{
    ApiKey, ChannelKind, Contact, Event, Group, MissingArguments, Scope, Slug,
};
use redflash_core::store::Entry;
use secrecy::SecretString;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::report::{Problem, Reading, add_endpoint, check_event};

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

/// The imported models, in an order that resolves references: records may refer to later ones.
const MODELS: [&str; 5] = [
    "contact",
    "contactendpoint",
    "contactgroup",
    "event",
    "apiuser",
];

/// The records of a dump, converted to entries.
#[derive(Default)]
struct Dump {
    contacts: BTreeMap<i64, Contact>,
    groups: BTreeMap<i64, Group>,
    events: Vec<Event>,
    keys: Vec<ApiKey>,
    problems: Vec<Problem>,
    /// The current record, for problems.
    location: String,
}

/// Reads all valid records of a dump. Problems name the record by its position.
///
/// # Errors
///
/// Returns an error if the text is not JSON.
pub(super) fn read(engine: &Engine, text: &str) -> Result<Reading, String> {
    let values: Vec<Value> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let mut dump = Dump::default();
    let mut records = Vec::new();
    for (index, value) in values.into_iter().enumerate() {
        dump.location = format!("record {}", index + 1);
        match parse::<Record>(&value) {
            Ok(record) => records.push((index, record)),
            Err(reason) => dump.leave_out(reason),
        }
    }
    for model in MODELS {
        for (index, record) in &records {
            if record.model.strip_prefix("squawk.") == Some(model) {
                dump.location = locate(*index, record);
                if let Err(reason) = dump.read(engine, model, record) {
                    dump.leave_out(reason);
                }
            }
        }
    }
    let is_log = |name: &str| matches!(name, "transmissionlog" | "auditlog");
    for (index, record) in &records {
        let name = record.model.strip_prefix("squawk.");
        if !name.is_some_and(|name| MODELS.contains(&name) || is_log(name)) {
            dump.location = locate(*index, record);
            dump.leave_out("unknown model".into());
        }
    }
    let entries = (dump.contacts.into_values().map(Entry::Contact))
        .chain(dump.groups.into_values().map(Entry::Group))
        .chain(dump.events.into_iter().map(Entry::Event))
        .chain(dump.keys.into_iter().map(Entry::ApiKey));
    Ok(Reading {
        entries: entries.collect(),
        problems: dump.problems,
    })
}

fn locate(index: usize, record: &Record) -> String {
    format!("record {} ({} {})", index + 1, record.model, record.pk)
}

impl Dump {
    fn leave_out(&mut self, reason: String) {
        let problem = Problem::left_out(self.location.clone(), reason);
        self.problems.push(problem);
    }

    fn read(&mut self, engine: &Engine, model: &str, record: &Record) -> Result<(), String> {
        let fields = &record.fields;
        match model {
            "contact" => self.contact(record.pk, &parse(fields)?),
            "contactendpoint" => self.endpoint(engine, &parse(fields)?),
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
            Some(_) => Err("another contact has the same pk".into()),
        }
    }

    fn endpoint(&mut self, engine: &Engine, old: &OldEndpoint) -> Result<(), String> {
        let channel = match old.end_point {
            0 => "sms",
            1 => "x",
            2 => "email",
            3 => "webhook",
            other => {
                return Err(format!(
                    "end_point {other} is unknown: expected 0, 1, 2 or 3"
                ));
            }
        };
        let channel = ChannelKind::parse(channel).map_err(text)?;
        // Numbers of the old service have a country code without a plus sign.
        let international = format!("+{}", old.address);
        let lacks_plus = old.end_point == 0
            && !old.address.starts_with('+')
            && engine.parse_address(&channel, &international).is_ok();
        let raw = if lacks_plus {
            &international
        } else {
            &old.address
        };
        let contact = self.contacts.get_mut(&old.contact);
        let contact = contact.ok_or_else(|| dangling("contact", old.contact))?;
        match add_endpoint(engine, contact, channel, raw, (old.enabled, None)) {
            Ok(()) => {}
            Err((reason, effect)) => self.problems.push(Problem {
                location: format!("{}, of contact/{}", self.location, contact.slug),
                reason,
                effect,
            }),
        }
        Ok(())
    }

    fn group(&mut self, pk: i64, old: &OldGroup) -> Result<(), String> {
        let contacts = self.named_contacts(&old.contacts);
        let mut group = Group::new(slug(&old.slug)?, old.name.parse().map_err(text)?, contacts);
        group.enabled = old.enabled;
        match self.groups.insert(pk, group) {
            None => Ok(()),
            Some(_) => Err("another group has the same pk".into()),
        }
    }

    fn event(&mut self, old: OldEvent) -> Result<(), String> {
        let name = old.name.parse().map_err(text)?;
        let mut event = Event::new(slug(&old.slug)?, name, old.message);
        // The old service inserted nothing, and its templates may rely on that.
        event.missing_arguments = MissingArguments::Blank;
        event.description = old.description;
        event.enabled = old.enabled;
        event.contacts = self.named_contacts(&old.contacts);
        for pk in old.groups {
            match self.groups.get(&pk) {
                Some(group) => event.groups.push(group.slug.clone()),
                None => self.leave_out_member("contactgroup", pk),
            }
        }
        check_event(&event)?;
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

    fn named_contacts(&mut self, pks: &[i64]) -> Vec<Slug> {
        let mut slugs = Vec::with_capacity(pks.len());
        for pk in pks {
            match self.contacts.get(pk) {
                Some(contact) => slugs.push(contact.slug.clone()),
                None => self.leave_out_member("contact", *pk),
            }
        }
        slugs
    }

    fn leave_out_member(&mut self, model: &str, pk: i64) {
        let location = format!("{}: member squawk.{model} {pk}", self.location);
        let reason = "it is missing from the dump, or was left out";
        self.problems.push(Problem::left_out(location, reason));
    }
}

fn dangling(model: &str, pk: i64) -> String {
    format!("it refers to squawk.{model} {pk}, which is missing from the dump, or was left out")
}

fn slug(raw: &str) -> Result<Slug, String> {
    raw.parse().map_err(|error| format!("slug: {error}"))
}

fn text(error: impl Display) -> String {
    error.to_string()
}

fn parse<T: DeserializeOwned>(fields: &Value) -> Result<T, String> {
    serde_path_to_error::deserialize(fields).map_err(|error| match error.path().to_string() {
        // The value may be a key.
        path if path == "api_key" => "api_key: expected a string".into(),
        path if path == "." => error.inner().to_string(),
        path => format!("{path}: {}", error.inner()),
    })
}
