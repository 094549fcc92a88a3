//! `redflash prune`: removes finished notifications from the log.

use std::num::NonZeroU32;
use std::time::Duration;

use redflash_core::{Engine, StoreError};
use redflash_store::Access;
use serde_json::json;

use super::log::age;
use crate::context::{Context, Missing};
use crate::failure::Failure;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only notifications raised longer ago than this, such as 90d. What still has a delivery to be
    /// sent stays in any case
    #[arg(long, value_name = "AGE", value_parser = age, allow_hyphen_values = true)]
    older_than: Duration,
}

/// How many are removed in one transaction, so that nobody waits long for the writer.
const BATCH: NonZeroU32 = NonZeroU32::new(500).expect("it is not zero");

pub(crate) async fn run(context: &Context, args: Args) -> Result<(), Failure> {
    let engine = context.engine(Access::Shared, Missing::Refuse).await?;
    let removed = older_than(&engine, args.older_than).await?;
    if context.output.json {
        return context.output.json(&json!({ "removed": removed }));
    }
    context
        .output
        .line(format!("removed from the log: {removed}"))
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
