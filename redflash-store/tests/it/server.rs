//! The store on a Postgres server.

use std::collections::BTreeSet;
use std::sync::Arc;

use redflash_core::Store;
use redflash_store::{PostgresConfig, PostgresStore};
use redflash_tests::Postgres;

/// An empty store on a cluster that runs for as long as the test.
async fn open() -> Arc<dyn Store> {
    let cluster: &Postgres = Box::leak(Box::new(Postgres::start().await));
    let mut config =
        PostgresConfig::new(format!("{}?sslmode=verify-full", cluster.database().await));
    config.ca_file = Some(cluster.ca_file().to_owned());
    Arc::new(PostgresStore::open(&config).await.unwrap())
}

redflash_core::store_conformance!(open);

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_the_first_version_is_brought_up_to_date() {
    let cluster = Postgres::start().await;
    let url = cluster.database().await;
    let tables = include_str!("../../migrations/postgres/2026-11-24-000000_first/up.sql");
    cluster.sql(&url, tables).await;
    cluster.sql(&url, include_str!("first.sql")).await;
    let config = PostgresConfig::new(&*url);
    let store = PostgresStore::open(&config).await.unwrap();
    crate::keeps_what_the_first_version_left(&store).await;
}

/// The tables and columns of both back ends are the same, but for what only nodes need.
#[cfg(feature = "sqlite")]
#[tokio::test(flavor = "multi_thread")]
async fn the_tables_are_those_of_sqlite() {
    use diesel::prelude::*;

    #[derive(diesel::QueryableByName)]
    struct Column {
        #[diesel(sql_type = diesel::sql_types::Text)]
        name: String,
    }

    let cluster = Postgres::start().await;
    let url = cluster.database().await;
    PostgresStore::open(&PostgresConfig::new(&*url))
        .await
        .unwrap();
    let columns = "SELECT table_name || '.' || column_name FROM information_schema.columns
        WHERE table_schema = 'public'";
    let there: BTreeSet<String> = cluster
        .sql(&url, columns)
        .await
        .lines()
        .map(str::to_owned)
        .filter(|name| !name.starts_with("closed_lanes."))
        .collect();

    let file = tempfile::NamedTempFile::new().unwrap();
    redflash_store::SqliteStore::open(file.path(), redflash_store::Access::Shared).unwrap();
    let mut conn = SqliteConnection::establish(file.path().to_str().unwrap()).unwrap();
    let columns = "SELECT tables.name || '.' || columns.name AS name
        FROM sqlite_schema AS tables, pragma_table_info(tables.name) AS columns
        WHERE tables.type = 'table' AND tables.name NOT LIKE 'sqlite_%'";
    let here: Vec<Column> = diesel::sql_query(columns).load(&mut conn).unwrap();
    let here: BTreeSet<String> = here.into_iter().map(|column| column.name).collect();

    assert_eq!(here, there);
}
