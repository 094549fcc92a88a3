//! Tests particular to a store in a file.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use diesel::Connection as _;
use redflash_core::clock::Timestamp;
use redflash_core::model::{Contact, Name, Slug};
use redflash_core::store::{Directory, Entry, Outbox, Save, StoreError};
use redflash_store::{Access, OpenError, SqliteStore};

/// An empty store in a directory that stays for as long as the test runs.
async fn open() -> std::sync::Arc<dyn redflash_core::store::Store> {
    let directory = tempfile::tempdir().unwrap().keep();
    let store = SqliteStore::open(directory.join("redflash.db"), Access::Server);
    std::sync::Arc::new(store.unwrap())
}

redflash_core::store_conformance!(open);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_alert_does_not_delay_small_ones() {
    crate::fan_out::lets_small_ones_pass(open().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_nodes_finish_an_interrupted_alert() {
    crate::fan_out::is_finished_by_others(open().await, 1).await;
}

#[derive(diesel::QueryableByName)]
struct Row {
    #[diesel(sql_type = diesel::sql_types::Text)]
    name: String,
}

/// Runs a statement beside the store, and returns the column `name`.
pub(crate) fn sql(path: &Path, statement: &str) -> Vec<String> {
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
async fn reads_every_stored_word() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.db");
    let store = SqliteStore::open(&path, Access::Server).unwrap();
    crate::stored_words::insert(async |text| sql(&path, text)).await;
    crate::stored_words::are_read(&store).await;
    crate::stored_words::are_claimed(&store).await;
}

#[tokio::test]
async fn sets_aside_unreadable_rows_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.db");
    let store = SqliteStore::open(&path, Access::Server).unwrap();
    crate::unreadable::is_set_aside(&store, async |text| sql(&path, text)).await;
}

#[tokio::test]
async fn reads_a_large_plan_once() {
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
async fn detects_moved_file_until_it_returns() {
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
async fn detects_removed_write_ahead_log() {
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
async fn keeps_saved_entries_after_reopening() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.db");
    let store = SqliteStore::open(&path, Access::Server).unwrap();
    store.save(&[contact("ann")], Save::Create).await.unwrap();
    drop(store);
    let store = SqliteStore::open(&path, Access::Server).unwrap();
    assert_eq!(store.contacts().await.unwrap().len(), 1);
}

#[tokio::test]
async fn migrates_a_file_of_the_first_version() {
    use diesel::connection::SimpleConnection as _;

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.db");
    let mut old = diesel::SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    let tables = include_str!("../../migrations/sqlite/2026-11-24-000000_first/up.sql");
    old.batch_execute(tables).unwrap();
    old.batch_execute(include_str!("first.sql")).unwrap();
    drop(old);
    let store = SqliteStore::open(&path, Access::Server).unwrap();
    crate::keeps_rows_of_the_first_version(&store).await;
}

#[tokio::test]
async fn second_server_is_refused_with_the_pid_of_the_first() {
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
async fn processes_on_one_file_see_each_others_changes() {
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
async fn stores_on_one_file_can_write_concurrently() {
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
async fn files_are_readable_by_their_owner_only() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.db");
    let store = SqliteStore::open(&path, Access::Server).unwrap();
    store.probe(Timestamp::default()).await.unwrap();
    for name in ["a.db", "a.db-wal", "a.db-shm", "a.db.lock"] {
        assert_eq!(mode(&directory.path().join(name)), 0o600, "{name}");
    }
}

#[tokio::test]
async fn errors_name_paths_that_are_not_stores() {
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
async fn creates_a_missing_file_only_on_request() {
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
async fn opens_files_with_names_special_to_sqlite() {
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
async fn failing_job_fails_alone() {
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
