//! Channels and stores that panic, hang or block.

use std::borrow::Cow;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use redflash_core::delivery::AttemptOutcome::{Ok as Taken, Unknown};
use redflash_core::engine::RaiseError;
use redflash_core::error_chain;
use redflash_core::gateway::{Capabilities, Channel};
use redflash_core::message::{Accepted, OutboundMessage, SendError};
use redflash_core::model::{Address, AddressError, ChannelKind};
use redflash_tests::until;

use crate::deadline::{at_every_place, on_both_stores, took_at_most};
use crate::fake_channel::{BLOCKED, FakeChannel, gateway};
use crate::world::{Kept, LONG, World, is_clean, outcomes, to_ann};

/// A call of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    Capabilities,
    GoesWith,
    Host,
    Send,
    SendBatch,
}

/// A channel of which one call panics.
#[derive(Clone, Debug)]
struct Panicking {
    inner: FakeChannel,
    call: Call,
    /// Number of calls that go well, and of those after them that panic.
    calls: Arc<(AtomicU32, AtomicU32)>,
}

impl Panicking {
    fn new(inner: FakeChannel, call: Call) -> Self {
        let (well, panics) = match call {
            Call::Capabilities => (1, u32::MAX),
            Call::GoesWith | Call::Host => (0, u32::MAX),
            Call::Send | Call::SendBatch => (0, 1),
        };
        let calls = Arc::new((AtomicU32::new(well), AtomicU32::new(panics)));
        Self { inner, call, calls }
    }

    fn reach(&self, call: Call) {
        let (well, panics) = &*self.calls;
        let takes = |left: &AtomicU32| {
            let less = |left: u32| left.checked_sub(1);
            left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less)
                .is_ok()
        };
        assert!(
            self.call != call || takes(well) || !takes(panics),
            "a panic of a channel"
        );
    }
}

type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

#[async_trait]
impl Channel for Panicking {
    fn kind(&self) -> ChannelKind {
        self.inner.kind()
    }

    fn capabilities(&self) -> Capabilities {
        self.reach(Call::Capabilities);
        self.inner.capabilities()
    }

    fn parse_address(&self, raw: &str) -> Result<Address, AddressError> {
        self.inner.parse_address(raw)
    }

    fn host<'a>(&self, _address: &'a Address) -> Option<Cow<'a, str>> {
        self.reach(Call::Host);
        None
    }

    fn goes_with(&self, _others: &[&OutboundMessage], _message: &OutboundMessage) -> bool {
        self.reach(Call::GoesWith);
        true
    }

    // These two panic before there is a future.
    fn send<'a, 'b, 'c>(
        &'a self,
        message: &'b OutboundMessage,
    ) -> Answer<'c, Result<Accepted, SendError>>
    where
        'a: 'c,
        'b: 'c,
    {
        self.reach(Call::Send);
        self.inner.send(message)
    }

    fn send_batch<'a, 'b, 'c>(
        &'a self,
        messages: &'b [OutboundMessage],
    ) -> Answer<'c, Vec<Result<Accepted, SendError>>>
    where
        'a: 'c,
        'b: 'c,
    {
        self.reach(Call::SendBatch);
        self.inner.send_batch(messages)
    }
}

/// An engine whose channel panics at a call, with messages in batches where that matters.
async fn panicking(kept: Kept, call: Call) -> World {
    let batch = match call {
        Call::GoesWith | Call::SendBatch => 10,
        _ => 1,
    };
    let inner = FakeChannel::in_batches(batch);
    let gateway = gateway(Panicking::new(inner.clone(), call));
    World::through(kept, inner, gateway, |store| store).await
}

#[test]
fn panic_in_channel_description_changes_nothing() {
    on_both_stores(async |kept| {
        for call in [Call::Capabilities, Call::Host, Call::GoesWith] {
            let world = panicking(kept, call).await;
            for place in 0..10 {
                world.raise(&format!("{call:?} {place}")).await;
            }
            let handle = world.start().await;
            world.raise(&format!("{call:?} later")).await;
            until("all are sent", async || {
                (world.channel.sent().len() == 11).then_some(())
            })
            .await;
            assert!(world.engine.health().running);
            is_clean(handle.drain(LONG).await);
            world.all_sent_once().await;
        }
    });
}

#[test]
fn panic_in_a_send_is_an_unknown_outcome() {
    on_both_stores(async |kept| {
        for call in [Call::Send, Call::SendBatch] {
            let world = panicking(kept, call).await;
            let mut raised = Vec::new();
            for place in 0..10 {
                raised.push(world.raise(&format!("{call:?} {place}")).await);
            }
            let handle = world.start().await;
            let mut repeated = 0;
            for raised in raised {
                let record = world.sent(raised.notification).await;
                if outcomes(&record) != [Taken] {
                    assert_eq!(outcomes(&record), [Unknown, Taken]);
                    let detail = &record.attempts_made[0].detail;
                    assert!(detail.contains("a panic of a channel"), "{detail}");
                    repeated += 1;
                }
            }
            assert!(repeated >= 1, "{call:?} has not panicked");
            let health = world.engine.health();
            assert!(health.running && health.problems.is_empty(), "{health:?}");
            is_clean(handle.drain(LONG).await);
            world.all_sent_once().await;
        }
    });
}

/// The places of a store that a running dispatcher or a hand-over comes to.
const PLACES: [&str; 10] = [
    "alarms",
    "backlog",
    "claim_due",
    "due_queues",
    "exchange",
    "recent_version",
    "renew",
    "requeue_orphans",
    "settle",
    "unfinished",
];

/// Raises alerts while a store panics once at a place, before the start and after it.
async fn panic_twice(kept: Kept, place: &'static str) {
    let (world, store) = World::hooked(kept).await;
    let beside = world.another_engine();
    let mut handle = None;
    if place == "renew" {
        // What cannot be settled has a lease to be renewed.
        store.hold("settle");
    }
    for round in ["first", "second"] {
        store.panic_at(place);
        // Another engine's alert waits to be claimed, and this one's is sent at once.
        beside
            .raise(to_ann(&format!("{round} beside")))
            .await
            .unwrap();
        world.raise(&format!("{round} before")).await;
        while handle.is_none() {
            // Only a start that has met the panic fails.
            handle = world.engine.start().await.ok();
            assert!(handle.is_some() || !store.will_panic_at(place));
        }
        world.engine.wake();
        world.raise(&format!("{round} after")).await;
        let panicked = async || (!store.will_panic_at(place)).then_some(());
        until("the store has panicked", panicked).await;
    }
    store.let_go("settle");
    until("the engine works", async || {
        let health = world.engine.health();
        (health.running && health.problems.is_empty()).then_some(())
    })
    .await;
    world.all_sent_once().await;
    assert_eq!(world.log().await.len(), 6);
    is_clean(handle.unwrap().drain(LONG).await);
}

#[test]
fn panic_of_the_store_loses_nothing() {
    at_every_place(&PLACES, panic_twice);
}

#[test]
fn raise_reports_store_panic() {
    on_both_stores(async |kept| {
        let (world, store) = World::hooked(kept).await;
        let handle = world.start().await;
        for place in ["view", "enqueue", "enqueued"] {
            store.panic_at(place);
            let refused = world.try_raise(place).await.unwrap_err();
            let RaiseError::Store {
                notification,
                source,
            } = refused
            else {
                panic!("{refused}");
            };
            // Once the commit has begun, nobody knows.
            assert_eq!(notification.is_some(), place != "view", "{source}");
            assert!(error_chain(&source).contains("panic"), "{source:?}");
        }
        // The last panic came after the commit.
        world.all_sent_once().await;
        assert_eq!(world.channel.sent(), ["enqueued"]);
        is_clean(handle.drain(LONG).await);
    });
}

#[test]
fn drain_goes_on_after_a_panic_of_the_store() {
    on_both_stores(async |kept| {
        let (world, store) = World::hooked(kept).await;
        world.raise("claimed").await;
        store.hold("claimed");
        let claimed = store.reaches("claimed");
        let handle = world.start().await;
        claimed.await;
        // The queue's loop is held, so that it is the drain that meets the panic.
        store.panic_at("due_queues");
        let draining = tokio::spawn(handle.drain(LONG));
        let panicked = async || (!store.will_panic_at("due_queues")).then_some(());
        until("the store has panicked", panicked).await;
        store.let_go("claimed");
        is_clean(draining.await.unwrap());
        world.all_sent_once().await;
    });
}

#[test]
fn store_that_hangs_is_a_problem_within_seconds() {
    const SOON: Duration = Duration::from_secs(7);
    on_both_stores(async |kept| {
        let (world, store) = World::hooked(kept).await;
        let handle = world.start().await;
        store.hold("due_queues");
        let begun = Instant::now();
        let problem = until("the health tells of it", async || {
            world.engine.health().problems.pop()
        })
        .await;
        took_at_most(SOON, begun);
        assert!(problem.contains("answer"), "{problem}");
        assert!(!world.engine.health().running);
        store.let_go("due_queues");
        until("the engine works", async || {
            let health = world.engine.health();
            (health.running && health.problems.is_empty()).then_some(())
        })
        .await;
        drop(handle);
    });
}

#[test]
fn channel_that_blocks_its_thread_is_named() {
    on_both_stores(async |kept| {
        let world = World::new(kept).await;
        let handle = world.start().await;
        world.raise("block").await;
        world.channel.begins("block").await;
        let begun = Instant::now();
        let problem = until("the health tells of it", async || {
            world.engine.health().problems.pop()
        })
        .await;
        assert!(begun.elapsed() < BLOCKED);
        assert!(
            problem.contains("the channel of gateway fake has blocked"),
            "{problem}"
        );
        is_clean(handle.drain(LONG).await);
        world.all_sent_once().await;
    });
}
