//! `redflash prune`: removes finished notifications from the log, and old changes from the audit log.

use std::num::NonZeroU32;
use std::time::Duration;

use redflash_core::{Engine, StoreError};
use redflash_store::Access;
use serde_json::json;

use super::log::age;
use crate::context::{Context, Missing};
use crate::failure::Failure;

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = true)]
pub(crate) struct Args {
    /// Only notifications raised longer ago than this, such as 90d. What still has a delivery to be
    /// sent stays in any case
    #[arg(long, value_name = "AGE", value_parser = age, allow_hyphen_values = true)]
    older_than: Option<Duration>,
    /// Only changes in the audit log that were made longer ago than this, such as 730d
    #[arg(long, value_name = "AGE", value_parser = age, allow_hyphen_values = true)]
    audit_older_than: Option<Duration>,
}

/// How many are removed in one transaction, so that nobody waits long for the writer.
const BATCH: NonZeroU32 = NonZeroU32::new(500).expect("it is not zero");

pub(crate) async fn run(context: &Context, args: Args) -> Result<(), Failure> {
    let engine = context.engine(Access::Shared, Missing::Refuse).await?;
    let removed = match args.older_than {
        Some(age) => Some(older_than(&engine, age).await?),
        None => None,
    };
    let removed_audit = match args.audit_older_than {
        Some(age) => Some(changes_older_than(&engine, age).await?),
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

/// Removes what was raised longer ago than this, some at a time. Returns how many.
pub(crate) async fn older_than(engine: &Engine, age: Duration) -> Result<u64, StoreError> {
    let before = engine.now().minus(age);
    let mut removed = 0;
    loop {
        let some = engine.store().prune(before, BATCH).await?;
        removed += some;
        if some < u64::from(BATCH.get()) {
            return Ok(removed);
        }
    }
}

/// Removes the changes in the audit log that were made longer ago than this, some at a time. Returns
/// how many.
pub(crate) async fn changes_older_than(engine: &Engine, age: Duration) -> Result<u64, StoreError> {
    let before = engine.now().minus(age);
    let mut removed = 0;
    loop {
        let some = engine.store().prune_audit(before, BATCH).await?;
        removed += some;
        if some < u64::from(BATCH.get()) {
            return Ok(removed);
        }
    }
}
