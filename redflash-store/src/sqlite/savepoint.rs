//! Savepoints, by statements that are prepared once: each job of the writer has one.

use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sqlite::{Sqlite, SqliteConnection};

use crate::error::Fault;

macro_rules! statement {
    ($name:ident, $sql:literal) => {
        #[derive(QueryId)]
        struct $name;

        impl QueryFragment<Sqlite> for $name {
            fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
                out.push_sql($sql);
                Ok(())
            }
        }

        impl RunQueryDsl<SqliteConnection> for $name {}
    };
}

statement!(Savepoint, "SAVEPOINT job");
statement!(Release, "RELEASE job");
statement!(Undo, "ROLLBACK TO job");

/// Runs work that leaves nothing behind when it fails.
///
/// # Errors
///
/// That of the work. A [fatal](Fault::is_fatal) one leaves the transaction as it is: it is lost.
pub(super) fn within<T>(
    conn: &mut SqliteConnection,
    work: impl FnOnce(&mut SqliteConnection) -> Result<T, Fault>,
) -> Result<T, Fault> {
    Savepoint.execute(conn)?;
    match work(conn) {
        Err(fault) if fault.is_fatal() => Err(fault),
        result => {
            if result.is_err() {
                Undo.execute(conn)?;
            }
            Release.execute(conn)?;
            result
        }
    }
}
