//! Opening a file.

use std::fs::{OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use redflash_core::BoxError;
use redflash_core::store::ServingSlot;

use super::SqliteStore;
use super::lock::Lock;
use super::reader::Readers;
use super::watch::FileWatch;
use super::writer::Writer;
use crate::heads::Heads;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/sqlite");

/// What a process wants of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// To dispatch from it, which only one process may at a time.
    Server,
    /// To read and change it, beside a server or without one.
    Shared,
}

/// Why a file could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process dispatches from the file.
    #[error("{} is served by another process{}: stop that one first, or use another file", path.display(), pid.map_or_else(String::new, |pid| format!(" (pid {pid})")))]
    Served {
        /// The file.
        path: PathBuf,
        /// The process, if it left its number.
        pid: Option<u32>,
    },
    /// The path names a directory.
    #[error("{} is a directory: name a file in it, such as {}", path.display(), path.join("redflash.db").display())]
    Directory {
        /// The path.
        path: PathBuf,
    },
    /// There is no such file, and none was to be created.
    #[error("no database at {}", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The directory of the file does not exist.
    #[error("there is no directory {} for the database {}: create the directory first, or name another file", directory.display(), path.display())]
    NoDirectory {
        /// The file.
        path: PathBuf,
        /// Its directory.
        directory: PathBuf,
    },
    /// The file system refuses.
    #[error("{} cannot be opened", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// SQLite refuses: not a database, locked, or damaged.
    #[error("{} cannot be used as a database", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// Why.
        source: BoxError,
    },
    /// The tables were made by a newer version.
    #[error("{} was made by a newer version of RedFlash (its tables are of {found}): use that version", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The newest migration it has.
        found: String,
    },
}

/// Opens a file.
///
/// * `creates` - whether the file is created when it is missing.
pub(super) fn open(path: &Path, access: Access, creates: bool) -> Result<SqliteStore, OpenError> {
    if path.is_dir() {
        let path = path.to_owned();
        return Err(OpenError::Directory { path });
    }
    if creates {
        create_private(path)?;
    } else if !path.exists() {
        let path = path.to_owned();
        return Err(OpenError::Missing { path });
    }
    let lock = match access {
        Access::Server => Some(Lock::take(path)?),
        Access::Shared => None,
    };
    let database = |source: BoxError| OpenError::Database {
        path: path.to_owned(),
        source,
    };
    let mut conn = connect(path).map_err(database)?;
    migrate(&mut conn, path)?;
    let watch = FileWatch::start(path).map_err(|source| OpenError::Io {
        path: path.to_owned(),
        source,
    })?;
    let path: Arc<Path> = path.into();
    Ok(SqliteStore {
        path: path.to_path_buf(),
        writer: Writer::start(conn, Arc::clone(&path), watch.clone()).map_err(database)?,
        readers: Readers::new(path, watch),
        heads: Heads::default(),
        serving: ServingSlot::default(),
        _lock: lock,
    })
}

/// Makes the file, if it is missing, so that only its owner can read it. SQLite gives the files
/// beside it the same mode.
fn create_private(path: &Path) -> Result<(), OpenError> {
    let mut options = OpenOptions::new();
    let made = options.write(true).create_new(true).mode(0o600).open(path);
    let made = match made {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        made => made.and_then(|file| file.set_permissions(Permissions::from_mode(0o600))),
    };
    made.map_err(|source| {
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let path = path.to_owned();
        match absolute.parent().filter(|directory| !directory.exists()) {
            Some(directory) => OpenError::NoDirectory {
                path,
                directory: directory.to_owned(),
            },
            None => OpenError::Io { path, source },
        }
    })
}

/// A path as a URI of a file that is there: one that is gone must not be made anew, empty.
/// <https://www.sqlite.org/uri.html>
fn existing(path: &str) -> String {
    let path = path.replace('%', "%25");
    let path = path.replace('?', "%3f").replace('#', "%23");
    format!("file:{path}?mode=rw")
}

/// A connection that waits for locks, and syncs what it commits.
pub(super) fn connect(path: &Path) -> Result<SqliteConnection, BoxError> {
    // A name that SQLite could take for something else than a file, such as `:memory:` or `file:…`,
    // is made a path.
    let absolute = std::path::absolute(path)?;
    let name = absolute.to_str().ok_or("the path is not valid UTF-8")?;
    let mut conn = SqliteConnection::establish(&existing(name))?;
    conn.batch_execute(
        "PRAGMA busy_timeout = 5000;
         PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = ON;
         PRAGMA temp_store = MEMORY;
         PRAGMA cache_size = -8000;",
    )?;
    Ok(conn)
}

fn migrate(conn: &mut SqliteConnection, path: &Path) -> Result<(), OpenError> {
    let database = |source: BoxError| OpenError::Database {
        path: path.to_owned(),
        source,
    };
    let known = MigrationSource::names().map_err(database)?;
    let applied = conn.applied_migrations().map_err(database)?;
    let newest = applied
        .iter()
        .map(ToString::to_string)
        .find(|version| !known.contains(version));
    if let Some(found) = newest {
        let path = path.to_owned();
        return Err(OpenError::Newer { path, found });
    }
    conn.run_pending_migrations(MIGRATIONS).map_err(database)?;
    Ok(())
}

/// The migrations that this version knows.
struct MigrationSource;

impl MigrationSource {
    fn names() -> Result<Vec<String>, BoxError> {
        use diesel::migration::{Migration, MigrationSource as _};
        let all: Vec<Box<dyn Migration<diesel::sqlite::Sqlite>>> = MIGRATIONS.migrations()?;
        Ok(all
            .iter()
            .map(|migration| migration.name().version().to_string())
            .collect())
    }
}
