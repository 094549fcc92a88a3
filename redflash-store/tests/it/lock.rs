//! One store of one process serves a file, whatever the file is called.

use std::fs::File;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

use redflash_core::clock::Timestamp;
use redflash_core::model::WorkerId;
use redflash_core::store::{Outbox, Serving, StoreError};
use redflash_store::{Access, OpenError, SqliteStore};

use crate::child::Child;

struct Place {
    directory: tempfile::TempDir,
    path: PathBuf,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.db");
        Self { directory, path }
    }

    fn beside(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn open(&self, access: Access) -> SqliteStore {
        SqliteStore::open(&self.path, access).unwrap()
    }
}

fn serve(store: &SqliteStore) -> Result<Serving, StoreError> {
    store.serve(WorkerId::new(Timestamp::default()))
}

fn is_served_by(path: &Path, pid: u32) {
    match SqliteStore::open(path, Access::Server) {
        Err(OpenError::Served { pid: by, .. }) => assert_eq!(by, Some(pid)),
        other => panic!("{}: {other:?}", path.display()),
    }
    assert_eq!(SqliteStore::served_by(path).unwrap(), Some(pid));
}

fn is_served_elsewhere(opened: Result<Serving, StoreError>) -> String {
    match opened {
        Err(StoreError::Served { by }) => by,
        other => panic!("{other:?}"),
    }
}

/// Every name of a file leads to the server that it has, also when its lock file was removed.
fn names_lead_to(place: &Place, pid: u32) {
    is_served_by(&place.path, pid);
    let (soft, hard) = (place.beside("soft.db"), place.beside("hard.db"));
    symlink(&place.path, &soft).unwrap();
    is_served_by(&soft, pid);
    if cfg!(target_os = "linux") {
        std::fs::hard_link(&place.path, &hard).unwrap();
        is_served_by(&hard, pid);
        std::fs::remove_file(place.beside("a.db.lock")).unwrap();
        is_served_by(&place.path, pid);
        is_served_by(&soft, pid);
    }
}

#[test]
fn refuses_second_server_in_same_process_under_any_name() {
    let place = Place::new();
    let first = place.open(Access::Server);
    names_lead_to(&place, std::process::id());
    drop(first);
    assert_eq!(SqliteStore::served_by(&place.path).unwrap(), None);
    drop(place.open(Access::Server));
}

#[test]
fn refuses_second_server_in_other_process_under_any_name() {
    let place = Place::new();
    let first = Child::serving(&place.path);
    names_lead_to(&place, first.id());
    first.stop();
    assert_eq!(SqliteStore::served_by(&place.path).unwrap(), None);
    let _now = place.open(Access::Server);
    let mut other = Child::start("serve", &place.path, Path::new("/"));
    let refused = other.line();
    let pid = format!("(pid {})", std::process::id());
    assert!(refused.contains(&pid), "{refused}");
}

#[test]
fn crashed_server_leaves_no_lock() {
    let place = Place::new();
    drop(Child::serving(&place.path));
    assert_ne!(std::fs::read(place.beside("a.db.lock")).unwrap(), b"");
    assert_eq!(SqliteStore::served_by(&place.path).unwrap(), None);
    drop(place.open(Access::Server));
    assert_eq!(std::fs::read(place.beside("a.db.lock")).unwrap(), b"");
}

#[test]
fn file_served_through_lock_file_alone_is_served() {
    let place = Place::new();
    drop(place.open(Access::Server));
    let mut older = Child::start("lock the file beside", &place.path, Path::new("/"));
    assert_eq!(older.line(), "locked");
    is_served_by(&place.path, older.id());
    older.stop();
    drop(place.open(Access::Server));
}

#[test]
fn lock_query_does_not_disturb_start() {
    let place = Place::new();
    drop(Child::serving(&place.path));
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // As another version asks, and as this one does.
        scope.spawn(|| {
            let lock = File::open(place.beside("a.db.lock")).unwrap();
            while !is_over.load(Ordering::Relaxed) {
                let _ = lock.try_lock_shared();
                lock.unlock().unwrap();
                SqliteStore::served_by(&place.path).unwrap();
            }
        });
        let opened = (0..100).map(|_| SqliteStore::open(&place.path, Access::Server).map(drop));
        let opened: Result<Vec<()>, _> = opened.collect();
        is_over.store(true, Ordering::Relaxed);
        opened.unwrap();
    });
}

#[test]
fn relative_path_stays_that_of_its_directory() {
    let place = Place::new();
    let mut child = Child::start("leave the directory", "a.db", place.directory.path());
    let resolved = place.directory.path().canonicalize().unwrap();
    assert_eq!(child.line(), resolved.join("a.db").to_str().unwrap());
}

#[test]
fn link_to_missing_file_creates_it_where_the_link_leads() {
    let place = Place::new();
    let link = place.beside("link.db");
    symlink("a.db", &link).unwrap();
    let store = SqliteStore::open(&link, Access::Server).unwrap();
    assert_eq!(store.path(), place.path.canonicalize().unwrap());
    assert!(place.beside("a.db.lock").exists() && !place.beside("link.db.lock").exists());
}

#[test]
fn rejects_second_engine() {
    let place = Place::new();
    for access in [Access::Server, Access::Shared] {
        let store = Arc::new(place.open(access));
        let beside = place.open(Access::Shared);
        let serving = serve(&store).unwrap();
        assert!(serving.is_exclusive());
        for other in [&*store, &beside] {
            let by = is_served_elsewhere(serve(other));
            assert_eq!(by, "another store of this process");
        }
        let mut child = Child::start("serve a shared store", &place.path, Path::new("/"));
        let refused = child.line();
        let process = format!("process {}", std::process::id());
        assert!(refused.contains(&process), "{refused}");

        drop(serving);
        assert_eq!(SqliteStore::served_by(&place.path).unwrap(), None);
        let other = Child::serving(&place.path);
        let by = is_served_elsewhere(serve(&store));
        assert_eq!(by, format!("process {}", other.id()));
        other.stop();
        drop(serve(&store).unwrap());
    }
}

#[test]
fn engine_keeps_the_lock_of_a_dropped_store() {
    let place = Place::new();
    let store = place.open(Access::Server);
    let serving = serve(&store).unwrap();
    drop(store);
    is_served_by(&place.path, std::process::id());
    drop(serving);
    drop(place.open(Access::Server));
}

#[test]
fn hard_link_to_a_served_file_is_not_opened_beside_the_server() {
    let place = Place::new();
    let hard = place.beside("hard.db");
    let server = place.open(Access::Server);
    std::fs::hard_link(&place.path, &hard).unwrap();
    let refused = SqliteStore::open(&hard, Access::Shared);
    let pid = std::process::id();
    assert!(matches!(refused, Err(OpenError::OtherName { pid: by, .. }) if by == pid));
    drop(place.open(Access::Shared));
    drop(server);
    let other = Child::serving(&place.path);
    let refused = SqliteStore::open(&hard, Access::Shared);
    assert!(matches!(refused, Err(OpenError::OtherName { pid: by, .. }) if by == other.id()));
    drop(place.open(Access::Shared));
    other.stop();
}

#[test]
fn long_reads_work_outside_of_a_runtime() {
    let place = Place::new();
    let store = place.open(Access::Shared);
    let mut context = Context::from_waker(Waker::noop());
    let Poll::Ready(read) = pin!(store.counts()).poll(&mut context) else {
        panic!("it waits for another holder");
    };
    assert_eq!(read.unwrap().contacts, 0);
}
