//! Connections that only read. They see the commits up to their beginning, and wait for no one.

use std::mem::take;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use redflash_core::store::StoreError;
use tokio::runtime::Handle;

use super::connect::connect_reader;
use super::database_file::DatabaseFile;
use super::watch::FileWatch;
use crate::error::QueryError;

/// Maximum number of idle connections.
const KEPT: usize = 8;

/// Connections for reading, opened when needed and kept for the next reader.
#[derive(Clone)]
pub(super) struct Readers {
    watch: FileWatch,
    idle: Arc<Idle>,
    // Given up after the connections.
    file: Arc<DatabaseFile>,
}

/// Idle connections.
struct Idle {
    connections: Mutex<Vec<SqliteConnection>>,
    // Given up after the connections.
    file: Arc<DatabaseFile>,
}

impl Drop for Idle {
    fn drop(&mut self) {
        if !self.file.is_of_this_process() {
            // A forked process must not close inherited connections.
            // https://www.sqlite.org/howtocorrupt.html, section 2.6
            let connections = self.connections.get_mut();
            std::mem::forget(take(connections.unwrap_or_else(PoisonError::into_inner)));
        }
    }
}

impl Readers {
    pub(super) fn new(file: Arc<DatabaseFile>, watch: FileWatch) -> Self {
        let idle = Idle {
            connections: Mutex::default(),
            file: Arc::clone(&file),
        };
        let idle = Arc::new(idle);
        Self { watch, idle, file }
    }

    /// Reads on the calling thread: for look-ups that take microseconds.
    pub(super) fn read<T>(
        &self,
        query: impl FnOnce(&mut SqliteConnection) -> Result<T, QueryError>,
    ) -> Result<T, StoreError> {
        self.file.check_process()?;
        let checked = self.watch.check();
        checked.map_err(|error| StoreError::Unavailable(error.into()))?;
        let idle = self.idle().pop();
        let mut conn = match idle {
            Some(conn) => conn,
            None => self.connect()?,
        };
        let result = query(&mut conn);
        if result.as_ref().is_err_and(QueryError::is_fatal) {
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

    /// [Reads](Self::read) in one transaction, for several queries that must be consistent.
    pub(super) fn snapshot<T>(
        &self,
        query: impl FnOnce(&mut SqliteConnection) -> Result<T, QueryError>,
    ) -> Result<T, StoreError> {
        self.read(|conn| conn.transaction(query))
    }

    /// [`snapshot`](Self::snapshot) on a thread of its own: for reads that may take a while.
    pub(super) async fn long<T: Send + 'static>(
        &self,
        query: impl FnOnce(&mut SqliteConnection) -> Result<T, QueryError> + Send + 'static,
    ) -> Result<T, StoreError> {
        // A forked process has none of the threads that this would wait for.
        self.file.check_process()?;
        if Handle::try_current().is_err() {
            // Outside of a runtime the calling thread may wait.
            return self.snapshot(query);
        }
        let readers = self.clone();
        let reading = tokio::task::spawn_blocking(move || readers.snapshot(query));
        reading
            .await
            .map_err(|error| StoreError::Backend(error.into()))?
    }

    fn connect(&self) -> Result<SqliteConnection, StoreError> {
        let checked = self.watch.check_now();
        checked.map_err(|error| StoreError::Unavailable(error.into()))?;
        connect_reader(self.file.path()).map_err(StoreError::Unavailable)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<SqliteConnection>> {
        let idle = self.idle.connections.lock();
        idle.unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Readers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Readers")
            .field("path", &self.file.path())
            .finish_non_exhaustive()
    }
}
