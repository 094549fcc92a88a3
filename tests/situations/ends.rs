//! Ends at bad moments: while a gateway or the store hangs, between a commit and its answer.

use std::time::{Duration, Instant};

use redflash_core::delivery::AttemptOutcome::{Ok as Accepted, Unknown};
use redflash_core::gateway::Limits;
use redflash_tests::until;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::deadline::{
    at_every_place, on_both_stores, several_threads, took_at_most, within_limit,
};
use crate::fake_channel::FakeChannel;
use crate::world::{FileLock, Kept, LONG, World, is_clean, is_untouched, outcomes, to_ann};

const GRACE: Duration = Duration::from_millis(100);
/// The longest time from the end of the grace until the shutdown returns.
const PROMISED: Duration = Duration::from_millis(100);

#[test]
fn shutdown_waits_for_what_is_under_way() {
    on_both_stores(async |kept| {
        let world = World::new(kept).await;
        let handle = world.start().await;
        let raised = world.raise("gated").await;
        world.channel.begins("gated").await;
        let ending = tokio::spawn(handle.shutdown(LONG));
        until("the engine stops", async || {
            (!world.engine.health().running).then_some(())
        })
        .await;
        world.channel.open_gate();
        is_clean(ending.await.unwrap());
        let record = world.record(raised.notification).await;
        assert_eq!(outcomes(&record), [Accepted]);
        world.all_sent_once().await;
    });
}

#[test]
fn end_of_the_grace_cuts_off_what_was_begun_and_gives_the_rest_back() {
    on_both_stores(async |kept| {
        let channel = FakeChannel::new();
        let gateway = channel.gateway();
        let limits = Limits {
            concurrency: 1,
            ..gateway.limits
        };
        let gateway = gateway.with_limits(limits);
        let world = World::through(kept, channel, gateway, |store| store).await;
        let handle = world.start().await;
        let begun = world.raise("gated").await;
        world.channel.begins("gated").await;
        let mut waiting = Vec::new();
        for place in 0..3 {
            waiting.push(world.raise(&format!("waits {place}")).await);
        }
        let ending = Instant::now();
        handle.shutdown(GRACE).await;
        took_at_most(GRACE + PROMISED, ending);
        // The gateway answers a moment too late.
        world.channel.open_gate();
        let record = world.queued(begun.notification).await;
        assert_eq!(outcomes(&record), [Unknown]);
        assert!(record.delivery.may_repeat);
        for raised in &waiting {
            is_untouched(&world.queued(raised.notification).await);
        }
        let _handle = world.start().await;
        world.all_sent_once().await;
        let record = world.record(begun.notification).await;
        assert_eq!(outcomes(&record), [Unknown, Accepted]);
        assert!(record.attempts_made[1].may_repeat);
    });
}

#[test]
fn end_of_the_engine_is_not_the_fault_of_a_gateway() {
    on_both_stores(async |kept| {
        let world = World::new(kept).await;
        let handle = world.start().await;
        for place in 0..8 {
            let text = format!("gated {place}");
            world.raise(&text).await;
            world.channel.begins(&text).await;
        }
        handle.shutdown(GRACE).await;
        let _handle = world.start().await;
        let begun = Instant::now();
        let raised = world.raise("urgent").await;
        world.sent(raised.notification).await;
        took_at_most(Duration::from_secs(5), begun);
    });
}

#[test]
fn answer_at_the_end_of_the_grace_is_logged_in_any_case() {
    on_both_stores(async |kept| {
        for early in 0..10_u64 {
            let world = World::new(kept).await;
            let handle = world.start().await;
            let raised = world.raise("gated").await;
            world.channel.begins("gated").await;
            let channel = world.channel.clone();
            let answer = Duration::from_millis(45 + early);
            let answering = tokio::spawn(async move {
                tokio::time::sleep(answer).await;
                channel.open_gate();
            });
            handle.shutdown(Duration::from_millis(50)).await;
            answering.await.unwrap();
            let _handle = world.start().await;
            world.all_sent_once().await;
            let record = world.record(raised.notification).await;
            assert_eq!(record.attempts_made.len(), world.channel.begun_count());
        }
    });
}

/// The places of a store that a dispatcher, a raise or a hand-over comes to.
const PLACES: [&str; 13] = [
    "alarms",
    "backlog",
    "claim_due",
    "claimed",
    "due_queues",
    "enqueue",
    "enqueued",
    "exchange",
    "recent_version",
    "renew",
    "requeue_orphans",
    "settle",
    "unfinished",
];

/// Ends an engine whose store hangs at a place, and starts it again when the store answers.
async fn end_while_held(kept: Kept, place: &'static str) {
    let (world, store) = World::hooked(kept).await;
    let handle = world.start().await;
    let held = store.reaches(place);
    store.hold(place);
    if place == "renew" {
        // What cannot be settled has a lease to be renewed.
        store.hold("settle");
    }
    // Another engine's alert waits to be claimed, and this one's is sent at once.
    let beside = world.another_engine();
    let mut raising = JoinSet::new();
    for (engine, text) in [(beside, "queued"), (world.engine.clone(), "raised")] {
        raising.spawn(async move { engine.raise(to_ann(text)).await.map(drop) });
    }
    world.engine.wake();
    held.await;
    let ending = Instant::now();
    handle.shutdown(GRACE).await;
    took_at_most(GRACE + PROMISED, ending);
    store.let_go(place);
    store.let_go("settle");
    raising
        .join_all()
        .await
        .into_iter()
        .for_each(Result::unwrap);
    // What the first life claimed too late goes back to the queue in the second.
    let handle = world.start().await;
    world.all_sent_once().await;
    is_clean(handle.shutdown(LONG).await);
}

#[test]
fn shutdown_returns_in_time_wherever_the_store_hangs() {
    at_every_place(&PLACES, end_while_held);
}

#[test]
fn commit_that_ends_during_the_grace_is_sent_after_the_next_start() {
    on_both_stores(async |kept| {
        let (world, store) = World::hooked(kept).await;
        let handle = world.start().await;
        store.hold("enqueue");
        let reached = store.reaches("enqueue");
        let raising = world.spawn_raise("late");
        reached.await;
        let ending = tokio::spawn(handle.shutdown(LONG));
        until("the engine stops", async || {
            (!world.engine.health().running).then_some(())
        })
        .await;
        store.let_go("enqueue");
        let raised = raising.await.unwrap().unwrap();
        assert!(!raised.running);
        is_clean(ending.await.unwrap());
        is_untouched(&world.record(raised.notification).await);
        is_clean(world.start().await.drain(LONG).await);
        let record = world.record(raised.notification).await;
        assert_eq!(outcomes(&record), [Accepted]);
        world.all_sent_once().await;
    });
}

#[test]
fn commit_that_ends_after_the_grace_goes_back_to_the_queue() {
    on_both_stores(async |kept| {
        let (world, store) = World::hooked(kept).await;
        let handle = world.start().await;
        // The alert is on disk, leased to be sent at once, and the engine has not learnt of it.
        store.hold("enqueued");
        let reached = store.reaches("enqueued");
        let raising = world.spawn_raise("late");
        reached.await;
        let leftover = handle.shutdown(GRACE).await;
        assert_eq!(leftover.waiting_for_store, 1, "{leftover:?}");
        store.let_go("enqueued");
        let raised = raising.await.unwrap().unwrap();
        assert!(!raised.running);
        is_untouched(&world.queued(raised.notification).await);
        is_clean(world.start().await.drain(LONG).await);
        world.all_sent_once().await;
    });
}

#[test]
fn longest_grace_is_one() {
    on_both_stores(async |kept| {
        let world = World::new(kept).await;
        let handle = world.start().await;
        world.raise("first").await;
        is_clean(handle.shutdown(Duration::MAX).await);
        world.raise("second").await;
        is_clean(world.start().await.drain(Duration::MAX).await);
        world.all_sent_once().await;
    });
}

#[test]
fn shutdown_that_is_dropped_ends_at_once() {
    on_both_stores(async |kept| {
        let world = World::new(kept).await;
        let handle = world.start().await;
        let raised = world.raise("gated").await;
        world.channel.begins("gated").await;
        let shutdown = timeout(Duration::from_millis(10), handle.shutdown(LONG)).await;
        assert!(shutdown.is_err());
        let _handle = world.start().await;
        until("it is sent again", async || {
            (world.channel.begun_count() == 2).then_some(())
        })
        .await;
        world.channel.open_gate();
        world.all_sent_once().await;
        let record = world.record(raised.notification).await;
        assert_eq!(outcomes(&record), [Unknown, Accepted]);
    });
}

#[test]
fn shutdown_returns_in_time_while_another_program_locks_the_file() {
    within_limit(|| {
        several_threads().block_on(async {
            let (world, store) = World::hooked(Kept::InFile).await;
            let handle = world.start().await;
            let sent = world.raise("gated").await;
            world.channel.begins("gated").await;
            let lock = FileLock::take(&world);
            let reached = store.reaches("enqueue");
            let raising = world.spawn_raise("locked out");
            reached.await;
            let settling = store.reaches("settle");
            world.channel.open_gate();
            settling.await;
            let ending = Instant::now();
            let leftover = handle.shutdown(GRACE).await;
            took_at_most(GRACE + PROMISED, ending);
            assert_eq!(leftover.unrecorded, 1, "{leftover:?}");
            assert!(leftover.waiting_for_store >= 1, "{leftover:?}");
            drop(lock);
            assert!(!raising.await.unwrap().unwrap().running);
            assert_eq!(outcomes(&world.sent(sent.notification).await), [Accepted]);
            is_clean(world.start().await.drain(LONG).await);
            world.all_sent_once().await;
        });
    });
}
