//! The database: an SQLite file or Postgres.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::source::Source;
use super::{Config, database_url, duration};
use crate::error::CliError;

/// The URL of the database. It may contain a password.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct DatabaseUrl(pub(crate) SecretString);

impl DatabaseUrl {
    /// Returns the URL without credentials.
    pub(crate) fn redacted(&self) -> String {
        let url = self.0.expose_secret();
        // Parameters can hold a password too.
        let url = url.split_once('?').map_or(url, |(base, _)| base);
        match (url.split_once("://"), url.rsplit_once('@')) {
            (Some((scheme, _)), Some((_, host))) => format!("{scheme}://…@{host}"),
            _ => url.to_owned(),
        }
    }
}

impl PartialEq for DatabaseUrl {
    fn eq(&self, other: &Self) -> bool {
        self.0.expose_secret() == other.0.expose_secret()
    }
}

impl Eq for DatabaseUrl {}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Postgres {
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) connections: usize,
    #[serde(deserialize_with = "duration::deserialize")]
    pub(crate) timeout: Duration,
}

impl Default for Postgres {
    fn default() -> Self {
        let config = redflash_store::PostgresConfig::new("");
        Self {
            ca_file: config.ca_file,
            connections: config.connections,
            timeout: config.timeout,
        }
    }
}

impl Postgres {
    pub(super) fn check(&self, source: &Source<'_>) -> Result<(), CliError> {
        source.check_range("postgres.connections", self.connections as u64, 2..=1000)
    }
}

/// Rejects a URL that names no supported database.
pub(super) fn check_url(config: &Config, source: &Source<'_>) -> Result<(), CliError> {
    let Err(reason) = database_url::parse(config.database.0.expose_secret()) else {
        return Ok(());
    };
    let key = match config.database_file {
        Some(_) => "database_file",
        None => "database",
    };
    Err(source.key(key, &reason))
}
