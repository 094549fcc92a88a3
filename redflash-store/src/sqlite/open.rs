//! Opening a file.

use std::path::Path;
use std::sync::{Arc, Mutex};

use diesel::sqlite::SqliteConnection;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use redflash_core::BoxError;

use super::SqliteStore;
use super::connect::connect;
use super::database_file::DatabaseFile;
use super::holder::holder_by_another_name;
use super::lock::{LockError, ServerLock};
use super::name::path_of;
use super::open_error::OpenError;
use super::reader::Readers;
use super::watch::FileWatch;
use super::writer::Writer;
use crate::heads::Heads;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/sqlite");

/// The access of a process to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Dispatching from it, which only one process may do at a time.
    Server,
    /// Reading and changing it, with or without a running server.
    Shared,
}

/// Opens a file.
///
/// * `creates` - creates the file if it is missing.
pub(super) fn open(name: &Path, access: Access, creates: bool) -> Result<SqliteStore, OpenError> {
    let path = path_of(name)?;
    if path.is_dir() {
        return Err(OpenError::Directory { path });
    }
    let file = DatabaseFile::open(&path, creates)?;
    let server = match access {
        Access::Server => {
            Some(ServerLock::take(&file).map_err(|error| error.into_open_error(&path))?)
        }
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

impl LockError {
    /// Returns the error of opening a store.
    fn into_open_error(self, path: &Path) -> OpenError {
        match self {
            Self::Held(pid) => OpenError::Served {
                path: path.to_owned(),
                pid,
            },
            Self::Io(path, source) => OpenError::Io { path, source },
        }
    }
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
