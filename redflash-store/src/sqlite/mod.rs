//! SQLite: one file, one writer that commits for many jobs, and concurrent readers.

mod audit;
mod connect;
mod database_file;
mod file_id;
mod holder;
mod lock;
mod name;
mod open;
mod open_error;
mod outbox;
#[cfg(feature = "postgres")]
mod page;
#[path = "../query/mod.rs"]
#[allow(clippy::duplicate_mod, reason = "compiled once for each back end")]
mod query;
mod reader;
mod run;
mod savepoint;
mod sessions;
mod statement;
mod store;
mod watch;
mod writer;

pub use open::Access;
pub use open_error::OpenError;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::heads::Heads;
use database_file::DatabaseFile;
use diesel::sqlite::SqliteConnection;
use holder::Holder;
use lock::ServerLock;
use outbox::{due_queues, entry, insert, orphans, plans, unconfirmed, within, write};
use query::directory::version as held_version;
use reader::Readers;
use run::RunQueryDsl;
use writer::Writer;

/// The connection that queries run on.
type Conn = SqliteConnection;

/// A store in one SQLite file.
///
/// All writes go through one thread, which takes the queued jobs, runs each in a savepoint of its own and
/// commits once, synced to disk. Readers have their own connections and never wait for the writer.
///
/// Dropping it gives up the right to dispatch at once without waiting: the thread finishes its jobs and
/// closes the file later. [`wait_until_closed`](Self::wait_until_closed) waits for that.
///
/// A forked process cannot use it, nor open the same file: fork first, then open the store.
#[derive(Debug)]
pub struct SqliteStore {
    // Closed before the writer's connection, which checkpoints the log when it is the last one.
    readers: Readers,
    writer: Writer,
    heads: Heads,
    /// Held from opening until a dispatcher serves.
    server: Mutex<Option<ServerLock>>,
    file: Arc<DatabaseFile>,
}

impl SqliteStore {
    /// Opens a file, creates it if it is missing, and migrates its tables.
    ///
    /// * `path` - a path, or a `file:` URI without parameters. It is resolved once: later changes of the
    ///   working directory or of symbolic links make no difference.
    ///
    /// # Errors
    ///
    /// Returns an [`OpenError`] with a message for the operator.
    pub fn open(path: impl AsRef<Path>, access: Access) -> Result<Self, OpenError> {
        open::open(path.as_ref(), access, true)
    }

    /// Opens an existing file, and migrates its tables.
    ///
    /// # Errors
    ///
    /// Returns [`OpenError::Missing`] if the file does not exist, and the errors of [`open`](Self::open).
    pub fn open_existing(path: impl AsRef<Path>, access: Access) -> Result<Self, OpenError> {
        open::open(path.as_ref(), access, false)
    }

    /// Returns the process that dispatches from a file, if any; 0 if its id is unknown.
    ///
    /// # Errors
    ///
    /// Returns [`OpenError::Io`] if the lock file cannot be read, and the errors of names as in
    /// [`open`](Self::open).
    pub fn served_by(path: impl AsRef<Path>) -> Result<Option<u32>, OpenError> {
        let path = name::path_of(path.as_ref())?;
        let resolved = path.canonicalize().unwrap_or_else(|_| path.clone());
        match holder::holder(&resolved) {
            Ok(Holder::Nobody) => Ok(None),
            Ok(Holder::Process(number)) => Ok(Some(number)),
            Ok(Holder::Unknown) => Ok(Some(0)),
            Err(source) => Err(OpenError::Io { path, source }),
        }
    }

    /// Returns the path of a name, which is a path or a `file:` URI.
    ///
    /// # Errors
    ///
    /// Returns [`OpenError::Unnamed`] for an empty name, [`OpenError::Memory`] for a database in memory, and
    /// [`OpenError::Uri`] for a URI with parameters.
    pub fn path_of(name: impl AsRef<Path>) -> Result<PathBuf, OpenError> {
        name::path_of(name.as_ref())
    }

    /// Waits until the files of all dropped stores of this process are closed. Returns false on a timeout.
    /// It blocks the thread: call it before the program exits, so that each database is left in one file.
    pub fn wait_until_closed(within: Duration) -> bool {
        database_file::wait_until_closed(within)
    }

    /// Returns the absolute path of the file, without symbolic links.
    pub fn path(&self) -> &Path {
        self.file.path()
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.file.start_closing();
    }
}
