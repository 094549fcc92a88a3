//! Runtimes that end, that lack something, or that are not there; futures that are dropped.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use redflash_core::delivery::DeliveryState;
use redflash_core::engine::StartError;
use tokio::runtime::Builder;
use tokio::time::timeout;

use crate::deadline::{
    BOTH, on_both_stores, one_thread, several_threads, took_at_most, within_limit,
};
use crate::world::{Kept, LONG, World, is_already_running, is_clean, to_ann};

/// Polls a future at most so often, and lets other tasks run after each time. Returns `None` if that was too
/// seldom.
async fn polled<T>(future: impl Future<Output = T>, times: u32) -> Option<T> {
    let mut future = pin!(future);
    for _ in 0..times {
        let polled = poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await;
        if let Poll::Ready(result) = polled {
            return Some(result);
        }
        tokio::task::yield_now().await;
    }
    None
}

/// Raises alerts and drops each future one poll later than the one before, until one comes to its end.
async fn drop_at_every_point(world: &World) {
    let mut times = 0;
    loop {
        // A store with a thread of its own takes many polls of ours.
        times += 1 + times / 16;
        let text = format!("dropped after {times}");
        if let Some(raised) = polled(world.try_raise(&text), times).await {
            raised.unwrap();
            return;
        }
    }
}

#[test]
fn dropped_raise_is_sent_once_or_not_recorded() {
    within_limit(|| {
        for kept in BOTH {
            for runtime in [one_thread(), several_threads()] {
                runtime.block_on(async {
                    let world = World::new(kept).await;
                    let handle = world.start().await;
                    drop_at_every_point(&world).await;
                    is_clean(handle.drain(LONG).await);
                    world.all_sent_once().await;
                });
            }
        }
    });
}

#[test]
fn raise_dropped_before_any_start_is_recorded_whole_or_not_at_all() {
    on_both_stores(async |kept| {
        let world = World::new(kept).await;
        drop_at_every_point(&world).await;
        is_clean(world.start().await.drain(LONG).await);
        world.all_sent_once().await;
    });
}

#[test]
fn raise_that_loses_a_race_is_sent_once_or_not_recorded() {
    on_both_stores(async |kept| {
        let world = World::new(kept).await;
        let handle = world.start().await;
        for round in 0..100_u64 {
            let limit = Duration::from_micros(round * 20);
            let texts = ["timeout", "one", "other"].map(|text| format!("{text} {round}"));
            let _ = timeout(limit, world.raise(&texts[0])).await;
            tokio::select! {
                _ = world.raise(&texts[1]) => {}
                _ = world.raise(&texts[2]) => {}
            }
        }
        is_clean(handle.drain(LONG).await);
        world.all_sent_once().await;
    });
}

#[test]
fn raises_from_separate_runtimes() {
    on_both_stores(async |kept| {
        let world = Arc::new(World::new(kept).await);
        let handle = world.start().await;
        for place in 0..20 {
            let world = Arc::clone(&world);
            let raise = move || {
                let raised = one_thread().block_on(world.raise(&format!("alert {place}")));
                assert!(raised.running);
            };
            tokio::task::spawn_blocking(raise).await.unwrap();
        }
        is_clean(handle.drain(LONG).await);
        assert_eq!(world.channel.sent().len(), 20);
        world.all_sent_once().await;
    });
}

#[test]
fn engine_starts_on_another_runtime_once_the_first_is_gone() {
    within_limit(|| {
        for kept in BOTH {
            let first = several_threads();
            let world = first.block_on(World::new(kept));
            let handle = first.block_on(world.start());
            first.block_on(world.raise("on the first"));
            first.shutdown_timeout(LONG);
            let health = world.engine.health();
            assert!(!health.running);
            assert!(health.problems[0].contains("runtime"), "{health:?}");
            let second = several_threads();
            second.block_on(async {
                assert!(!world.raise("on none").await.running);
                let again = world.start().await;
                drop(handle);
                assert!(world.raise("on the second").await.running);
                is_clean(again.drain(LONG).await);
                world.all_sent_once().await;
            });
        }
    });
}

/// Wakes a thread that waits for a future outside of any runtime.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs a future to its end on this thread, without a runtime.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(result) => return result,
            Poll::Pending => thread::park(),
        }
    }
}

#[test]
fn raise_and_shutdown_work_outside_of_tokio() {
    within_limit(|| {
        for kept in BOTH {
            let runtime = several_threads();
            let world = runtime.block_on(World::new(kept));
            block_on(world.raise("before the start"));
            let handle = runtime.block_on(world.start());
            for place in 0..10 {
                assert!(block_on(world.raise(&format!("alert {place}"))).running);
            }
            is_clean(block_on(handle.drain(LONG)));
            assert!(!block_on(world.raise("after the end")).running);
            let handle = runtime.block_on(world.start());
            is_clean(block_on(handle.drain(LONG)));
            runtime.block_on(world.all_sent_once());
        }
    });
}

#[test]
fn runs_on_one_thread() {
    within_limit(|| {
        for kept in BOTH {
            one_thread().block_on(async {
                let world = World::new(kept).await;
                let handle = world.start().await;
                for place in 0..20 {
                    world.raise(&format!("alert {place}")).await;
                }
                is_clean(handle.drain(LONG).await);
                world.all_sent_once().await;
            });
        }
    });
}

#[test]
fn engine_on_stalled_runtime_ends_in_time() {
    within_limit(|| {
        for kept in BOTH {
            let standing = one_thread();
            let (world, handle, other) = standing.block_on(async {
                let world = World::new(kept).await;
                let handle = world.start().await;
                world.raise("gated").await;
                world.channel.begins("gated").await;
                let other = World::new(kept).await;
                let drained = other.start().await;
                (world, handle, (other, drained))
            });
            let grace = Duration::from_millis(50);
            let ending = Instant::now();
            let left = block_on(handle.shutdown(grace));
            took_at_most(grace * 4, ending);
            assert_eq!(left.sending, 1, "{left:?}");
            let (_other, drained) = other;
            let ending = Instant::now();
            several_threads().block_on(drained.drain(grace));
            took_at_most(grace * 6, ending);
            drop(world);
        }
    });
}

#[test]
fn shutdown_survives_the_end_of_its_runtime() {
    within_limit(|| {
        for kept in BOTH {
            for _ in 0..10 {
                let ending = several_threads();
                let (world, handle) = ending.block_on(async {
                    let world = World::new(kept).await;
                    let handle = world.start().await;
                    world.raise("gated").await;
                    world.channel.begins("gated").await;
                    (world, handle)
                });
                ending.shutdown_background();
                let grace = Duration::from_millis(20);
                let begun = Instant::now();
                one_thread().block_on(handle.shutdown(grace));
                took_at_most(grace * 6, begun);
                drop(world);
            }
        }
    });
}

#[test]
fn sends_claimed_deliveries_on_next_runtime() {
    within_limit(|| {
        for kept in BOTH {
            let first = several_threads();
            let world = first.block_on(World::new(kept));
            let mut runtime = first;
            for round in 0..8 {
                let handle = runtime.block_on(async {
                    // Queued by an engine that is not started, and claimed by the one that is.
                    let other = world.another_engine();
                    for place in 0..20 {
                        let raise = to_ann(&format!("alert {round} {place}"));
                        other.raise(raise).await.unwrap();
                    }
                    world.start().await
                });
                drop(runtime);
                drop(handle);
                runtime = several_threads();
            }
            runtime.block_on(async {
                let handle = world.start().await;
                is_clean(handle.drain(LONG).await);
                for (text, delivery) in world.log().await {
                    assert_eq!(delivery.state, DeliveryState::Sent, "{text}");
                }
            });
        }
    });
}

#[test]
fn health_reports_stalled_runtime() {
    within_limit(|| {
        let standing = one_thread();
        let (world, _handle) = standing.block_on(async {
            let world = World::new(Kept::InFile).await;
            let handle = world.start().await;
            world.raise("hello").await;
            (world, handle)
        });
        assert!(world.engine.health().running);
        let begun = Instant::now();
        loop {
            let health = world.engine.health();
            if !health.running {
                assert_eq!(health.problems, ["the engine's runtime is stalled"]);
                break;
            }
            assert!(begun.elapsed() < Duration::from_secs(7));
            thread::sleep(Duration::from_millis(20));
        }
    });
}

#[test]
fn start_names_missing_runtime_features() {
    within_limit(|| {
        let lacks = |started: Result<_, StartError>, what: &str| {
            let refused = started.map(drop).unwrap_err();
            assert!(matches!(refused, StartError::Runtime(_)), "{refused}");
            assert!(refused.to_string().contains(what), "{refused}");
        };
        let whole = several_threads();
        let world = whole.block_on(World::new(Kept::InFile));
        lacks(block_on(world.engine.start()), "no Tokio runtime");
        let no_timers = Builder::new_current_thread().enable_io().build().unwrap();
        lacks(no_timers.block_on(world.engine.start()), "no timers");
        let no_io = Builder::new_current_thread().enable_time().build().unwrap();
        lacks(no_io.block_on(world.engine.start()), "no I/O");
        whole.block_on(async {
            world.raise("after all").await;
            is_clean(world.start().await.drain(LONG).await);
            world.all_sent_once().await;
        });
    });
}

#[test]
fn raise_on_a_poor_runtime_is_finished_on_the_good_one() {
    within_limit(|| {
        for kept in BOTH {
            let runtime = several_threads();
            let world = runtime.block_on(World::new(kept));
            let handle = runtime.block_on(world.start());
            let poor = Builder::new_current_thread().build().unwrap();
            assert!(poor.block_on(world.raise("without timers or I/O")).running);
            is_clean(poor.block_on(handle.drain(LONG)));
            runtime.block_on(world.all_sent_once());
        }
    });
}

#[test]
fn rejects_second_dispatcher_of_a_store() {
    on_both_stores(async |kept| {
        let world = World::new(kept).await;
        let other = world.another_engine();
        let handle = world.start().await;
        is_already_running(world.engine.start().await);
        is_already_running(other.start().await);
        world.raise("by the first").await;
        is_clean(handle.drain(LONG).await);
        let handle = other.start().await.unwrap();
        is_already_running(world.engine.start().await);
        assert!(!world.raise("for the other").await.running);
        is_clean(handle.drain(LONG).await);
        world.all_sent_once().await;
    });
}
