//! A time limit for a situation, which a blocked runtime cannot get around.

use std::panic::resume_unwind;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use crate::world::{Kept, LONG};

/// Both stores.
pub(crate) const BOTH: [Kept; 2] = [Kept::InMemory, Kept::InFile];

/// Time that a situation may take. It is far more than any needs, since the machine may be busy.
const LIMIT: Duration = Duration::from_secs(30);

/// Time that the machine may add to what the engine promises.
pub(crate) const BUSY: Duration = Duration::from_millis(400);

/// Runs a situation on a thread of its own, and fails the test when it takes too long.
pub(crate) fn within_limit(situation: impl FnOnce() + Send + 'static) {
    let (end, ended) = mpsc::channel();
    let thread = thread::spawn(move || {
        situation();
        // Nobody waits any more after the limit.
        let _ = end.send(());
    });
    match ended.recv_timeout(LIMIT) {
        Ok(()) => {}
        Err(RecvTimeoutError::Timeout) => panic!("the situation took longer than {LIMIT:?}"),
        Err(RecvTimeoutError::Disconnected) => resume_unwind(thread.join().unwrap_err()),
    }
}

/// Runs a situation on a runtime with several threads, with alerts that are kept in memory and with alerts
/// that are kept in a file.
pub(crate) fn on_both_stores(situation: impl AsyncFn(Kept) + Send + 'static) {
    within_limit(move || {
        for kept in BOTH {
            eprintln!("alerts are kept {kept:?}");
            let runtime = several_threads();
            runtime.block_on(situation(kept));
            // What a situation leaves behind may hang.
            runtime.shutdown_background();
        }
    });
}

/// Runs a situation for each place and each store at the same time, on a thread of its own.
pub(crate) fn at_every_place(
    places: &'static [&'static str],
    situation: impl AsyncFn(Kept, &'static str) + Send + Sync + 'static,
) {
    within_limit(move || {
        thread::scope(|scope| {
            for (place, kept) in places
                .iter()
                .flat_map(|place| BOTH.map(|kept| (place, kept)))
            {
                let situation = &situation;
                let run = move || {
                    let runtime = one_thread();
                    let ended =
                        runtime.block_on(async { timeout(LONG, situation(kept, place)).await });
                    assert!(ended.is_ok(), "it never ends: {place}, {kept:?}");
                };
                let named = thread::Builder::new().name(format!("{place}, {kept:?}"));
                named.spawn_scoped(scope, run).unwrap();
            }
        });
    });
}

/// Returns a runtime with several threads.
pub(crate) fn several_threads() -> Runtime {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().unwrap()
}

/// Returns a runtime with the thread of its caller alone.
pub(crate) fn one_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// Asserts that something that began at a time has ended within a limit.
pub(crate) fn took_at_most(limit: Duration, begun: Instant) {
    let taken = begun.elapsed();
    assert!(taken <= limit + BUSY, "it took {taken:?} of {limit:?}");
}
