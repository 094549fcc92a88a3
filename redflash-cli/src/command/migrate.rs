//! `redflash migrate`: creates or updates the tables, as opening the store does.

use redflash_store::Access;

use crate::context::{Context, Missing};
use crate::error::CliError;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  redflash migrate --database sqlite:redflash.db")]
pub(crate) struct Args {}

pub(crate) async fn run(context: &Context, _: Args) -> Result<(), CliError> {
    context.engine(Access::Shared, Missing::Create).await?;
    let database = context.database()?;
    context.output.remark(format!("{database} is up to date"))
}
