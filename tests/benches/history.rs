//! Accepts with a million finished notifications in the log, beside an empty store.

use std::time::Duration;

use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;

use crate::load::{self, raise};
use crate::served::{Served, block_on};

const LENGTH: Duration = Duration::from_secs(5);
const ROWS: usize = 1_000_000;

pub(crate) fn run() {
    block_on(async {
        let sink = crate::child::Process::start("sink", &[]);
        let hook = format!("http://{}/ann", sink.address);
        let empty = rate(Served::start("", &hook).await).await;

        let served = Served::start("", &hook).await;
        let request = raise("/contact/ann?wait=10s", &served.key);
        let mut connection = load::Connection::open(served.server.address()).await;
        assert_eq!(connection.exchange(&request).await.0, 201);
        let Served { site, server, key } = served;
        server.stop().await;
        multiply(&site.database());
        let again = site.serve().await;
        let full = rate(Served {
            site,
            server: again,
            key,
        })
        .await;
        println!(
            "history           {full:.0}/s with {ROWS} rows; {empty:.0}/s with none; ratio {:.2} (aim 0.90)",
            full / empty
        );
    });
}

async fn rate(served: Served) -> f64 {
    let request = raise("/contact/ann", &served.key);
    load::run(served.server.address(), request, LENGTH)
        .await
        .rate
}

/// Copies the one notification in a store, with its delivery and its attempt, a million times.
fn multiply(database: &std::path::Path) {
    let mut conn = SqliteConnection::establish(database.to_str().unwrap()).unwrap();
    for table in ["notifications", "deliveries", "attempts"] {
        let columns = columns(&mut conn, table);
        let values = columns.iter().map(|column| match (table, &**column) {
            ("notifications" | "deliveries", "id")
            | ("deliveries", "notification")
            | ("attempts", "delivery") => "printf('%032x', serial)".to_owned(),
            (_, other) => format!("one.{other}"),
        });
        let values = values.collect::<Vec<_>>().join(", ");
        let insert = format!(
            "WITH RECURSIVE serials (serial) AS (
                 SELECT 1 UNION ALL SELECT serial + 1 FROM serials WHERE serial < {ROWS}
             )
             INSERT INTO {table} ({}) SELECT {values}
             FROM serials, (SELECT * FROM {table} LIMIT 1) AS one",
            columns.join(", ")
        );
        diesel::sql_query(insert).execute(&mut conn).unwrap();
    }
}

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = diesel::sql_types::Text)]
    name: String,
}

fn columns(conn: &mut SqliteConnection, table: &str) -> Vec<String> {
    let query = format!("SELECT name FROM pragma_table_info('{table}')");
    let columns: Vec<Column> = diesel::sql_query(query).load(conn).unwrap();
    columns.into_iter().map(|column| column.name).collect()
}
