//! `redflash prune`: deletes old entries of the log and the audit log.

use std::time::Duration;

use redflash_store::Access;
use serde_json::json;

use crate::config::duration;
use crate::context::{Context, Missing};
use crate::error::CliError;
use crate::server::{prune_audit, prune_log};

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = true)]
#[command(after_help = "\
Examples:
  redflash prune --older-than 90d
  redflash prune --audit-older-than 730d")]
pub(crate) struct Args {
    /// Delete finished notifications raised longer ago than this, such as 90d
    #[arg(long, value_name = "AGE", value_parser = duration::parse, allow_hyphen_values = true)]
    older_than: Option<Duration>,
    /// Delete entries of the audit log older than this, such as 730d
    #[arg(long, value_name = "AGE", value_parser = duration::parse, allow_hyphen_values = true)]
    audit_older_than: Option<Duration>,
}

pub(crate) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    let engine = context.engine(Access::Shared, Missing::Refuse).await?;
    let removed = match args.older_than {
        Some(age) => Some(prune_log(&engine, age).await?),
        None => None,
    };
    let removed_audit = match args.audit_older_than {
        Some(age) => Some(prune_audit(&engine, age).await?),
        None => None,
    };
    let output = &context.output;
    if output.json {
        let removed = removed.unwrap_or(0);
        let removed_audit = removed_audit.unwrap_or(0);
        return output.json(&json!({ "removed": removed, "removed_audit": removed_audit }));
    }
    if let Some(removed) = removed {
        output.line(format!("removed from the log: {removed}"))?;
    }
    if let Some(removed) = removed_audit {
        output.line(format!("removed from the audit log: {removed}"))?;
    }
    Ok(())
}
