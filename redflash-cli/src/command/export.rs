//! `redflash export`: writes contacts, groups and events to a file.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use redflash_core::model::Contact;

use super::import::document::{ContactDocument, Document, VERSION};
use crate::backend::Backend;
use crate::error::{CliError, Exit};
use crate::format::count;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  redflash export directory.yaml
  redflash export -")]
pub(crate) struct Args {
    /// File to write, as YAML for .yaml and .yml and as JSON otherwise; `-` for standard output
    file: PathBuf,
}

pub(crate) async fn run(backend: &Backend, args: Args) -> Result<(), CliError> {
    let contacts: Vec<Contact> = backend.list().await?;
    let document = Document {
        version: VERSION,
        contacts: contacts.into_iter().map(ContactDocument::from).collect(),
        groups: backend.list().await?,
        events: backend.list().await?,
    };
    if args.file == Path::new("-") {
        return backend.output.json(&document);
    }
    write(&args.file, &document).map_err(|error| {
        CliError::new(Exit::Failed, format!("{}: {error}", args.file.display()))
    })?;
    backend.output.remark(format!(
        "wrote {}, {} and {} to {}",
        count(document.contacts.len(), "contact"),
        count(document.groups.len(), "group"),
        count(document.events.len(), "event"),
        args.file.display()
    ))
}

fn is_yaml(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|name| matches!(name, "yaml" | "yml"))
}

/// Replaces the file atomically.
fn write(path: &Path, document: &Document) -> std::io::Result<()> {
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let mut file = tempfile::NamedTempFile::new_in(directory.unwrap_or(Path::new(".")))?;
    let text = if is_yaml(path) {
        serde_saphyr::to_string(document).map_err(std::io::Error::other)?
    } else {
        serde_json::to_string_pretty(document)? + "\n"
    };
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    fs::File::open(path)?.sync_all()
}
