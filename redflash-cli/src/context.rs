//! What commands share: the configuration, the store, the engine.

use std::path::PathBuf;
use std::sync::Arc;

use redflash_core::{Address, ChannelKind, Engine, Store};
use redflash_store::{Access, SqliteStore};

use crate::config::{Loaded, Overrides};
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

    /// The file that holds everything.
    pub(crate) fn database(&self) -> Result<PathBuf, Failure> {
        let url = &self.loaded.config.database;
        if let Some(path) = url.strip_prefix("sqlite:") {
            return Ok(path.into());
        }
        if url.contains("://") {
            let scheme = url.split("://").next().unwrap_or_default();
            let message = format!(
                "database: {scheme} is not supported: write sqlite: and the path of a file"
            );
            return Err(Failure::usage(message));
        }
        Ok(url.into())
    }

    /// The store, beside a server or without one.
    pub(crate) fn store(&self) -> Result<Arc<dyn Store>, Failure> {
        self.open(Access::Shared)
    }

    pub(crate) fn open(&self, access: Access) -> Result<Arc<dyn Store>, Failure> {
        Ok(Arc::new(SqliteStore::open(self.database()?, access)?))
    }

    /// The process that serves the store, if one does.
    pub(crate) fn served_by(&self) -> Result<Option<u32>, Failure> {
        Ok(SqliteStore::served_by(self.database()?)?)
    }

    /// An engine over the store.
    pub(crate) fn engine(&self, store: Arc<dyn Store>) -> Result<Engine, Failure> {
        let gateways = self.loaded.gateways.iter();
        Engine::builder(store)
            .gateways(gateways.map(|configured| configured.gateway.clone()))
            .max_queued(self.loaded.config.delivery.max_queued)
            .build()
            .map_err(|fault| Failure::usage(fault.to_string()))
    }
}

/// An address in its channel's normal form: by the gateway that serves the channel, or by the
/// channel's own rules as long as none does.
pub(crate) fn address(
    engine: &Engine,
    channel: &ChannelKind,
    raw: &str,
) -> Result<Address, Failure> {
    let served = engine.gateways().of(channel.as_str()).next().is_some();
    let parsed = if served {
        engine.gateways().parse_address(channel, raw)
    } else {
        redflash_channels::parse_address(channel, raw)
    };
    parsed.map_err(|fault| Failure::new(Exit::Usage, format!("{channel}: {fault}")))
}
