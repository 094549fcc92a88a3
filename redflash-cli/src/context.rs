//! What commands share: the configuration, the store, the engine.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use redflash_core::{Engine, EngineBuilder, MemoryStore, Raise};
use redflash_store::{Access, PostgresConfig, PostgresStore, SqliteStore};
use secrecy::ExposeSecret;
use tracing::info;

use crate::config::database_url::{self, Named};
use crate::config::{Config, Loaded, Overrides, Postgres};
use crate::error::{CliError, Exit};
use crate::output::Output;

/// What commands share.
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

    /// Where everything is kept.
    pub(crate) fn database(&self) -> Result<Database, CliError> {
        Database::parse(&self.loaded.config)
    }

    /// Who sends from the store, if anybody does.
    pub(crate) async fn served(&self) -> Result<Option<Served>, CliError> {
        match self.database()? {
            Database::Sqlite(path) => Ok(SqliteStore::served_by(path)?.map(Served::Process)),
            Database::Postgres(config) => {
                let nodes = PostgresStore::open_existing(&config).await?.nodes().await?;
                Ok((nodes > 0).then_some(Served::Nodes(nodes)))
            }
        }
    }

    /// An engine over the store, or over an empty one where there is none: to change nothing.
    pub(crate) async fn engine_or_empty(&self) -> Result<Engine, CliError> {
        match self.engine(Access::Shared, Missing::Refuse).await {
            Err(error) if error.exit == Exit::Refused => {
                self.built(Engine::builder(Arc::new(MemoryStore::new())))
            }
            opened => opened,
        }
    }

    /// An engine over the store.
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
        self.built(builder)
    }

    /// The engine, as configured.
    fn built(&self, builder: EngineBuilder) -> Result<Engine, CliError> {
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
    /// The store in a file; one that is created is named.
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

/// The way to deal with a database that does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// It is created.
    Create,
    /// The command fails.
    Refuse,
}

/// Who sends from a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Served {
    /// One process, which has the file to itself.
    Process(u32),
    /// So many nodes.
    Nodes(usize),
}

/// Where everything is kept.
#[derive(Clone, Debug)]
pub(crate) enum Database {
    Sqlite(PathBuf),
    Postgres(PostgresConfig),
}

impl Database {
    /// What the configuration names.
    pub(crate) fn parse(config: &Config) -> Result<Self, CliError> {
        let url = config.database.0.expose_secret();
        let named = database_url::parse(url);
        match named.map_err(|reason| CliError::usage(format!("database: {reason}")))? {
            Named::File(path) => Ok(Self::Sqlite(path)),
            Named::Postgres => {
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

/// For people: without what is secret.
impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => path.display().fmt(f),
            Self::Postgres(_) => f.write_str("the Postgres database"),
        }
    }
}
