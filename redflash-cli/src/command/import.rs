//! `redflash import`: reads contacts, groups and events from a file, all or nothing.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use redflash_core::store::{Entry, Save};
use redflash_core::{Contact, Endpoint, EndpointId, Engine, Event, Slug};
use redflash_store::Access;
use serde_json::json;

use super::django;
use super::document::{Document, Person, VERSION};
use crate::context::{Context, address as parse_address, operator};
use crate::failure::Failure;
use crate::words::count;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The file, JSON or YAML as `redflash export` writes it, or as the old service's dumpdata does; `-` is
    /// standard input
    file: PathBuf,
    /// Check everything, and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// The largest file, in bytes.
const MAX_FILE: u64 = 32 * 1024 * 1024;

pub(crate) async fn run(context: &Context, args: Args) -> Result<(), Failure> {
    let name = args.file.display().to_string();
    let wrong = |reason: String| Failure::usage(format!("{name}: {reason}"));
    let text = read(&args.file).map_err(wrong)?;
    let engine = context.engine(Access::Shared).await?;
    let entries = if text.trim_start().starts_with('[') {
        django::entries(&engine, &text).map_err(wrong)?
    } else {
        entries(&engine, &text).map_err(wrong)?
    };
    let entries = keep_ids(&engine, entries).await?;
    if !args.dry_run {
        let saved = engine.load(&entries, Save::Upsert, &operator()).await;
        saved.map_err(|fault| wrong(redflash_core::report(&fault)))?;
    }
    context.output.warn(&warnings(&engine, &entries));
    tell(context, &entries, args.dry_run)
}

fn read(path: &Path) -> Result<String, String> {
    let source: Box<dyn Read> = if path == Path::new("-") {
        Box::new(std::io::stdin())
    } else {
        Box::new(File::open(path).map_err(|fault| fault.to_string())?)
    };
    let mut bytes = Vec::new();
    let read = source.take(MAX_FILE + 1).read_to_end(&mut bytes);
    read.map_err(|fault| fault.to_string())?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(format!("it is larger than {} MiB", MAX_FILE / 1024 / 1024));
    }
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8: convert it first".into())
}

/// The entries of a document of our own.
fn entries(engine: &Engine, text: &str) -> Result<Vec<Entry>, String> {
    let document: Document = if text.trim_start().starts_with('{') {
        serde_json::from_str(text).map_err(|fault| fault.to_string())?
    } else {
        serde_saphyr::from_str(text).map_err(|fault| fault.to_string())?
    };
    if document.version != VERSION {
        let found = document.version;
        return Err(format!(
            "it is of version {found}, and this reads version {VERSION}"
        ));
    }
    let mut entries = Vec::new();
    for person in document.contacts {
        entries.push(Entry::Contact(contact(engine, person)?));
    }
    entries.extend(document.groups.into_iter().map(Entry::Group));
    for found in document.events {
        check(&found)?;
        entries.push(Entry::Event(found));
    }
    once(&entries)?;
    Ok(entries)
}

fn contact(engine: &Engine, person: Person) -> Result<Contact, String> {
    let mut contact = Contact::new(person.slug, person.name);
    contact.enabled = person.enabled;
    for place in person.endpoints {
        let address = parse_address(engine, &place.channel, place.address.as_str());
        let address =
            address.map_err(|fault| format!("contact/{}: {}", contact.slug, fault.message))?;
        contact.endpoints.push(Endpoint {
            id: EndpointId::new(engine.now()),
            channel: place.channel,
            address,
            enabled: place.enabled,
            opted_out: place.opted_out,
        });
    }
    Ok(contact)
}

/// An event's templates are templates.
pub(super) fn check(event: &Event) -> Result<(), String> {
    match event.check_templates().first() {
        Some(fault) => Err(format!("event/{}: {fault}", event.slug)),
        None => Ok(()),
    }
}

/// Each slug stands once.
pub(super) fn once(entries: &[Entry]) -> Result<(), String> {
    let mut seen = BTreeMap::<_, usize>::new();
    for (place, entry) in entries.iter().enumerate() {
        if let Some(first) = seen.insert(named(entry), place) {
            let (kind, slug) = named(entry);
            let (first, second) = (first + 1, place + 1);
            return Err(format!(
                "{kind}/{slug} stands twice, as records {first} and {second}"
            ));
        }
    }
    Ok(())
}

fn named(entry: &Entry) -> (&'static str, &Slug) {
    match entry {
        Entry::Contact(contact) => ("contact", &contact.slug),
        Entry::Group(group) => ("group", &group.slug),
        Entry::Event(event) => ("event", &event.slug),
        Entry::ApiKey(key) => ("key", &key.slug),
        Entry::User(user) => ("user", &user.slug),
    }
}

/// Endpoints that are there already keep their ids, by which what is queued finds them.
async fn keep_ids(engine: &Engine, mut entries: Vec<Entry>) -> Result<Vec<Entry>, Failure> {
    for entry in &mut entries {
        let Entry::Contact(contact) = entry else {
            continue;
        };
        let Some(known) = engine.store().contact(&contact.slug).await? else {
            continue;
        };
        for endpoint in &mut contact.endpoints {
            let same = |old: &&Endpoint| {
                old.channel == endpoint.channel && old.address == endpoint.address
            };
            if let Some(old) = known.endpoints.iter().find(same) {
                endpoint.id = old.id;
            }
        }
    }
    Ok(entries)
}

/// What may not be meant so, each once.
fn warnings(engine: &Engine, entries: &[Entry]) -> Vec<String> {
    let mut channels = BTreeMap::new();
    let mut warnings = Vec::new();
    for entry in entries {
        match entry {
            Entry::Contact(contact) => {
                for endpoint in &contact.endpoints {
                    *channels.entry(&endpoint.channel).or_insert(0) += 1;
                }
            }
            Entry::Event(event) => {
                let found = event.warnings().into_iter();
                warnings.extend(found.map(|warning| format!("event/{}: {warning}", event.slug)));
            }
            _ => {}
        }
    }
    for (channel, number) in channels {
        if let Some(warning) = engine.channel_warning(channel) {
            warnings.push(format!("{}: {warning}", count(number, "endpoint")));
        }
    }
    warnings
}

fn tell(context: &Context, entries: &[Entry], dry_run: bool) -> Result<(), Failure> {
    let number = |kind: &str| {
        entries
            .iter()
            .filter(|entry| named(entry).0 == kind)
            .count()
    };
    let endpoints = entries.iter().map(|entry| match entry {
        Entry::Contact(contact) => contact.endpoints.len(),
        _ => 0,
    });
    let (contacts, endpoints) = (number("contact"), endpoints.sum::<usize>());
    let (groups, events, keys) = (number("group"), number("event"), number("key"));
    if context.output.json {
        return context.output.json(&json!({
            "dry_run": dry_run, "contacts": contacts, "endpoints": endpoints,
            "groups": groups, "events": events, "keys": keys,
        }));
    }
    context.output.line(format!(
        "{}: {}, {}, {}, {}, {}",
        if dry_run {
            "all is well; nothing was changed"
        } else {
            "imported"
        },
        count(contacts, "contact"),
        count(endpoints, "endpoint"),
        count(groups, "group"),
        count(events, "event"),
        count(keys, "key")
    ))
}
