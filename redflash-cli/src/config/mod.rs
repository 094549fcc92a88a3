//! The configuration: defaults, overridden by a file, the environment and command-line options.

mod admin;
mod database;
pub(crate) mod database_url;
mod delivery;
pub(crate) mod duration;
mod environment;
#[cfg(test)]
mod example;
mod file_key;
mod gateways;
mod load;
mod log;
mod serde_error;
mod server;
mod sms;
mod source;
mod warnings;

use std::path::PathBuf;

use redflash_channels::Configured;
use redflash_core::model::Slug;
use serde::Deserialize;

pub(crate) use admin::{Admin, Oidc};
pub(crate) use database::{DatabaseUrl, Postgres};
pub(crate) use delivery::{Delivery, Mode};
pub(crate) use environment::variable;
pub(crate) use load::load;
pub(crate) use log::{Log, LogFormat};
pub(crate) use server::Server;
use sms::Sms;
use source::Source;

use crate::error::CliError;

/// A complete example, which equals the defaults.
pub(crate) const EXAMPLE: &str = include_str!("../../../redflash.example.toml");

/// Settings from the command line and `REDFLASH_CONFIG`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Overrides {
    pub(crate) config: Option<PathBuf>,
    pub(crate) database: Option<String>,
}

/// The configuration and its origin.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) config: Config,
    pub(crate) gateways: Vec<Configured>,
    /// The file; `None` for the defaults.
    pub(crate) file: Option<PathBuf>,
    /// Settings that are valid but probably mistaken.
    pub(crate) warnings: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) database: DatabaseUrl,
    pub(crate) database_file: Option<PathBuf>,
    pub(crate) postgres: Postgres,
    pub(crate) server: Server,
    pub(crate) delivery: Delivery,
    pub(crate) log: Log,
    pub(crate) callbacks: Callbacks,
    pub(crate) inbound: Inbound,
    pub(crate) alarm: Alarm,
    pub(crate) sms: Sms,
    pub(crate) admin: Admin,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            database: DatabaseUrl("sqlite:redflash.db".into()),
            database_file: None,
            postgres: Postgres::default(),
            server: Server::default(),
            delivery: Delivery::default(),
            log: Log::default(),
            callbacks: Callbacks::default(),
            inbound: Inbound::default(),
            alarm: Alarm::default(),
            sms: Sms::default(),
            admin: Admin::default(),
        }
    }
}

/// Callbacks from gateways.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Callbacks {
    pub(crate) default_gateway: Option<Slug>,
}

impl Callbacks {
    fn check(&self, gateways: &[Configured], source: &Source<'_>) -> Result<(), CliError> {
        let Some(name) = &self.default_gateway else {
            return Ok(());
        };
        if gateways.iter().any(|one| one.gateway.name == *name) {
            return Ok(());
        }
        let reason = format!("there is no gateway named {name}");
        Err(source.key("callbacks.default_gateway", &reason))
    }
}

/// Messages that people send back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Inbound {
    pub(crate) event: Option<Slug>,
}

/// Notifications about the gateways themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Alarm {
    pub(crate) contact: Option<Slug>,
}
