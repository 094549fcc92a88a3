//! Running queries, each in its time and on a connection of its own.

/// Runs a query on a connection, in its time, and judges by `$judge` what it came to.
macro_rules! run {
    ($judge:ident, $store:expr, |$conn:ident| $query:expr) => {
        $crate::postgres::run::run!($judge, $store, $store.connections.timeout, |$conn| $query)
    };
    ($judge:ident, $store:expr, $within:expr, |$conn:ident| $query:expr) => {{
        let mut held = $store.connections.get().await?;
        let outcome = {
            let $conn: &mut $crate::postgres::Conn = &mut held;
            tokio::time::timeout($within, $query).await
        };
        $crate::postgres::$judge(held, outcome)
    }};
}

/// Runs one query that reads.
macro_rules! ask {
    ($store:expr, |$conn:ident| $query:expr) => {
        $crate::postgres::run::run!(read, $store, |$conn| $query)
    };
}

/// Runs queries that must see one moment.
macro_rules! snapshot {
    ($store:expr, |$conn:ident| $work:expr) => {
        $crate::postgres::run::run!(read, $store, |conn| conn
            .build_transaction()
            .repeatable_read()
            .read_only()
            .run(async |$conn: &mut $crate::postgres::Conn| $work))
    };
}

/// Runs queries that write, in a transaction.
macro_rules! transact {
    ($store:expr, |$conn:ident| $work:expr) => {
        $crate::postgres::run::run!(wrote, $store, |conn| conn
            .transaction(async |$conn: &mut $crate::postgres::Conn| $work))
    };
}

pub(super) use {ask, run, snapshot, transact};
