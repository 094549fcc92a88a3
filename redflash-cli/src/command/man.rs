//! `redflash man`: manual pages, one per command.

use std::path::PathBuf;

use crate::error::{CliError, Exit};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  redflash man /usr/local/share/man/man1")]
pub(crate) struct Args {
    /// Directory for the pages; created if missing
    directory: PathBuf,
}

pub(crate) fn run(args: &Args, command: clap::Command) -> Result<(), CliError> {
    let written = std::fs::create_dir_all(&args.directory)
        .and_then(|()| clap_mangen::generate_to(command, &args.directory));
    written.map_err(|error| {
        CliError::new(
            Exit::Failed,
            format!("{}: {error}", args.directory.display()),
        )
    })
}
