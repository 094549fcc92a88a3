//! `redflash migrate`: brings the store's tables up to date, as opening it does.

use crate::context::Context;
use crate::failure::Failure;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(context: &Context, _: Args) -> Result<(), Failure> {
    context.store()?;
    let path = context.database()?;
    context
        .output
        .remark(format!("{} is up to date", path.display()))
}
