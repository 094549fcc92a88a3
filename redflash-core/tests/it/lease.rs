//! Leases of a living holder, whatever the clock shows.

use std::sync::Arc;
use std::time::Duration;

use redflash_core::Engine;
use redflash_core::delivery::{AttemptOutcome, DeliveryState};
use redflash_core::engine::{BuildError, EngineBuilder};
use redflash_core::store::MemoryStore;

use crate::world::{Answer, Script, World, gateway, slug};

/// Waits until the dispatcher has polled the queue at the present time.
async fn turned(world: &World) {
    let now = world.engine.now();
    while world.engine.health().last_poll_at.is_none_or(|at| at < now) {
        world.engine.wake();
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

async fn handed_over(script: &Script, count: usize) {
    while script.sent().len() < count {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

fn patient(script: &Script, concurrency: u32) -> redflash_core::gateway::Gateway {
    let mut gateway = gateway("first", script, concurrency);
    gateway.limits.deadline = Duration::from_secs(30);
    gateway
}

#[tokio::test]
async fn clock_jump_takes_back_no_running_delivery() {
    let script = Script::new("x");
    script.next("a", [Answer::Gated]);
    let world = World::new([patient(&script, 8)]).await;
    world.contact("ann", &["a"]).await;
    let id = world.tell("ann", "hello").await.notification;
    handed_over(&script, 1).await;
    for _ in 0..3 {
        world.advance(Duration::from_secs(300));
        turned(&world).await;
    }
    script.open_gate(1);
    let record = world
        .until(id, |r| r.delivery.state == DeliveryState::Sent)
        .await;
    assert_eq!((record.attempts_made.len(), script.sent_to("a")), (1, 1));
    assert_eq!(record.attempts_made[0].outcome, AttemptOutcome::Ok);
}

#[tokio::test]
async fn waiting_deliveries_survive_a_clock_jump() {
    let script = Script::new("x");
    script.next("a", [Answer::Gated]);
    let world = World::new([patient(&script, 1)]).await;
    world.contact("ann", &["a"]).await;
    world.contact("bob", &["b"]).await;
    world.tell("ann", "hello").await;
    handed_over(&script, 1).await;
    let waits = world.tell("bob", "hello").await.notification;
    let waiting = world.records(waits).await;
    assert_eq!(waiting[0].delivery.state, DeliveryState::Sending);
    world.clock.advance(Duration::from_secs(300));
    script.open_gate(1);
    let record = world
        .until(waits, |r| r.delivery.state == DeliveryState::Sent)
        .await;
    assert_eq!(record.attempts_made.len(), 1);
}

#[tokio::test]
async fn living_holder_renews_its_leases() {
    let script = Script::new("x");
    script.next("a", [Answer::Gated]);
    let store = Arc::new(MemoryStore::of_nodes());
    let mut world = World::over(store, [patient(&script, 8)]);
    world.start().await;
    let other_script = Script::new("x");
    let mut other = World::over(Arc::clone(&world.store), [patient(&other_script, 8)]);
    other.start().await;
    world.contact("ann", &["a"]).await;
    let id = world.tell("ann", "hello").await.notification;
    handed_over(&script, 1).await;
    let most = EngineBuilder::LEASE.mul_f64(0.9);
    for _ in 0..3 {
        world.advance(most);
        turned(&world).await;
        other.advance(most);
        turned(&other).await;
    }
    assert_eq!(
        world.records(id).await[0].delivery.state,
        DeliveryState::Sending
    );
    script.open_gate(1);
    let record = world
        .until(id, |r| r.delivery.state == DeliveryState::Sent)
        .await;
    assert_eq!(record.attempts_made.len(), 1);
    assert!(other_script.sent().is_empty());
}

#[test]
fn rejects_a_lease_shorter_than_two_hand_overs() {
    let built = |lease: u64| {
        Engine::builder(Arc::new(MemoryStore::new()))
            .gateway(patient(&Script::new("x"), 1))
            .lease(Duration::from_secs(lease))
            .build()
    };
    let refused = built(61).unwrap_err();
    let least = Duration::from_secs(62);
    assert!(
        matches!(&refused, BuildError::ShortLease { gateway, least: wanted, .. }
            if *gateway == slug("first") && *wanted == least),
        "{refused}"
    );
    built(62).unwrap();
}
