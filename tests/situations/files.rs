//! One file under several names, in several stores, and under a lock.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use redflash_core::engine::StartError;
use redflash_store::{Access, OpenError, SqliteStore};
use tokio::time::timeout;

use crate::deadline::{several_threads, took_at_most, within_limit};
use crate::fake_channel::FakeChannel;
use crate::processes::Process;
use crate::world::{
    FileLock, Kept, LONG, World, add_ann, engine, is_already_running, is_clean, open, to_ann,
};

#[test]
fn shared_store_does_not_dispatch_while_another_does() {
    within_limit(|| {
        several_threads().block_on(async {
            let world = World::new(Kept::InFile).await;
            let handle = world.start().await;
            let shared = SqliteStore::open(world.file(), Access::Shared).unwrap();
            let other = engine(Arc::new(shared), world.channel.gateway());
            is_already_running(other.start().await);
            assert!(!other.raise(to_ann("from beside")).await.unwrap().running);
            is_clean(handle.drain(LONG).await);
            // The first has stopped, though its store is open.
            let handle = other.start().await.unwrap();
            is_already_running(world.engine.start().await);
            world.raise("for the other").await;
            is_clean(handle.drain(LONG).await);
            let handle = world.start().await;
            is_already_running(other.start().await);
            is_clean(handle.drain(LONG).await);
            world.all_sent_once().await;
        });
    });
}

#[test]
fn shared_store_does_not_dispatch_while_another_process_does() {
    within_limit(|| {
        several_threads().block_on(async {
            let directory = tempfile::tempdir().unwrap();
            let file = directory.path().join("alerts.db");
            let mut process = Process::start("serves", &file);
            assert_eq!(process.line(), "serves");
            let shared = SqliteStore::open(&file, Access::Shared).unwrap();
            let channel = FakeChannel::new();
            let engine = engine(Arc::new(shared), channel.gateway());
            let refused = engine.start().await.map(drop).unwrap_err();
            let pid = process.id().to_string();
            let is_right =
                matches!(&refused, StartError::AlreadyRunning { by } if by.contains(&pid));
            assert!(is_right, "{refused}");
            process.kill();
            engine.raise(to_ann("taken over")).await.unwrap();
            is_clean(engine.start().await.unwrap().drain(LONG).await);
            assert_eq!(channel.sent(), ["taken over"]);
        });
    });
}

#[test]
fn file_opens_again_at_once_sixty_times() {
    within_limit(|| {
        several_threads().block_on(async {
            let directory = tempfile::tempdir().unwrap();
            let file = directory.path().join("alerts.db");
            let channel = FakeChannel::new();
            for round in 0..60 {
                let store = open(&file);
                add_ann(&*store).await;
                let engine = engine(store, channel.gateway());
                let handle = engine.start().await.unwrap();
                engine
                    .raise(to_ann(&format!("alert {round}")))
                    .await
                    .unwrap();
                if round % 2 == 0 {
                    is_clean(handle.shutdown(LONG).await);
                }
            }
            let engine = engine(open(&file), channel.gateway());
            is_clean(engine.start().await.unwrap().drain(LONG).await);
            let mut sent = channel.sent();
            sent.sort();
            sent.dedup();
            assert_eq!(sent.len(), 60);
        });
    });
}

#[test]
fn drops_take_no_time_while_another_program_locks_the_file() {
    within_limit(|| {
        several_threads().block_on(async {
            let world = World::new(Kept::InFile).await;
            let handle = world.start().await;
            let lock = FileLock::take(&world);
            let locked_out = timeout(Duration::from_millis(50), world.raise("locked out")).await;
            assert!(locked_out.is_err());
            let World {
                engine: first,
                channel,
                directory,
            } = world;
            let directory = directory.unwrap();
            let begun = Instant::now();
            drop(handle);
            drop(first);
            took_at_most(Duration::from_millis(50), begun);
            drop(lock);
            let engine = engine(open(&directory.path().join("alerts.db")), channel.gateway());
            engine.raise(to_ann("later")).await.unwrap();
            is_clean(engine.start().await.unwrap().drain(LONG).await);
            let mut sent = channel.sent();
            sent.sort();
            assert!(
                sent == ["later"] || sent == ["later", "locked out"],
                "{sent:?}"
            );
        });
    });
}

#[test]
fn finds_server_by_every_name_of_its_file() {
    within_limit(|| {
        several_threads().block_on(async {
            let world = World::new(Kept::InFile).await;
            let file = world.file();
            let handle = world.start().await;
            let is_served = |name: &Path| {
                let refused = SqliteStore::open(name, Access::Server)
                    .map(drop)
                    .unwrap_err();
                assert!(matches!(refused, OpenError::Served { .. }), "{refused}");
            };
            is_served(&file);
            let soft = file.with_file_name("soft.db");
            symlink(&file, &soft).unwrap();
            is_served(&soft);
            let hard = file.with_file_name("hard.db");
            std::fs::hard_link(&file, &hard).unwrap();
            is_served(&hard);
            std::fs::remove_file(file.with_file_name("alerts.db.lock")).unwrap();
            is_served(&file);
            drop(handle);
        });
    });
}

#[test]
fn relative_path_is_that_of_the_directory_at_the_opening() {
    within_limit(|| {
        let directory = tempfile::tempdir().unwrap();
        let mut process = Process::start_in("moves", Path::new("alerts.db"), directory.path());
        assert_eq!(process.line(), "sent");
    });
}

#[test]
fn store_in_memory_is_named_where_sqlite_would_keep_one() {
    for name in [":memory:", "file::memory:", "file:alerts.db?mode=memory"] {
        let refused = SqliteStore::open(name, Access::Server)
            .map(drop)
            .unwrap_err();
        let chain = redflash_core::error_chain(&refused);
        assert!(chain.contains("MemoryStore"), "{name}: {chain}");
    }
    assert!(SqliteStore::open("", Access::Server).is_err());
}

#[test]
fn lock_query_does_not_fail_start() {
    within_limit(|| {
        several_threads().block_on(async {
            let world = World::new(Kept::InFile).await;
            let file = world.file();
            let asking = thread::spawn(move || {
                for _ in 0..2000 {
                    SqliteStore::served_by(&file).unwrap();
                }
            });
            while !asking.is_finished() {
                drop(world.engine.start().await.unwrap());
            }
            asking.join().unwrap();
        });
    });
}
