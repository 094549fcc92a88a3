//! `redflash import`: reads contacts, groups and events from a file.

mod django;
pub(super) mod document;
mod report;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use redflash_core::Engine;
use redflash_core::model::Contact;
use redflash_core::store::{Entry, Save};
use redflash_store::Access;
use serde_json::json;

use crate::context::{Context, Missing};
use crate::error::CliError;
use crate::format::count;
use crate::operator::operator;
use document::{ContactDocument, Document, VERSION};
use report::{Effect, Problem, Reading, add_endpoint, check_event};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  redflash import directory.yaml --dry-run
  redflash import dumpdata.json --strict")]
pub(crate) struct Args {
    /// File written by `redflash export`, or by dumpdata of the old service; `-` for standard input
    file: PathBuf,
    /// Check the file without changing anything
    #[arg(long)]
    dry_run: bool,
    /// Import nothing if there are problems, instead of importing the rest
    #[arg(long)]
    strict: bool,
}

/// Maximum size of the file in bytes.
const MAX_FILE: u64 = 32 * 1024 * 1024;

pub(crate) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    let name = args.file.display().to_string();
    let error = |reason: String| CliError::usage(format!("{name}: {reason}"));
    let text = read(&args.file).map_err(error)?;
    let engine = if args.dry_run {
        context.engine_or_empty().await?
    } else {
        context.engine(Access::Shared, Missing::Create).await?
    };
    let mut reading = if text.trim_start().starts_with('[') {
        django::read(&engine, &text).map_err(error)?
    } else {
        document(&engine, &text).map_err(error)?
    };
    reading.remove_duplicates();
    reading.fit_to_store(&engine).await?;
    for problem in &reading.problems {
        context.output.note(&format!("{name}: {}", problem.line()));
    }
    let is_rejected = args.strict && !reading.problems.is_empty();
    if !args.dry_run && !is_rejected {
        let source = file_name(&args.file);
        let by = operator();
        let saved = engine.load(&reading.entries, Save::Upsert, &source, &by);
        let saved = saved.await;
        saved.map_err(|failed| error(redflash_core::error_chain(&failed)))?;
    }
    if !is_rejected {
        let warnings = warnings(&engine, &reading.entries);
        context.output.warn(&warnings);
        report(context, &reading, args.dry_run)?;
    }
    check_problems(&name, &reading.problems, args.strict)
}

/// Returns an error if entries are left out, or if there are problems in strict mode.
fn check_problems(name: &str, problems: &[Problem], strict: bool) -> Result<(), CliError> {
    let is_left_out = |problem: &&Problem| problem.effect == Effect::LeftOut;
    let left_out = problems.iter().filter(is_left_out).count();
    let message = match (strict, problems.len(), left_out) {
        (_, 0, _) | (false, _, 0) => return Ok(()),
        (true, all, _) => format!("{name}: {}: nothing was imported", count(all, "problem")),
        (false, _, left_out) => format!(
            "{name}: {} left out, see above; the rest was imported",
            count(left_out, "entry")
        ),
    };
    Err(CliError::usage(message))
}

/// Returns the name of the file, for the audit log.
fn file_name(path: &Path) -> String {
    match path.file_name() {
        _ if path == Path::new("-") => "standard input".to_owned(),
        Some(name) => name.to_string_lossy().into_owned(),
        None => path.display().to_string(),
    }
}

fn read(path: &Path) -> Result<String, String> {
    let source: Box<dyn Read> = if path == Path::new("-") {
        Box::new(std::io::stdin())
    } else {
        Box::new(File::open(path).map_err(|error| error.to_string())?)
    };
    let mut bytes = Vec::new();
    let read = source.take(MAX_FILE + 1).read_to_end(&mut bytes);
    read.map_err(|error| error.to_string())?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(format!(
            "the file is larger than {} MiB",
            MAX_FILE / 1024 / 1024
        ));
    }
    String::from_utf8(bytes).map_err(|_| "the file is not UTF-8".into())
}

/// Reads a document that `redflash export` has written.
fn document(engine: &Engine, text: &str) -> Result<Reading, String> {
    let document: Document = if text.trim_start().starts_with('{') {
        serde_json::from_str(text).map_err(|error| error.to_string())?
    } else {
        serde_saphyr::from_str(text).map_err(|error| error.to_string())?
    };
    if document.version != VERSION {
        let found = document.version;
        return Err(format!(
            "the document has version {found}; supported is version {VERSION}"
        ));
    }
    let mut reading = Reading::default();
    for document in document.contacts {
        let contact = contact(engine, document, &mut reading.problems);
        reading.entries.push(Entry::Contact(contact));
    }
    let groups = document.groups.into_iter().map(Entry::Group);
    reading.entries.extend(groups);
    for event in document.events {
        match check_event(&event) {
            Ok(()) => reading.entries.push(Entry::Event(event)),
            Err(reason) => {
                let entry = format!("event/{}", event.slug);
                reading.problems.push(Problem::left_out(entry, reason));
            }
        }
    }
    Ok(reading)
}

fn contact(engine: &Engine, document: ContactDocument, problems: &mut Vec<Problem>) -> Contact {
    let mut contact = Contact::new(document.slug, document.name);
    contact.enabled = document.enabled;
    for endpoint in document.endpoints {
        let state = (endpoint.enabled, endpoint.opted_out);
        let added = add_endpoint(
            engine,
            &mut contact,
            endpoint.channel,
            &endpoint.address,
            state,
        );
        if let Err((reason, effect)) = added {
            problems.push(Problem {
                location: format!("contact/{}", contact.slug),
                reason,
                effect,
            });
        }
    }
    contact
}

/// Returns warnings about probable mistakes, each once.
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

fn report(context: &Context, reading: &Reading, dry_run: bool) -> Result<(), CliError> {
    let entries = &reading.entries;
    let number = |kind: &str| {
        let is_of_kind =
            |entry: &&Entry| entry.named().to_string().starts_with(&format!("{kind}/"));
        entries.iter().filter(is_of_kind).count()
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
            "groups": groups, "events": events, "keys": keys, "problems": reading.problems,
        }));
    }
    context.output.line(format!(
        "{}: {}, {}, {}, {}, {}",
        match (dry_run, reading.problems.is_empty()) {
            (true, true) => "OK, nothing was changed; would import",
            (true, false) => "nothing was changed; would import",
            (false, _) => "imported",
        },
        count(contacts, "contact"),
        count(endpoints, "endpoint"),
        count(groups, "group"),
        count(events, "event"),
        count(keys, "key")
    ))
}
