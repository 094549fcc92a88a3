//! State that commands share: the configuration, the store and the engine.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use redflash_core::Engine;
use redflash_core::engine::EngineBuilder;
use redflash_core::message::Raise;
use redflash_core::store::MemoryStore;
use redflash_store::{Access, PostgresConfig, PostgresStore, SqliteStore};
use secrecy::ExposeSecret;
use tracing::info;

use crate::config::database_url::{self, DatabaseLocation};
use crate::config::{Config, Loaded, Overrides, Postgres};
use crate::error::{CliError, Exit};
use crate::output::Output;

/// The configuration and the output of a command.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) loaded: Loaded,
    pub(crate) overrides: Overrides,
    pub(crate) output: Output,
}

impl Context {
    pub(crate) fn new(overrides: &Overrides, output: Output) -> Result<Self, CliError> {
        Ok(Self {
            loaded: crate::config::load(overrides)?,
            overrides: overrides.clone(),
            output,
        })
    }

    /// Returns the configured database.
    pub(crate) fn database(&self) -> Result<Database, CliError> {
        Database::parse(&self.loaded.config)
    }

    /// Returns the server that sends from the store, if one runs.
    pub(crate) async fn served_by(&self) -> Result<Option<ServedBy>, CliError> {
        match self.database()? {
            Database::Sqlite(path) => Ok(SqliteStore::served_by(path)?.map(ServedBy::Process)),
            Database::Postgres(config) => {
                let nodes = PostgresStore::open_existing(&config).await?.nodes().await?;
                Ok((nodes > 0).then_some(ServedBy::Nodes(nodes)))
            }
        }
    }

    /// Returns an engine over the store, or over an empty store if the database is missing.
    pub(crate) async fn engine_or_empty(&self) -> Result<Engine, CliError> {
        match self.engine(Access::Shared, Missing::Refuse).await {
            Err(error) if error.exit == Exit::Refused => {
                self.build(Engine::builder(Arc::new(MemoryStore::new())))
            }
            opened => opened,
        }
    }

    /// Returns an engine over the store.
    pub(crate) async fn engine(
        &self,
        access: Access,
        missing: Missing,
    ) -> Result<Engine, CliError> {
        let builder = match self.database()? {
            Database::Sqlite(path) => {
                Engine::builder(Arc::new(self.sqlite(&path, access, missing)?))
            }
            Database::Postgres(config) => {
                let store = match missing {
                    Missing::Create => PostgresStore::open(&config).await?,
                    Missing::Refuse => PostgresStore::open_existing(&config).await?,
                };
                let store = Arc::new(store);
                let clock = store.clock();
                Engine::builder(store).clock(clock)
            }
        };
        self.build(builder)
    }

    /// Builds the engine as configured.
    fn build(&self, builder: EngineBuilder) -> Result<Engine, CliError> {
        let gateways = self.loaded.gateways.iter();
        let delivery = &self.loaded.config.delivery;
        builder
            .gateways(gateways.map(|configured| configured.gateway.clone()))
            .max_queued(delivery.max_queued)
            .max_content(self.loaded.config.server.max_body.max(Raise::MAX_CONTENT))
            .lease(delivery.lease)
            .alarm_contact(self.loaded.config.alarm.contact.clone())
            .inbound_event(self.loaded.config.inbound.event.clone())
            .address_rules(redflash_channels::parse_address)
            .notification_pages(self.loaded.config.server.notification_pages())
            .premium_prefixes(self.loaded.config.sms.premium_prefixes.clone())
            .build()
            .map_err(|error| CliError::usage(error.to_string()))
    }
}

impl Context {
    /// Opens an SQLite store. Reports the path of one that it creates.
    fn sqlite(
        &self,
        path: &Path,
        access: Access,
        missing: Missing,
    ) -> Result<SqliteStore, CliError> {
        if missing == Missing::Refuse {
            return Ok(SqliteStore::open_existing(path, access)?);
        }
        let is_new = !path.exists();
        let store = SqliteStore::open(path, access)?;
        if is_new {
            let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
            let created = format!("created the database {}", path.display());
            match access {
                Access::Server => info!("{created}"),
                Access::Shared => self.output.note(&created),
            }
        }
        Ok(store)
    }
}

/// Handling of a missing database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// Create it.
    Create,
    /// Fail.
    Refuse,
}

/// The server that sends from a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ServedBy {
    /// One process, which owns the file.
    Process(u32),
    /// A number of nodes.
    Nodes(usize),
}

/// A database.
#[derive(Clone, Debug)]
pub(crate) enum Database {
    Sqlite(PathBuf),
    Postgres(PostgresConfig),
}

impl Database {
    /// Returns the database that the configuration names.
    pub(crate) fn parse(config: &Config) -> Result<Self, CliError> {
        let url = config.database.0.expose_secret();
        let named = database_url::parse(url);
        match named.map_err(|reason| CliError::usage(format!("database: {reason}")))? {
            DatabaseLocation::File(path) => Ok(Self::Sqlite(path)),
            DatabaseLocation::Postgres => {
                let Postgres {
                    ca_file,
                    connections,
                    timeout,
                } = config.postgres.clone();
                let config = PostgresConfig {
                    ca_file,
                    connections,
                    timeout,
                    ..PostgresConfig::new(url)
                };
                Ok(Self::Postgres(config))
            }
        }
    }
}

/// Without credentials.
impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => path.display().fmt(f),
            Self::Postgres(_) => f.write_str("the Postgres database"),
        }
    }
}
