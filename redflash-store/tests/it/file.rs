//! What is particular to a store in a file.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use diesel::Connection as _;
use redflash_core::store::{Entry, Save};
use redflash_core::{Contact, Directory, Name, Outbox, Slug, StoreError, Timestamp};
use redflash_store::{Access, OpenError, SqliteStore};

/// An empty store in a directory that stays for as long as the test runs.
async fn open() -> std::sync::Arc<dyn redflash_core::Store> {
    let directory = tempfile::tempdir().unwrap().keep();
    let store = SqliteStore::open(directory.join("redflash.db"), Access::Server);
    std::sync::Arc::new(store.unwrap())
}

redflash_core::store_conformance!(open);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_alert_lets_small_ones_pass() {
    crate::fan_out::lets_small_ones_pass(open().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alert_that_is_left_half_way_is_finished_by_others() {
    crate::fan_out::is_finished_by_others(open().await, 1).await;
}

#[derive(diesel::QueryableByName)]
struct Row {
    #[diesel(sql_type = diesel::sql_types::Text)]
    name: String,
}

/// Runs a statement beside the store, and returns the column `name`.
fn sql(path: &Path, statement: &str) -> Vec<String> {
    use diesel::RunQueryDsl as _;

    let mut conn = diesel::SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    let query = diesel::sql_query(statement);
    if !statement.starts_with("SELECT") {
        query.execute(&mut conn).unwrap();
        return Vec::new();
    }
    let rows: Vec<Row> = query.load(&mut conn).unwrap();
    rows.into_iter().map(|row| row.name).collect()
}

#[tokio::test]
async fn one_unreadable_row_stops_no_other() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.db");
    let store = SqliteStore::open(&path, Access::Server).unwrap();
    crate::unreadable::is_set_aside(&store, async |text| sql(&path, text)).await;
}

#[tokio::test]
async fn a_large_plan_is_read_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.db");
    let store = SqliteStore::open(&path, Access::Server).unwrap();
    crate::unreadable::is_not_read_again(&store, async |text| sql(&path, text)).await;
}

/// Waits until the store refuses to work, or works again: within a second. Returns why it refuses.
async fn within_a_second(store: &SqliteStore, works: bool) -> String {
    let begun = std::time::Instant::now();
    loop {
        let probed = store.probe(Timestamp::default()).await;
        let read = store.contacts().await;
        if probed.is_ok() == works && read.is_ok() == works {
            return read.err().map_or_else(String::new, |error| {
                assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
                redflash_core::error_chain(&error)
            });
        }
        assert!(
            begun.elapsed() < std::time::Duration::from_secs(1),
            "{probed:?}"
        );
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_file_that_is_moved_away_is_noticed_until_it_is_back() {
    let directory = tempfile::tempdir().unwrap();
    let (path, away) = (directory.path().join("a.db"), directory.path().join("b.db"));
    let store = SqliteStore::open(&path, Access::Server).unwrap();
    store.save(&[contact("ann")], Save::Create).await.unwrap();
    std::fs::rename(&path, &away).unwrap();
    let why = within_a_second(&store, false).await;
    assert!(why.contains("a.db was removed or moved"), "{why}");
    assert!(!path.exists(), "nobody makes another");
    let refused = store.save(&[contact("bob")], Save::Create).await;
    assert!(
        matches!(refused, Err(StoreError::Unavailable(_))),
        "{refused:?}"
    );
    std::fs::copy(&away, &path).unwrap();
    let why = within_a_second(&store, false).await;
    let mut is_replaced = why.contains("was replaced by another file");
    while !is_replaced {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        is_replaced = within_a_second(&store, false)
            .await
            .contains("was replaced");
    }
    std::fs::rename(&away, &path).unwrap();
    within_a_second(&store, true).await;
    assert_eq!(store.contacts().await.unwrap().len(), 1);
    store.save(&[contact("bob")], Save::Create).await.unwrap();
}

#[tokio::test]
async fn a_removed_write_ahead_log_is_noticed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.db");
    let store = SqliteStore::open(&path, Access::Server).unwrap();
    store.save(&[contact("ann")], Save::Create).await.unwrap();
    std::fs::remove_file(directory.path().join("a.db-wal")).unwrap();
    let why = within_a_second(&store, false).await;
    assert!(why.contains("a.db-wal was removed"), "{why}");
    assert!(
        !directory.path().join("a.db-wal").exists(),
        "nobody makes another"
    );
}

pub(crate) fn contact(who: &str) -> Entry {
    Entry::Contact(Contact::new(
        Slug::parse(who).unwrap(),
        Name::parse(who).unwrap(),
    ))
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn what_was_saved_survives() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.db");
    let store = SqliteStore::open(&path, Access::Server).unwrap();
    store.save(&[contact("ann")], Save::Create).await.unwrap();
    drop(store);
    let store = SqliteStore::open(&path, Access::Server).unwrap();
    assert_eq!(store.contacts().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_file_of_the_first_version_is_brought_up_to_date() {
    use diesel::connection::SimpleConnection as _;

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.db");
    let mut old = diesel::SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    let tables = include_str!("../../migrations/sqlite/2026-11-24-000000_first/up.sql");
    old.batch_execute(tables).unwrap();
    old.batch_execute(include_str!("first.sql")).unwrap();
    drop(old);
    let store = SqliteStore::open(&path, Access::Server).unwrap();
    crate::keeps_what_the_first_version_left(&store).await;
}

#[tokio::test]
async fn a_second_server_is_refused_by_the_number_of_the_first() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.db");
    assert_eq!(SqliteStore::served_by(&path).unwrap(), None);
    let first = SqliteStore::open(&path, Access::Server).unwrap();
    let refused = SqliteStore::open(&path, Access::Server).unwrap_err();
    let pid = std::process::id();
    assert!(
        refused.to_string().contains(&format!("(pid {pid})")),
        "{refused}"
    );
    assert_eq!(SqliteStore::served_by(&path).unwrap(), Some(pid));
    drop(first);
    assert_eq!(SqliteStore::served_by(&path).unwrap(), None);
    SqliteStore::open(&path, Access::Server).unwrap();
}

#[tokio::test]
async fn who_shares_the_file_sees_the_others_changes() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.db");
    let server = SqliteStore::open(&path, Access::Server).unwrap();
    let before = server.version().await.unwrap();
    let beside = SqliteStore::open(&path, Access::Shared).unwrap();
    beside.save(&[contact("ann")], Save::Create).await.unwrap();
    assert_ne!(server.version().await.unwrap(), before);
    assert_eq!(
        server.contacts().await.unwrap(),
        beside.contacts().await.unwrap()
    );
}

#[tokio::test]
async fn both_sides_can_write_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.db");
    let stores = [Access::Server, Access::Shared, Access::Shared]
        .map(|access| SqliteStore::open(&path, access).unwrap());
    let writers = stores.into_iter().zip(0..).map(|(store, writer)| {
        tokio::spawn(async move {
            for turn in 0..50 {
                let entry = contact(&format!("c-{writer}-{turn}"));
                store.save(&[entry], Save::Create).await.unwrap();
            }
            store
        })
    });
    let mut all = Vec::new();
    for writer in writers.collect::<Vec<_>>() {
        all.push(writer.await.unwrap());
    }
    assert_eq!(all[0].contacts().await.unwrap().len(), 150);
}

#[tokio::test]
async fn only_the_owner_can_read_the_files() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.db");
    let store = SqliteStore::open(&path, Access::Server).unwrap();
    store.probe(Timestamp::default()).await.unwrap();
    for name in ["a.db", "a.db-wal", "a.db-shm", "a.db.lock"] {
        assert_eq!(mode(&directory.path().join(name)), 0o600, "{name}");
    }
}

#[tokio::test]
async fn what_cannot_be_a_store_is_refused_with_its_name() {
    let directory = tempfile::tempdir().unwrap();
    let refused = SqliteStore::open(directory.path(), Access::Shared).unwrap_err();
    assert!(matches!(refused, OpenError::Directory { .. }), "{refused}");
    let text = directory.path().join("text");
    std::fs::write(
        &text,
        "this is no database, but a longer text than a header\n".repeat(40),
    )
    .unwrap();
    let refused = SqliteStore::open(&text, Access::Shared).unwrap_err();
    assert!(matches!(refused, OpenError::Database { .. }), "{refused}");
    let nowhere = directory.path().join("missing").join("a.db");
    let refused = SqliteStore::open(nowhere, Access::Shared).unwrap_err();
    assert!(
        matches!(refused, OpenError::NoDirectory { .. }),
        "{refused}"
    );
    let directory = directory.path().join("missing").display().to_string();
    assert!(refused.to_string().contains(&directory), "{refused}");
}

#[tokio::test]
async fn a_missing_file_is_created_only_where_that_is_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.db");
    for access in [Access::Shared, Access::Server] {
        let refused = SqliteStore::open_existing(&path, access).unwrap_err();
        assert!(matches!(refused, OpenError::Missing { .. }), "{refused}");
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    }
    let created = SqliteStore::open(&path, Access::Shared).unwrap();
    created.save(&[contact("ann")], Save::Create).await.unwrap();
    let opened = SqliteStore::open_existing(&path, Access::Server).unwrap();
    assert_eq!(opened.contacts().await.unwrap().len(), 1);
}

#[tokio::test]
async fn names_that_mean_something_to_sqlite_are_files() {
    let directory = tempfile::tempdir().unwrap();
    for name in [":memory:", "a?mode=memory", "a#b", "50%25.db"] {
        let path = directory.path().join(name);
        let store = SqliteStore::open(&path, Access::Server).unwrap();
        store.save(&[contact("ann")], Save::Create).await.unwrap();
        assert_eq!(store.contacts().await.unwrap().len(), 1);
        drop(store);
        assert!(path.metadata().unwrap().len() > 0, "{name}");
    }
}

#[tokio::test]
async fn one_failing_job_fails_alone() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(directory.path().join("a.db"), Access::Server).unwrap();
    store.save(&[contact("taken")], Save::Create).await.unwrap();
    let store = std::sync::Arc::new(store);
    let jobs: Vec<_> = (0..100)
        .map(|turn| {
            let store = std::sync::Arc::clone(&store);
            let who = if turn % 10 == 0 {
                "taken".to_owned()
            } else {
                format!("c{turn}")
            };
            tokio::spawn(async move { store.save(&[contact(&who)], Save::Create).await })
        })
        .collect();
    let mut failed = 0;
    for job in jobs {
        match job.await.unwrap() {
            Ok(()) => {}
            Err(StoreError::Conflict { .. }) => failed += 1,
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!(failed, 10);
    assert_eq!(store.contacts().await.unwrap().len(), 91);
}
