//! `redflash completions`: shell completion scripts.

use clap_complete::{Shell, generate};

use crate::error::CliError;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  redflash completions bash
  redflash completions zsh")]
pub(crate) struct Args {
    /// Shell to print the script for
    shell: Shell,
}

pub(crate) fn run(args: &Args, command: &mut clap::Command) -> Result<(), CliError> {
    let mut script = Vec::new();
    generate(args.shell, command, "redflash", &mut script);
    let script = String::from_utf8_lossy(&script);
    crate::output::Output::new(false).line(script.trim_end())
}
