//! `redflash config`: checks the configuration, or prints an example.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;

use crate::config::{EXAMPLE, Overrides, load};
use crate::error::CliError;
use crate::format::count;
use crate::output::Output;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Read the configuration as the server would, and say what is wrong with it
    Check {
        /// The file, instead of the one that would be found
        file: Option<PathBuf>,
    },
    /// Print a complete example, in which everything is explained
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
    let file = file.unwrap_or_else(|| "no file: the built-in defaults".into());
    output.line(format!(
        "{file}: fine, with {}",
        count(gateways.len(), "gateway")
    ))?;
    for warning in loaded.warnings {
        output.line(format!("but {warning}"))?;
    }
    Ok(())
}
