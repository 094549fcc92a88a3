//! Connections to a database file.

use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use redflash_core::BoxError;

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
