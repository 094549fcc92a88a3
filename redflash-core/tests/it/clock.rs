//! Steps of the wall clock while the dispatcher works.

use std::sync::Arc;
use std::time::Duration;

use redflash_core::clock::Timestamp;
use redflash_core::delivery::AttemptOutcome;
use redflash_core::delivery::DeliveryState::{Queued, Sending, Sent};
use redflash_core::gateway::{GatewayState, Limits};
use redflash_core::store::MemoryStore;

use crate::world::{Answer, START, Script, World, gateway};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const MINUTES: Duration = Duration::from_secs(5 * 60);
const HOURS: Duration = Duration::from_secs(2 * 3600);

/// Waits until the dispatcher has read the clock, which it does once a second.
async fn looked(world: &World) {
    world.engine.wake();
    tokio::time::sleep(Duration::from_millis(1200)).await;
}

#[tokio::test]
async fn clock_set_forward_sends_nothing_twice() {
    let script = Script::new("x");
    script.next("a", [Answer::Gated]);
    let limits = Limits {
        deadline: Duration::from_secs(30),
        ..Limits::default()
    };
    let world = World::new([gateway("mail", &script, 8).with_limits(limits)]).await;
    world.contact("ann", &["a"]).await;
    let id = world.tell("ann", "hello").await.notification;
    while script.sent().is_empty() {
        tokio::task::yield_now().await;
    }
    world.clock.set(START.plus(MINUTES));
    looked(&world).await;
    world.advance(Duration::from_secs(2));
    looked(&world).await;
    script.open_gate(1);
    let record = world.until(id, |r| r.delivery.state == Sent).await;
    assert_eq!(record.attempts_made.len(), 1, "{record:?}");
    assert_eq!(record.attempts_made[0].outcome, AttemptOutcome::Ok);
    assert_eq!(script.sent().len(), 1);
}

#[tokio::test]
async fn clock_set_back_stalls_no_retry() {
    for by in [MINUTES, HOURS] {
        let script = Script::new("x");
        script.next("a", [Answer::Unreachable]);
        let world = World::new([gateway("mail", &script, 8)]).await;
        world.contact("ann", &["a"]).await;
        let id = world.tell("ann", "hello").await.notification;
        world.until(id, |r| r.delivery.attempts == 1).await;
        world.clock.set(START.minus(by));
        looked(&world).await;
        let waits = &world.records(id).await[0].delivery;
        assert_eq!(waits.state, Queued);
        let wait = waits.due_at.since(world.engine.now());
        assert!((1600..=2400).contains(&wait.as_millis()), "{wait:?}");
        world.advance(Duration::from_secs(3));
        world.until(id, |r| r.delivery.state == Sent).await;
        let new = world.tell("ann", "hello").await.notification;
        world.until(new, |r| r.delivery.state == Sent).await;
    }
}

#[tokio::test]
async fn clock_set_back_stalls_no_rate_limit() {
    let script = Script::new("x");
    let limits = Limits {
        per_second: Some(1.0),
        ..Limits::default()
    };
    let world = World::new([gateway("mail", &script, 8).with_limits(limits)]).await;
    world.contact("ann", &["a"]).await;
    world.tell("ann", "hello").await;
    let second = world.tell("ann", "hello").await.notification;
    world.clock.set(START.minus(HOURS));
    looked(&world).await;
    for _ in 0..3 {
        world.advance(Duration::from_secs(1));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    world.until(second, |r| r.delivery.state == Sent).await;
}

#[tokio::test]
async fn clock_set_back_stalls_no_breaker_and_no_pause() {
    let pause = Answer::RateLimited(Some(Duration::from_secs(60)));
    for answer in [Answer::Unauthorized, pause] {
        let script = Script::new("x");
        script.next("a", [answer]);
        let world = World::new([gateway("mail", &script, 8)]).await;
        world.contact("ann", &["a"]).await;
        let id = world.tell("ann", "hello").await.notification;
        world.until(id, |r| r.delivery.attempts == 1).await;
        world.clock.set(START.minus(HOURS));
        looked(&world).await;
        let health = &world.engine.health().gateways[0];
        assert_ne!(health.state, GatewayState::Ok);
        let wait = health.next_try_at.unwrap().since(world.engine.now());
        assert!(wait <= Duration::from_secs(600), "{wait:?}");
        world.advance(Duration::from_secs(601));
        world.until(id, |r| r.delivery.state == Sent).await;
    }
}

#[tokio::test]
async fn clock_set_forward_gives_nothing_up() {
    let script = Script::new("x");
    script.next("a", [Answer::Unreachable, Answer::Unreachable]);
    let world = World::new([gateway("mail", &script, 8)]).await;
    world.contact("ann", &["a"]).await;
    let id = world.tell("ann", "hello").await.notification;
    world.until(id, |r| r.delivery.attempts == 1).await;
    world.clock.set(START.plus(10 * HOURS));
    looked(&world).await;
    world.advance(Duration::from_secs(3));
    world.until(id, |r| r.delivery.attempts == 2).await;
    world.advance(Duration::from_secs(10));
    world.until(id, |r| r.delivery.state == Sent).await;
}

/// Passes time, and waits until the dispatcher has polled the queue.
async fn pass(world: &World, by: Duration) {
    world.advance(by);
    let now = Some(world.engine.now());
    while world.engine.health().last_poll_at != now {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn clock_set_forward_takes_nothing_from_a_node_that_lives() {
    let store = Arc::new(MemoryStore::of_nodes());
    let gateways = [gateway("mail", &Script::new("x"), 8)];
    let mut world = World::over(store, gateways);
    world.contact("ann", &["a"]).await;
    let id = world.tell("ann", "hello").await.notification;
    let (other, lease) = world.leased_to_another(MINUTE).await;
    world.start().await;
    world.clock.set(START.plus(MINUTES));
    let sending = async || world.records(id).await[0].delivery.state == Sending;

    pass(&world, SECOND).await;
    assert!(sending().await, "the other node has no chance to renew it");
    let until = world.engine.now().plus(MINUTE);
    let lost = world.store.renew(other, &[lease], until).await.unwrap();
    assert_eq!(lost, []);
    pass(&world, 5 * SECOND).await;
    assert!(sending().await);
    // A node that renews nothing for this long is gone.
    pass(&world, MINUTE).await;
    let record = world.until(id, |one| one.delivery.state == Sent).await;
    assert_eq!(record.attempts_made[0].outcome, AttemptOutcome::Unknown);
}

#[tokio::test]
async fn clock_set_forward_keeps_the_leases_of_a_dead_node_for_two_seconds_at_most() {
    let store = Arc::new(MemoryStore::of_nodes());
    let gateways = [gateway("mail", &Script::new("x"), 8)];
    let mut world = World::over(store, gateways);
    world.contact("ann", &["a"]).await;
    let id = world.tell("ann", "hello").await.notification;
    world.leased_to_another(MINUTE).await;
    world.start().await;
    world.clock.set(START.plus(MINUTES));
    pass(&world, SECOND).await;
    pass(&world, 2 * SECOND).await;
    world.until(id, |one| one.delivery.state == Sent).await;
}

#[tokio::test]
async fn start_sends_deliveries_that_a_wrong_clock_put_years_ahead() {
    const YEARS: Duration = Duration::from_secs(3 * 365 * 24 * 3600);
    let script = Script::new("x");
    script.next("a", [Answer::Unreachable]);
    let mut wrong = World::asleep([gateway("mail", &script, 8)]);
    wrong.clock.set(START.plus(YEARS));
    wrong.contact("ann", &["a"]).await;
    wrong.start().await;
    let id = wrong.tell("ann", "hello").await.notification;
    wrong.until(id, |r| r.delivery.attempts == 1).await;
    wrong.stop().await;

    let mut right = World::over(wrong.store.clone(), [gateway("mail", &script, 8)]);
    right.start().await;
    let record = right.until(id, |r| r.delivery.state == Sent).await;
    assert!(record.delivery.due_at < START.plus(MINUTES), "{record:?}");
}

#[tokio::test]
async fn start_leaves_scheduled_retries_alone() {
    let script = Script::new("x");
    script.next("a", [Answer::Unreachable]);
    let mut first = World::asleep([gateway("mail", &script, 8)]);
    first.contact("ann", &["a"]).await;
    first.start().await;
    let id = first.tell("ann", "hello").await.notification;
    let waits = first.until(id, |r| r.delivery.attempts == 1).await;
    first.stop().await;

    let mut again = World::over(first.store.clone(), [gateway("mail", &script, 8)]);
    again.start().await;
    looked(&again).await;
    let still = &again.records(id).await[0].delivery;
    assert_eq!(still.due_at, waits.delivery.due_at);
    assert_eq!(script.sent().len(), 1);
}

#[tokio::test]
async fn records_an_outcome_at_an_impossible_time_by_the_monotonic_clock() {
    const YEAR_10000: Timestamp = Timestamp::from_millis(253_402_300_800_000);
    let script = Script::new("x");
    script.next("a", [Answer::Gated]);
    let world = World::new([gateway("mail", &script, 8)]).await;
    world.contact("ann", &["a"]).await;
    let id = world.tell("ann", "hello").await.notification;
    while script.sent().is_empty() {
        tokio::task::yield_now().await;
    }
    world.clock.set(YEAR_10000);
    script.open_gate(1);
    let record = world.until(id, |r| r.delivery.state == Sent).await;
    assert!(
        record.attempts_made[0].ended_at < START.plus(MINUTES),
        "{record:?}"
    );
}
