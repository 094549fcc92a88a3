//! Dropping a store: it waits for nothing, and the file can be opened again at once.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use diesel::Connection as _;
use diesel::connection::SimpleConnection as _;
use redflash_core::clock::Timestamp;
use redflash_core::store::{Directory, Outbox, Save, StoreError};
use redflash_store::{Access, SqliteStore};

use crate::file::contact;

/// Less than a writer waits for a lock, and more than anything takes on a busy machine.
const SOON: Duration = Duration::from_secs(3);

fn hand_over(work: impl Future) {
    let polled = pin!(work).poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(polled, Poll::Pending), "it was done at once");
}

/// Locks a file as another program does, until the result is dropped.
fn lock(path: &std::path::Path) -> diesel::SqliteConnection {
    let mut other = diesel::SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    other.batch_execute("BEGIN EXCLUSIVE").unwrap();
    other
}

#[tokio::test]
async fn drop_waits_for_no_lock_and_loses_no_write() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.db");
    let store = SqliteStore::open(&path, Access::Server).unwrap();
    let other = lock(&path);
    hand_over(store.save(&[contact("ann")], Save::Create));

    let begun = Instant::now();
    drop(store);
    let again = SqliteStore::open(&path, Access::Server).unwrap();
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    drop(other);
    assert!(SqliteStore::wait_until_closed(SOON));
    assert_eq!(again.contacts().await.unwrap().len(), 1);
}

#[tokio::test]
async fn file_opens_again_at_once_while_the_writer_is_busy() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.db");
    for round in 0..60 {
        let store = SqliteStore::open(&path, Access::Server).unwrap();
        // Otherwise tokio lets the task do only so much at a time.
        tokio::task::yield_now().await;
        for turn in 0..20 {
            let who = format!("c-{round}-{turn}");
            hand_over(store.save(&[contact(&who)], Save::Create));
        }
    }
    assert!(SqliteStore::wait_until_closed(Duration::from_secs(60)));
    let store = SqliteStore::open(&path, Access::Server).unwrap();
    assert_eq!(store.contacts().await.unwrap().len(), 60 * 20);
}

#[tokio::test]
async fn closed_store_leaves_one_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.db");
    let store = SqliteStore::open(&path, Access::Server).unwrap();
    store.save(&[contact("ann")], Save::Create).await.unwrap();
    store.contacts().await.unwrap();
    drop(store);
    assert!(SqliteStore::wait_until_closed(SOON));
    let log = directory.path().join("a.db-wal");
    assert!(!log.exists());
}

#[tokio::test]
async fn locked_file_delays_writes_and_no_reads() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.db");
    let store = SqliteStore::open(&path, Access::Server).unwrap();
    let other = lock(&path);
    let begun = Instant::now();
    store.version().await.unwrap();
    assert!(store.contacts().await.unwrap().is_empty());
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    let refused = store.probe(Timestamp::default()).await;
    assert!(
        matches!(refused, Err(StoreError::Unavailable(_))),
        "{refused:?}"
    );
    drop(other);
    store.probe(Timestamp::default()).await.unwrap();
}
