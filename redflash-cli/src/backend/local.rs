//! The local store.

use std::fmt;

use redflash_core::Engine;
use redflash_core::clock::{Clock, SystemClock, Timestamp};
use redflash_core::engine::DirectoryItem;
use redflash_core::model::Slug;
use redflash_store::Access;
use tokio::sync::OnceCell;

use super::{Backend, Location};
use crate::context::{Context, Missing};
use crate::error::CliError;
use crate::operator::operator;

/// The local store, opened when it is first used.
pub(crate) struct LocalStore {
    pub(crate) context: Context,
    missing: Missing,
    engine: OnceCell<Engine>,
}

impl LocalStore {
    pub(super) fn new(context: Context, missing: Missing) -> Self {
        Self {
            context,
            missing,
            engine: OnceCell::new(),
        }
    }

    /// Returns an engine that shares the store with a running server.
    pub(crate) async fn engine(&self) -> Result<&Engine, CliError> {
        let open = || self.context.engine(Access::Shared, self.missing);
        self.engine.get_or_try_init(open).await
    }

    pub(super) async fn change<T: DirectoryItem>(
        &self,
        slug: &Slug,
        change: impl Fn(&mut T) + Send + Sync,
    ) -> Result<T, CliError> {
        let apply = |item: &mut T| {
            change(item);
            Ok(())
        };
        let engine = self.engine().await?;
        Ok(engine.change(slug, &operator(), None, apply).await?)
    }
}

impl fmt::Debug for LocalStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalStore").finish_non_exhaustive()
    }
}

impl Backend {
    /// Returns the local store; `None` for a server.
    pub(crate) fn local_store(&self) -> Option<&LocalStore> {
        match &self.location {
            Location::Local(local) => Some(local),
            Location::Remote(_) => None,
        }
    }

    /// Returns the current time.
    pub(crate) async fn now(&self) -> Result<Timestamp, CliError> {
        match &self.location {
            Location::Local(local) => Ok(local.engine().await?.now()),
            Location::Remote(_) => Ok(SystemClock.now()),
        }
    }
}
