//! Running queries that are written for connections that have to be waited for, on one that answers
//! at once.

use std::future::{Ready, ready};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use diesel::query_dsl::methods::{ExecuteDsl, LoadQuery};
use diesel::result::QueryResult;
use diesel::sqlite::SqliteConnection;

/// Diesel's trait of this name, with futures that are ready at once.
pub(super) trait RunQueryDsl: Sized {
    fn execute(self, conn: &mut SqliteConnection) -> Ready<QueryResult<usize>>
    where
        Self: ExecuteDsl<SqliteConnection>,
    {
        ready(ExecuteDsl::execute(self, conn))
    }

    fn load<'query, U>(self, conn: &mut SqliteConnection) -> Ready<QueryResult<Vec<U>>>
    where
        Self: LoadQuery<'query, SqliteConnection, U>,
    {
        let rows = self.internal_load(conn);
        ready(rows.and_then(Iterator::collect))
    }

    fn get_result<'query, U>(self, conn: &mut SqliteConnection) -> Ready<QueryResult<U>>
    where
        Self: LoadQuery<'query, SqliteConnection, U>,
    {
        let rows = self.internal_load(conn);
        let first = rows.and_then(|mut rows| rows.next().ok_or(diesel::NotFound)?);
        ready(first)
    }
}

impl<T> RunQueryDsl for T {}

/// Returns the result of a future that is ready at once.
pub(super) fn now<T>(query: impl Future<Output = T>) -> T {
    match pin!(query).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => unreachable!("nothing here waits"),
    }
}
