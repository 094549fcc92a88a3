//! Opening a file.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use redflash_core::BoxError;

use super::SqliteStore;
use super::database_file::DatabaseFile;
use super::holder::holder_by_another_name;
use super::lock::{Refused, ServerLock};
use super::name::path_of;
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
    /// Another process dispatches from the file, or another store of this one.
    #[error("{}", served(path, *pid))]
    Served {
        /// The file.
        path: PathBuf,
        /// The process, if it left its number.
        pid: Option<u32>,
    },
    /// No file is named.
    #[error("no database file is named: give the path of one, such as redflash.db")]
    Unnamed,
    /// The name is that of a database in memory.
    #[error("{} is a database in memory, which is lost with the process: name a file, or use redflash_core::MemoryStore", path.display())]
    Memory {
        /// The name.
        path: PathBuf,
    },
    /// The name is a URI with more to it than a path.
    #[error("{}: {reason}: give the path alone, as /path/to/redflash.db or file:/path/to/redflash.db", path.display())]
    Uri {
        /// The URI.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The process that has forked this one had the file open.
    #[error("{} was already open in {} when this process was forked: open the store after fork", path.display(), pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}")))]
    Forked {
        /// The file.
        path: PathBuf,
        /// The process that had it open, if that can be told.
        pid: Option<u32>,
    },
    /// A process dispatches from the file under another name, a hard link. Both would write into logs of
    /// their own, and what one records the other never sees.
    #[error("{} is served by process {pid} under another name: open it by the path that process uses", path.display())]
    OtherName {
        /// The file.
        path: PathBuf,
        /// The process.
        pid: u32,
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

/// The message of a store that is refused since another serves its file.
fn served(path: &Path, pid: Option<u32>) -> String {
    let path = path.display();
    match pid {
        Some(pid) if pid == std::process::id() => format!(
            "{path} is served by another store of this process (pid {pid}): drop that one first, or use another file"
        ),
        Some(pid) => format!(
            "{path} is served by another process (pid {pid}): stop that one first, or use another file"
        ),
        None => {
            format!("{path} is served by another process: stop that one first, or use another file")
        }
    }
}

/// Opens a file.
///
/// * `creates` - whether the file is created when it is missing.
pub(super) fn open(name: &Path, access: Access, creates: bool) -> Result<SqliteStore, OpenError> {
    let path = path_of(name)?;
    if path.is_dir() {
        return Err(OpenError::Directory { path });
    }
    let file = DatabaseFile::open(&path, creates)?;
    let server = match access {
        Access::Server => Some(ServerLock::take(&file).map_err(|refused| refused.opening(&path))?),
        Access::Shared => match holder_by_another_name(file.path()) {
            Ok(None) => None,
            Ok(Some(pid)) => return Err(OpenError::OtherName { path, pid }),
            Err(source) => return Err(OpenError::Io { path, source }),
        },
    };
    let database = |source: BoxError| OpenError::Database {
        path: path.clone(),
        source,
    };
    let mut conn = connect(file.path()).map_err(database)?;
    migrate(&mut conn, &path)?;
    let watch = FileWatch::start(&file).map_err(|source| OpenError::Io {
        path: path.clone(),
        source,
    })?;
    Ok(SqliteStore {
        readers: Readers::new(Arc::clone(&file), watch.clone()),
        writer: Writer::start(conn, Arc::clone(&file), watch).map_err(database)?,
        heads: Heads::default(),
        server: Mutex::new(server),
        file,
    })
}

impl Refused {
    /// The error of a store that is being opened.
    fn opening(self, path: &Path) -> OpenError {
        match self {
            Self::Held(pid) => OpenError::Served {
                path: path.to_owned(),
                pid,
            },
            Self::Io(path, source) => OpenError::Io { path, source },
        }
    }
}

/// A path as a URI of a file that is there: one that is gone must not be made anew, empty.
/// <https://www.sqlite.org/uri.html>
fn existing(path: &str) -> String {
    let path = path.replace('%', "%25");
    let path = path.replace('?', "%3f").replace('#', "%23");
    format!("file:{path}?mode=rw")
}

/// Connects to a file by its absolute path.
fn establish(path: &Path) -> Result<SqliteConnection, BoxError> {
    let name = path.to_str().ok_or("the path is not valid UTF-8")?;
    Ok(SqliteConnection::establish(&existing(name))?)
}

/// A connection that waits for locks, and syncs what it commits.
pub(super) fn connect(path: &Path) -> Result<SqliteConnection, BoxError> {
    let mut conn = establish(path)?;
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

/// A connection that only reads. It hardly waits, since it may be on a thread that serves others too: in
/// the mode that [`connect`] sets, readers need no lock that a writer holds.
pub(super) fn connect_reader(path: &Path) -> Result<SqliteConnection, BoxError> {
    let mut conn = establish(path)?;
    conn.batch_execute(
        "PRAGMA busy_timeout = 20;
         PRAGMA query_only = ON;
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    #[test]
    fn reader_does_not_wait_for_a_locked_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.db");
        std::fs::write(&path, "").unwrap();
        let mut other = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
        other
            .batch_execute("CREATE TABLE t (a); BEGIN EXCLUSIVE")
            .unwrap();

        let begun = Instant::now();
        let read = connect_reader(&path)
            .and_then(|mut reader| Ok(reader.batch_execute("SELECT a FROM t")?));
        let refused = read.unwrap_err().to_string();
        assert!(refused.contains("locked"), "{refused}");
        assert!(begun.elapsed() < Duration::from_secs(3));
    }
}
