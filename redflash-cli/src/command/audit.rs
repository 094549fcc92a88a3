//! `redflash audit`: the audit log.

use std::num::NonZeroU32;

use clap::{Args, Subcommand};
use redflash_core::model::{Actor, AuditEntry, AuditEntryId};
use redflash_core::store::AuditFilter;

use crate::backend::Backend;
use crate::error::CliError;
use crate::format::time;
use crate::sanitize::one_line;

const LIST_EXAMPLES: &str = "\
Examples:
  redflash audit list --subject contact/ann
  redflash audit list --by operator/root --limit 10";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List changes, newest first
    #[command(after_help = LIST_EXAMPLES)]
    List(List),
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only changes to this entry, such as contact/ann or key/app
    #[arg(long, value_name = "ENTRY")]
    subject: Option<String>,
    /// Only changes by this actor, such as user/ann, key/app or operator/root
    #[arg(long, value_name = "ACTOR")]
    by: Option<Actor>,
    /// Only changes before this one (its id is in the JSON output)
    #[arg(long, value_name = "ID")]
    before: Option<AuditEntryId>,
    /// Maximum number of changes
    #[arg(long, value_name = "NUMBER", default_value = "50")]
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
        ["time", "actor", "action", "entry", "detail"],
        found.iter().map(row).collect(),
        "no changes found",
    )
}
