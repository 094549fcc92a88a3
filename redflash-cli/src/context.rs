//! What commands share: the configuration, the store, the engine.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use redflash_core::{Actor, Address, ChannelKind, Engine};
use redflash_store::{Access, PostgresConfig, PostgresStore, SqliteStore};
use secrecy::ExposeSecret;

use crate::config::{Config, Loaded, Overrides, Postgres};
use crate::failure::{Exit, Failure};
use crate::output::Output;

/// What commands share.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) loaded: Loaded,
    pub(crate) output: Output,
}

impl Context {
    pub(crate) fn new(overrides: &Overrides, output: Output) -> Result<Self, Failure> {
        Ok(Self {
            loaded: crate::config::load(overrides)?,
            output,
        })
    }

    /// Where everything is kept.
    pub(crate) fn database(&self) -> Result<Database, Failure> {
        Database::parse(&self.loaded.config)
    }

    /// Who sends from the store, if anybody does.
    pub(crate) async fn served(&self) -> Result<Option<Served>, Failure> {
        match self.database()? {
            Database::Sqlite(path) => Ok(SqliteStore::served_by(path)?.map(Served::Process)),
            Database::Postgres(config) => {
                let nodes = PostgresStore::open(&config).await?.nodes().await?;
                Ok((nodes > 0).then_some(Served::Nodes(nodes)))
            }
        }
    }

    /// An engine over the store.
    pub(crate) async fn engine(&self, access: Access) -> Result<Engine, Failure> {
        let builder = match self.database()? {
            Database::Sqlite(path) => Engine::builder(Arc::new(SqliteStore::open(path, access)?)),
            Database::Postgres(config) => {
                let store = Arc::new(PostgresStore::open(&config).await?);
                let clock = store.clock();
                Engine::builder(store).clock(clock).exclusive(false)
            }
        };
        let gateways = self.loaded.gateways.iter();
        let delivery = &self.loaded.config.delivery;
        builder
            .gateways(gateways.map(|configured| configured.gateway.clone()))
            .max_queued(delivery.max_queued)
            .lease(delivery.lease)
            .alarm_contact(self.loaded.config.alarm.contact.clone())
            .inbound_event(self.loaded.config.inbound.event.clone())
            .address_rules(redflash_channels::parse_address)
            .notification_pages(self.loaded.config.server.notification_pages())
            .premium_prefixes(self.loaded.config.sms.premium_prefixes.clone())
            .build()
            .map_err(|fault| Failure::usage(fault.to_string()))
    }
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
    pub(crate) fn parse(config: &Config) -> Result<Self, Failure> {
        let url = config.database.0.expose_secret();
        if let Some(path) = url.strip_prefix("sqlite:") {
            return Ok(Self::Sqlite(path.into()));
        }
        match url.split_once("://") {
            None => Ok(Self::Sqlite(url.into())),
            Some(("postgres" | "postgresql", _)) => {
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
            Some((scheme, _)) => Err(Failure::usage(format!(
                "database: {scheme} is not supported: write sqlite: and the path of a file, or \
                 postgres://user:password@host/database"
            ))),
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

/// An address in its channel's normal form.
pub(crate) fn address(
    engine: &Engine,
    channel: &ChannelKind,
    raw: &str,
) -> Result<Address, Failure> {
    let parsed = engine.parse_address(channel, raw);
    parsed.map_err(|fault| Failure::new(Exit::Usage, format!("{channel}: {fault}")))
}

/// Whoever sits at this machine, as the audit log names them.
pub(crate) fn operator() -> Actor {
    let names = ["SUDO_USER", "USER", "LOGNAME"].map(std::env::var_os);
    let name = names.into_iter().flatten().find(|name| !name.is_empty());
    let name = name.map(|name| name.to_string_lossy().into_owned());
    Actor::Operator(name.unwrap_or_else(|| "unknown".to_owned()))
}
