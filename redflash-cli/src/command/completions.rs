//! `redflash completions`: a script that completes commands in a shell.

use clap::CommandFactory;
use clap_complete::{Shell, generate};

use crate::args::Cli;
use crate::failure::Failure;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    shell: Shell,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let mut script = Vec::new();
    generate(args.shell, &mut Cli::command(), "redflash", &mut script);
    let script = String::from_utf8_lossy(&script);
    crate::output::Output::new(false).line(script.trim_end())
}
