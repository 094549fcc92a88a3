//! `redflash man`: manual pages, one for each command.

use std::path::PathBuf;

use clap::CommandFactory;

use crate::args::Cli;
use crate::failure::{Exit, Failure};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where the pages go
    directory: PathBuf,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let written = std::fs::create_dir_all(&args.directory)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), &args.directory));
    written.map_err(|fault| {
        Failure::new(
            Exit::Failed,
            format!("{}: {fault}", args.directory.display()),
        )
    })
}
