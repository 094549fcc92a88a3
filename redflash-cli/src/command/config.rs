//! `redflash config`: checks the configuration or prints an example.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;

use crate::config::{EXAMPLE, Overrides, load};
use crate::error::CliError;
use crate::format::count;
use crate::output::Output;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check the configuration as the server would read it
    #[command(after_help = "\
Examples:
  redflash config check
  redflash config check /etc/redflash/redflash.toml")]
    Check {
        /// File to check instead of the configured one
        file: Option<PathBuf>,
    },
    /// Print a complete, commented example configuration
    #[command(after_help = "\
Examples:
  redflash config example")]
    Example,
}

pub(crate) fn run(
    command: &Command,
    overrides: &Overrides,
    output: &Output,
) -> Result<(), CliError> {
    match command {
        Command::Example => output.line(EXAMPLE.trim_end()),
        Command::Check { file } => {
            let mut overrides = overrides.clone();
            if file.is_some() {
                overrides.config.clone_from(file);
            }
            check(&overrides, output)
        }
    }
}

fn check(overrides: &Overrides, output: &Output) -> Result<(), CliError> {
    let loaded = load(overrides)?;
    loaded.config.log.filter(None)?;
    let file = loaded.file.map(|path| path.display().to_string());
    let gateways = loaded.gateways.iter().map(|configured| {
        let gateway = &configured.gateway;
        json!({ "name": gateway.name, "channel": gateway.channel.kind() })
    });
    let gateways: Vec<_> = gateways.collect();
    if output.json {
        return output.json(&json!({
            "file": file, "database": loaded.config.database.redacted(), "gateways": gateways,
            "warnings": loaded.warnings,
        }));
    }
    let file = file.unwrap_or_else(|| "no file, using defaults".into());
    output.line(format!("{file}: OK, {}", count(gateways.len(), "gateway")))?;
    for warning in loaded.warnings {
        output.line(format!("warning: {warning}"))?;
    }
    Ok(())
}
