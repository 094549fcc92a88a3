//! Deliveries are given up when their time is over, and not before.

use std::time::Duration;

use redflash_core::delivery::DeliveryState::{Failed, Queued, Sent};
use redflash_core::delivery::RetrySchedule;
use redflash_core::gateway::{Gateway, Limits};
use redflash_core::model::NotificationId;

use crate::world::{Answer, START, Script, World, gateway};

const GIVE_UP: Duration = Duration::from_secs(10);
const SECOND: Duration = Duration::from_secs(1);

fn impatient(script: &Script, limits: Limits) -> Gateway {
    let schedule = RetrySchedule::prompt().giving_up_after(GIVE_UP);
    gateway("mail", script, 8)
        .with_schedule(schedule)
        .with_limits(limits)
}

/// Passes time in steps until the dispatcher has given these up.
async fn let_pass(world: &World, all: &[NotificationId], most: u32) {
    for _ in 0..most {
        world.advance(SECOND);
        tokio::time::sleep(Duration::from_millis(60)).await;
        let mut open = 0;
        for id in all {
            open += usize::from(!world.records(*id).await[0].delivery.state.is_final());
        }
        if open == 0 {
            return;
        }
    }
}

#[tokio::test]
async fn gives_up_overdue_deliveries_of_a_stopped_gateway() {
    let script = Script::new("x");
    script.always("a", Answer::Unauthorized);
    let world = World::new([impatient(&script, Limits::default())]).await;
    world.contact("ann", &["a"]).await;
    let mut all = Vec::new();
    for _ in 0..20 {
        all.push(world.tell("ann", "hello").await.notification);
    }
    // One was tried, or a few at once. The gateway is stopped for ten minutes.
    world.until(all[0], |r| r.delivery.attempts == 1).await;
    let_pass(&world, &all, 20).await;
    let ended_within = START.plus(Duration::from_secs(14));
    for id in all {
        let record = &world.records(id).await[0];
        assert_eq!(record.delivery.state, Failed, "{record:?}");
        let ended_at = record.delivery.ended_at().unwrap();
        assert!(ended_at >= START.plus(GIVE_UP), "{ended_at:?}");
        assert!(ended_at <= ended_within, "{ended_at:?}");
        let detail = &record.delivery.detail;
        assert!(detail.starts_with("given up"), "{detail}");
        assert!(detail.contains("rejects our account"), "{detail}");
    }
}

#[tokio::test]
async fn rate_limit_gives_nothing_up() {
    let script = Script::new("x");
    let limits = Limits {
        per_second: Some(2.0),
        ..Limits::default()
    };
    let world = World::new([impatient(&script, limits)]).await;
    world.contact("ann", &["a"]).await;
    let mut all = Vec::new();
    for _ in 0..60 {
        all.push(world.tell("ann", "hello").await.notification);
    }
    let_pass(&world, &all, 90).await;
    for id in all {
        let record = &world.records(id).await[0];
        assert_eq!(record.delivery.state, Sent, "{record:?}");
    }
    assert_eq!(script.sent().len(), 60);
}

#[tokio::test]
async fn queued_delivery_states_its_reason() {
    let script = Script::new("x");
    script.always("a", Answer::Unauthorized);
    let mut world = World::asleep([gateway("mail", &script, 1)]);
    world.contact("ann", &["a"]).await;
    let first = world.tell("ann", "hello").await.notification;
    let second = world.tell("ann", "hello").await.notification;
    world.start().await;
    world.until(first, |r| r.delivery.attempts == 1).await;
    let waits = |r: &redflash_core::store::DeliveryRecord| !r.delivery.detail.is_empty();
    let record = world.until(second, waits).await;
    assert_eq!(record.delivery.state, Queued);
    assert_eq!(record.delivery.ended_at(), None);
    assert_eq!(
        record.delivery.detail,
        "waiting for gateway mail: the gateway rejects our account: as scripted"
    );
    // Raised while the gateway is stopped, its detail names the reason from the beginning, and the
    // next try.
    let third = world.tell("ann", "hello").await.notification;
    let detail = &world.records(third).await[0].delivery.detail;
    let expected = format!("{}, next try 22:23:20 UTC", record.delivery.detail);
    assert_eq!(*detail, expected);
}

#[tokio::test]
async fn delivery_without_an_attempt_ends_at_its_decision() {
    let script = Script::new("x");
    script.next("a", [Answer::Unreachable]);
    let world = World::new([gateway("mail", &script, 8)]).await;
    world.contact("ann", &["a"]).await;
    let id = world.tell("ann", "hello").await.notification;
    world.until(id, |r| r.delivery.attempts == 1).await;
    world.switch_off("ann").await;
    world.advance(Duration::from_secs(100));
    let record = world.until(id, |r| r.delivery.state.is_final()).await;
    assert_eq!(
        record.delivery.ended_at(),
        Some(START.plus(Duration::from_secs(100)))
    );
}
