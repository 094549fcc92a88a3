//! Savepoints: each job of the writer has one.

use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;

use super::statement::{Release, Savepoint, Undo};
use crate::error::QueryError;

/// Runs work that leaves nothing behind when it fails.
///
/// # Errors
///
/// That of the work. A [fatal](QueryError::is_fatal) one leaves the transaction as it is: it is lost.
pub(super) fn within<T>(
    conn: &mut SqliteConnection,
    work: impl FnOnce(&mut SqliteConnection) -> Result<T, QueryError>,
) -> Result<T, QueryError> {
    Savepoint.execute(conn)?;
    match work(conn) {
        Err(error) if error.is_fatal() => Err(error),
        result => {
            if result.is_err() {
                Undo.execute(conn)?;
            }
            Release.execute(conn)?;
            result
        }
    }
}
