//! `redflash man`: manual pages, one for each command.

use std::path::PathBuf;

use crate::error::{CliError, Exit};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where the pages go
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
