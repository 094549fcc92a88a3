//! SQLite: one file, one writer that commits for many, readers beside it.

mod audit;
mod lock;
mod open;
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

pub use open::{Access, OpenError};

use std::path::{Path, PathBuf};

use crate::heads::Heads;
use diesel::sqlite::SqliteConnection;
use lock::Lock;
use outbox::{due_queues, entry, insert, orphans, plans, unconfirmed, within, write};
use query::directory::version as held_version;
use reader::Readers;
use redflash_core::store::ServingSlot;
use run::RunQueryDsl;
use writer::Writer;

/// The connection that queries run on.
type Conn = SqliteConnection;

/// A store in one SQLite file.
///
/// Writes go through one thread, which takes what has queued, runs each job in a savepoint of its
/// own and commits once, synced. Readers have their own connections and never wait for the writer.
#[derive(Debug)]
pub struct SqliteStore {
    path: PathBuf,
    writer: Writer,
    readers: Readers,
    heads: Heads,
    serving: ServingSlot,
    /// Held as long as this process dispatches from the file.
    _lock: Option<Lock>,
}

impl SqliteStore {
    /// Opens a file, making it when it is missing and bringing its tables up to date.
    ///
    /// # Errors
    ///
    /// [`OpenError`], in words for whoever started the program.
    pub fn open(path: impl AsRef<Path>, access: Access) -> Result<Self, OpenError> {
        open::open(path.as_ref(), access, true)
    }

    /// Opens a file that exists, and brings its tables up to date.
    ///
    /// # Errors
    ///
    /// [`OpenError::Missing`] when there is no such file, and the others of [`open`](Self::open).
    pub fn open_existing(path: impl AsRef<Path>, access: Access) -> Result<Self, OpenError> {
        open::open(path.as_ref(), access, false)
    }

    /// The process that dispatches from a file, if there is one.
    ///
    /// # Errors
    ///
    /// [`OpenError`] when the lock file cannot be looked at.
    pub fn served_by(path: impl AsRef<Path>) -> Result<Option<u32>, OpenError> {
        lock::holder(path.as_ref())
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}
