//! Connections that only read. They see what was committed when they began, and wait for nobody.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use redflash_core::StoreError;

use super::watch::FileWatch;
use crate::error::Fault;

/// How many idle connections are kept.
const KEPT: usize = 8;

/// Connections for reading, made when needed and kept for the next reader.
#[derive(Clone)]
pub(super) struct Readers {
    path: Arc<Path>,
    watch: FileWatch,
    idle: Arc<Mutex<Vec<SqliteConnection>>>,
}

impl Readers {
    pub(super) fn new(path: Arc<Path>, watch: FileWatch) -> Self {
        let idle = Arc::default();
        Self { path, watch, idle }
    }

    /// Reads at one moment, on the calling thread: for look-ups that take microseconds.
    pub(super) fn read<T>(
        &self,
        query: impl FnOnce(&mut SqliteConnection) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        let checked = self.watch.check();
        checked.map_err(|fault| StoreError::Unavailable(fault.into()))?;
        let idle = self.idle().pop();
        let mut conn = match idle {
            Some(conn) => conn,
            None => self.connect()?,
        };
        let result = query(&mut conn);
        if result.as_ref().is_err_and(Fault::is_fatal) {
            drop(conn);
            self.watch.forget_log();
        } else {
            let mut idle = self.idle();
            if idle.len() < KEPT {
                idle.push(conn);
            }
        }
        Ok(result?)
    }

    /// [`read`](Self::read) several things that must fit together.
    pub(super) fn snapshot<T>(
        &self,
        query: impl FnOnce(&mut SqliteConnection) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        self.read(|conn| conn.transaction(query))
    }

    /// [`snapshot`](Self::snapshot) on a thread of its own: for reads that may take a while.
    pub(super) async fn long<T: Send + 'static>(
        &self,
        query: impl FnOnce(&mut SqliteConnection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        let readers = self.clone();
        let reading = tokio::task::spawn_blocking(move || readers.snapshot(query));
        reading
            .await
            .map_err(|fault| StoreError::Backend(fault.into()))?
    }

    fn connect(&self) -> Result<SqliteConnection, StoreError> {
        let checked = self.watch.check_now();
        checked.map_err(|fault| StoreError::Unavailable(fault.into()))?;
        let mut conn = super::open::connect(&self.path).map_err(StoreError::Unavailable)?;
        let only = conn.batch_execute("PRAGMA query_only = ON;");
        only.map_err(|error| StoreError::Unavailable(error.into()))?;
        Ok(conn)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<SqliteConnection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Readers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Readers")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
