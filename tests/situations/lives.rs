//! Starts after ends, and what is raised between them.

use std::time::{Duration, Instant};

use redflash_core::delivery::DeliveryState;

use crate::deadline::{on_both_stores, took_at_most};
use crate::fake_channel::FakeChannel;
use crate::world::{LONG, World, is_clean};

#[test]
fn sends_once_whatever_is_raised_around_starts() {
    on_both_stores(async |kept| {
        let world = World::new(kept).await;
        for life in 0..3 {
            let before = world.raise(&format!("before {life}")).await;
            assert!(!before.running);
            assert!(!world.engine.health().running);
            let handle = world.start().await;
            let during = world.raise(&format!("during {life}")).await;
            assert!(during.running);
            let sent = world.sent(before.notification).await;
            assert_eq!(sent.attempts_made.len(), 1);
            is_clean(handle.shutdown(LONG).await);
        }
        is_clean(world.start().await.drain(LONG).await);
        world.all_sent_once().await;
    });
}

#[test]
fn raise_after_shutdown_is_recorded_and_reports_it() {
    on_both_stores(async |kept| {
        let world = World::new(kept).await;
        let handle = world.start().await;
        let health = world.engine.health();
        assert!(health.running && health.problems.is_empty(), "{health:?}");
        drop(handle);
        let raised = world.raise("after the drop").await;
        assert!(!raised.running);
        let record = world.record(raised.notification).await;
        assert_eq!(record.delivery.state, DeliveryState::Queued);
        let health = world.engine.health();
        assert!(!health.running);
        assert!(health.problems[0].contains("stopped"), "{health:?}");
        is_clean(world.start().await.drain(LONG).await);
        world.all_sent_once().await;
    });
}

#[test]
fn engine_starts_sixty_times() {
    on_both_stores(async |kept| {
        let world = World::new(kept).await;
        for life in 0..60 {
            let handle = world.start().await;
            world.raise(&format!("alert {life}")).await;
            // Every other life ends without a word.
            if life % 2 == 0 {
                is_clean(handle.drain(LONG).await);
            }
        }
        is_clean(world.start().await.drain(LONG).await);
        assert_eq!(world.log().await.len(), 60);
        world
            .another_engine()
            .start()
            .await
            .unwrap()
            .drain(LONG)
            .await;
    });
}

#[test]
fn drain_sends_all_that_is_queued() {
    on_both_stores(async |kept| {
        let world = World::new(kept).await;
        for place in 0..200 {
            world.raise(&format!("alert {place}")).await;
        }
        let leftover = world.start().await.drain(LONG).await;
        is_clean(leftover);
        assert_eq!(world.channel.sent().len(), 200);
        world.all_sent_once().await;
    });
}

#[test]
fn drain_waits_for_what_was_just_claimed() {
    on_both_stores(async |kept| {
        let (world, store) = World::hooked(kept).await;
        store.hold("claimed");
        world.raise("claimed").await;
        let claimed = store.reaches("claimed");
        let handle = world.start().await;
        claimed.await;
        let looked = store.reaches("due_queues");
        let draining = tokio::spawn(handle.drain(LONG));
        // The drain finds nothing in the queue, and nothing in anybody's hands yet.
        looked.await;
        store.let_go("claimed");
        is_clean(draining.await.unwrap());
        assert_eq!(world.channel.sent(), ["claimed"]);
    });
}

#[test]
fn drain_waits_for_a_raise_under_way() {
    on_both_stores(async |kept| {
        let (world, store) = World::hooked(kept).await;
        let handle = world.start().await;
        store.hold("enqueue");
        let enqueued = store.reaches("enqueue");
        let raising = world.spawn_raise("late");
        enqueued.await;
        let looked = store.reaches("due_queues");
        let draining = tokio::spawn(handle.drain(LONG));
        looked.await;
        store.let_go("enqueue");
        is_clean(draining.await.unwrap());
        raising.await.unwrap().unwrap();
        assert_eq!(world.channel.sent(), ["late"]);
    });
}

#[test]
fn drain_ends_at_its_limit() {
    on_both_stores(async |kept| {
        let world = World::new(kept).await;
        let handle = world.start().await;
        let hanging = world.raise("hang").await;
        let begun = Instant::now();
        handle.drain(Duration::from_millis(200)).await;
        took_at_most(Duration::from_millis(300), begun);
        let record = world.record(hanging.notification).await;
        assert_eq!(record.delivery.state, DeliveryState::Queued);
    });
}

#[test]
fn drops_take_no_time() {
    on_both_stores(async |kept| {
        for is_started in [false, true] {
            let world = World::with(kept, FakeChannel::new()).await;
            let mut handle = None;
            if is_started {
                handle = Some(world.start().await);
                world.raise("hang").await;
                world.channel.begins("hang").await;
            }
            let begun = Instant::now();
            drop(handle);
            drop(world);
            took_at_most(Duration::from_millis(50), begun);
        }
    });
}
