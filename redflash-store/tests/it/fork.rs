//! A forked process has neither the threads nor the locks of the store that it inherits.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use fork::{Fork, fork, waitpid_nohang};
use redflash_core::clock::Timestamp;
use redflash_core::error_chain;
use redflash_core::model::WorkerId;
use redflash_core::store::{Directory, Outbox, StoreError};
use redflash_store::{Access, OpenError, SqliteStore};

use crate::child::Child;

/// Runs work in a forked process, and returns the status with which that ends within ten seconds.
fn in_forked_process(work: impl FnOnce()) -> i32 {
    let child = match fork().unwrap() {
        Fork::Child => {
            let ended = catch_unwind(AssertUnwindSafe(work));
            std::process::exit(i32::from(ended.is_err()));
        }
        Fork::Parent(child) => child,
    };
    let begun = Instant::now();
    loop {
        if let Some(status) = waitpid_nohang(child).unwrap() {
            return status;
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "it hangs");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(work)
}

#[test]
fn forked_process_is_refused_and_harms_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.db");
    let store = SqliteStore::open(&path, Access::Server).unwrap();
    let serving = store.serve(WorkerId::new(Timestamp::default())).unwrap();
    // Leaves a connection for the next reader.
    block_on(store.version()).unwrap();

    let mut both = Some((store, serving));
    let parent = std::process::id();
    let status = in_forked_process(|| {
        let (store, serving) = both.take().unwrap();
        let refused = |error: StoreError| {
            let error = error_chain(&error);
            let wanted = format!("opened by process {parent}; open the store after fork");
            assert!(error.contains(&wanted), "{error}");
        };
        refused(block_on(store.version()).unwrap_err());
        refused(block_on(store.contacts()).unwrap_err());
        refused(block_on(store.probe(Timestamp::default())).unwrap_err());
        drop(serving);
        refused(
            store
                .serve(WorkerId::new(Timestamp::default()))
                .unwrap_err(),
        );
        drop(store);
        match SqliteStore::open(&path, Access::Shared) {
            Err(OpenError::Forked { pid, .. }) => assert_eq!(pid, Some(parent)),
            other => panic!("{other:?}"),
        }
        assert!(SqliteStore::wait_until_closed(Duration::from_secs(1)));
    });
    assert_eq!(status, 0);

    let mut other = Child::start("serve", &path, Path::new("/"));
    let refused = other.line();
    assert!(refused.contains(&format!("(pid {parent})")), "{refused}");
    let (store, _serving) = both.unwrap();
    block_on(store.probe(Timestamp::default())).unwrap();
}

#[test]
fn forked_process_may_open_what_was_not_open() {
    let directory = tempfile::tempdir().unwrap();
    let (inherited, other) = ["a.db", "b.db"]
        .map(|name| directory.path().join(name))
        .into();
    let _store = SqliteStore::open(inherited, Access::Server).unwrap();
    let status = in_forked_process(|| {
        let store = SqliteStore::open(other, Access::Server).unwrap();
        block_on(store.probe(Timestamp::default())).unwrap();
    });
    assert_eq!(status, 0);
}
