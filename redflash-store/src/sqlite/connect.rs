//! Connections to a database file.

use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use redflash_core::BoxError;

/// Returns a path as the URI of an existing file, so that SQLite does not create a missing file again.
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

/// Opens a connection that waits for locks, and syncs commits to disk.
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

/// Opens a connection that only reads. It hardly waits for locks, since its thread may serve other
/// tasks: in the mode that [`connect`] sets, readers need no lock that a writer holds.
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
