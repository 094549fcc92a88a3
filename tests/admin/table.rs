//! The CSV export of a large log.

use std::fs;
use std::path::Path;
use std::time::Duration;

use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use redflash_tests::raw::{self, Step};
use redflash_tests::{Signal, until};

use crate::world::World;

const LINES: usize = 100_000;
/// Additional memory that the export may use, in kilobytes.
const MEMORY: u64 = 32 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn exports_a_large_log_in_little_memory_without_blocking_alerts() {
    let mut world = World::as_user("guest").await;
    world.hooked("ada").await;
    let key = world.site.key("monitor", &["--inspect"]).await;
    let id = world.raise("contact/ada", &key, "disk full").await;
    until("the message has arrived", async || {
        let delivery = world.notification(&id, &key).await["deliveries"][0].clone();
        (delivery["state"] == "delivered").then_some(())
    })
    .await;
    let cookie = world.cookie().await;
    world.server.signal(Signal::TERM);
    world.server.ended().await;
    multiply(&world.site.database());
    world.server = world.site.serve().await;
    world.client = world.server.client();

    // Pages and alerts have allocated their memory by now.
    world.get("/admin/log").await.expect(200);
    world.raise("contact/ada", &key, "before").await;
    let before = memory(world.server.pid(), "VmRSS");
    let request = format!(
        "GET /admin/log.csv?from=2020-01-01 HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\n\
         Connection: close\r\n\r\n"
    );
    let steps = [Step::Send(request.into())];
    let table = raw::exchange(world.server.address(), &steps, Duration::from_secs(10));
    let raises = async {
        loop {
            world.raise("contact/ada", &key, "meanwhile").await;
        }
    };
    let table = tokio::select! {
        table = table => table,
        () = raises => unreachable!("it goes on for ever"),
    };
    let after = memory(world.server.pid(), "VmHWM");
    assert_eq!(table.status(), Some(200));
    let lines = table.text().matches("disk full\r\n").count();
    assert_eq!(lines, LINES + 1, "{} bytes came", table.bytes.len());
    let more = after.saturating_sub(before);
    assert!(more < MEMORY, "{more} kB more were needed");
}

/// Returns a memory figure of a process, in kilobytes.
fn memory(pid: u32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_ascii_whitespace()
        .nth(1)
        .unwrap()
        .parse()
        .unwrap()
}

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = diesel::sql_types::Text)]
    name: String,
}

/// Copies the only notification in a store, with its delivery, `LINES` times.
fn multiply(database: &Path) {
    // An id starts with its creation time in milliseconds; these are from 2022, in order.
    let time = "printf('018%09x00000000000000', serial)";
    let mut conn = SqliteConnection::establish(database.to_str().unwrap()).unwrap();
    for table in ["notifications", "deliveries"] {
        let query = format!("SELECT name FROM pragma_table_info('{table}')");
        let columns: Vec<Column> = diesel::sql_query(query).load(&mut conn).unwrap();
        let names: Vec<_> = columns.into_iter().map(|column| column.name).collect();
        let values = names.iter().map(|column| match (table, &**column) {
            ("notifications", "id") | ("deliveries", "notification") => {
                format!("{time} || '000000'")
            }
            ("deliveries", "id") => format!("{time} || '000001'"),
            (_, other) => format!("one.{other}"),
        });
        let values = values.collect::<Vec<_>>().join(", ");
        let insert = format!(
            "WITH RECURSIVE serials (serial) AS (
                 SELECT 1 UNION ALL SELECT serial + 1 FROM serials WHERE serial < {LINES}
             )
             INSERT INTO {table} ({}) SELECT {values}
             FROM serials, (SELECT * FROM {table} LIMIT 1) AS one",
            names.join(", ")
        );
        diesel::sql_query(insert).execute(&mut conn).unwrap();
    }
}
