//! Recovery of the deliveries that a dispatcher leaves behind.

use std::sync::Arc;
use std::time::Duration;

use redflash_core::delivery::{AttemptOutcome, DeliveryState};
use redflash_core::store::{MemoryStore, Store};

use crate::world::{Answer, Script, World, gateway};

#[tokio::test]
async fn shutdown_finishes_running_requests() {
    let script = Script::new("x");
    script.next("a", [Answer::Gated]);
    let mut world = World::new([gateway("first", &script, 8)]).await;
    world.contact("ann", &["a"]).await;
    let id = world.tell("ann", "hello").await.notification;
    while script.sent().is_empty() {
        tokio::task::yield_now().await;
    }
    script.open_gate(1);
    world.stop().await;
    assert_eq!(
        world.records(id).await[0].delivery.state,
        DeliveryState::Sent
    );
    let later = world.tell("ann", "later").await.notification;
    assert_eq!(
        world.records(later).await[0].delivery.state,
        DeliveryState::Queued
    );
}

#[test]
fn takes_back_and_labels_deliveries_of_a_dead_process() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
    };
    let first = runtime().unwrap();
    let (world, id) = first.block_on(async {
        let script = Script::new("x");
        script.next("a", [Answer::Gated]);
        let mut world = World::over(Arc::clone(&store), [gateway("first", &script, 8)]);
        world.start().await;
        world.contact("ann", &["a"]).await;
        let id = world.tell("ann", "hello").await.notification;
        while script.sent().is_empty() {
            tokio::task::yield_now().await;
        }
        (world, id)
    });
    // Nothing is recorded any more, as after a crash.
    drop(first);
    runtime().unwrap().block_on(async {
        let mut next = World::over(store, [gateway("first", &Script::new("x"), 8)]);
        next.start().await;
        let record = next
            .until(id, |r| r.delivery.state == DeliveryState::Sent)
            .await;
        assert_eq!(record.attempts_made[0].outcome, AttemptOutcome::Unknown);
        assert!(record.delivery.may_repeat && record.attempts_made.last().unwrap().may_repeat);
    });
    drop(world);
}

#[tokio::test]
async fn sends_what_was_queued_before_the_start() {
    let script = Script::new("x");
    let mut world = World::asleep([gateway("first", &script, 8)]);
    world.contact("ann", &["a"]).await;
    let id = world.tell("ann", "hello").await.notification;
    world.start().await;
    let records = world.engine.wait(id, Duration::from_secs(5)).await.unwrap();
    assert_eq!(records[0].delivery.state, DeliveryState::Sent);
}
