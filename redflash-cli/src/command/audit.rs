//! `redflash change`: who changed what, and when.

use std::num::NonZeroU32;

use clap::{Args, Subcommand};
use redflash_core::store::AuditFilter;
use redflash_core::{Actor, AuditEntry, AuditEntryId};

use crate::backend::Backend;
use crate::error::CliError;
use crate::format::time;
use crate::sanitize::one_line;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List changes, newest first
    List(List),
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only changes of this, such as contact/ann or key/app
    #[arg(long, value_name = "WHAT")]
    subject: Option<String>,
    /// Only changes by whom this names, such as user/ann, key/app or operator/root
    #[arg(long, value_name = "WHO")]
    by: Option<Actor>,
    /// Only changes before this one, as --json shows it
    #[arg(long, value_name = "ID")]
    before: Option<AuditEntryId>,
    /// At most so many, newest first
    #[arg(long, default_value = "50")]
    limit: NonZeroU32,
}

pub(crate) async fn run(backend: &Backend, command: Command) -> Result<(), CliError> {
    let Command::List(list) = command;
    self::list(backend, list).await
}

async fn list(backend: &Backend, list: List) -> Result<(), CliError> {
    let filter = AuditFilter {
        subject: list.subject,
        by: list.by,
        before: list.before,
        limit: list.limit,
    };
    let found = backend.audit_entries(&filter).await?;
    if backend.output.json {
        return backend.output.json(&found);
    }
    let row = |change: &AuditEntry| {
        [
            time(change.at),
            one_line(&change.by.to_string()),
            change.action.as_str().replace('_', " "),
            one_line(&change.subject),
            one_line(&change.detail),
        ]
    };
    backend.output.table(
        ["at", "who", "did", "what", "in detail"],
        found.iter().map(row).collect(),
        "nothing was changed, or nothing that fits",
    )
}
