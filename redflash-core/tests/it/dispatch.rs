//! Outcomes of hand-overs.

use std::time::Duration;

use redflash_core::delivery::{AttemptOutcome, DeliveryState};
use redflash_core::gateway::{GatewayState, Limits};

use crate::world::{Answer, Script, World, gateway};

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn delivers_to_every_endpoint() {
    let script = Script::new("x");
    let world = World::new([gateway("first", &script, 8)]).await;
    world.contact("ann", &["a1", "a2"]).await;
    let raised = world.tell("ann", "hello").await;
    let records = world
        .engine
        .wait(raised.notification, Duration::from_secs(5))
        .await
        .unwrap();
    assert_eq!(records.len(), 2);
    for record in records {
        assert_eq!(record.delivery.state, DeliveryState::Sent);
        assert_eq!(
            record.delivery.message_id,
            Some(record.delivery.id.to_string())
        );
        assert_eq!(record.attempts_made.len(), 1);
        assert_eq!(record.attempts_made[0].outcome, AttemptOutcome::Ok);
    }
    assert!(
        script
            .sent()
            .iter()
            .all(|m| m.body == "hello" && m.attempt == 1)
    );
}

#[tokio::test]
async fn retries_unreachable_gateways_on_schedule() {
    let script = Script::new("x");
    script.next("a", [Answer::Unreachable, Answer::Unreachable]);
    let world = World::new([gateway("first", &script, 8)]).await;
    world.contact("ann", &["a"]).await;
    let id = world.tell("ann", "hello").await.notification;

    let first = world.until(id, |r| r.delivery.attempts == 1).await;
    assert_eq!(first.delivery.state, DeliveryState::Queued);
    let wait = first.delivery.due_at.since(crate::world::START);
    assert!((1600..=2400).contains(&wait.as_millis()), "{wait:?}");

    world.advance(wait);
    world.until(id, |r| r.delivery.attempts == 2).await;
    world.advance(Duration::from_secs(10));
    let last = world
        .until(id, |r| r.delivery.state == DeliveryState::Sent)
        .await;
    assert_eq!(last.attempts_made.len(), 3);
    assert!(!last.delivery.may_repeat);
}

#[tokio::test]
async fn repeats_unknown_outcomes_and_logs_it() {
    let script = Script::new("x");
    script.next("a", [Answer::Unknown]);
    let world = World::new([gateway("first", &script, 8)]).await;
    world.contact("ann", &["a"]).await;
    let id = world.tell("ann", "hello").await.notification;
    let first = world.until(id, |r| r.delivery.attempts == 1).await;
    assert_eq!(first.attempts_made[0].outcome, AttemptOutcome::Unknown);
    world.advance(Duration::from_secs(3));
    let last = world
        .until(id, |r| r.delivery.state == DeliveryState::Sent)
        .await;
    assert!(last.delivery.may_repeat && last.attempts_made[1].may_repeat);
}

#[tokio::test]
async fn fails_rejected_deliveries_at_once() {
    let script = Script::new("x");
    script.always("a", Answer::Reject);
    let world = World::new([gateway("first", &script, 8)]).await;
    world.contact("ann", &["a"]).await;
    let id = world.tell("ann", "hello").await.notification;
    let record = world
        .until(id, |r| r.delivery.state == DeliveryState::Failed)
        .await;
    assert_eq!(record.attempts_made[0].outcome, AttemptOutcome::Permanent);
    assert_eq!(record.delivery.detail, "rejected: as scripted");
}

#[tokio::test]
async fn gives_up_deliveries_that_can_be_resent() {
    let script = Script::new("x");
    script.next("a", [Answer::Unreachable, Answer::Unreachable]);
    let world = World::new([gateway("first", &script, 8)]).await;
    world.contact("ann", &["a"]).await;
    let id = world.tell("ann", "hello").await.notification;
    world.until(id, |r| r.delivery.attempts == 1).await;
    world.advance(6 * HOUR);
    let record = world
        .until(id, |r| r.delivery.state == DeliveryState::Failed)
        .await;
    assert!(
        record
            .delivery
            .detail
            .starts_with("given up after 2 attempts")
    );

    assert_eq!(
        world
            .store
            .resend(id, None, world.engine.now())
            .await
            .unwrap(),
        1
    );
    world.engine.wake();
    world
        .until(id, |r| r.delivery.state == DeliveryState::Sent)
        .await;
}

#[tokio::test]
async fn honors_retry_after() {
    let script = Script::new("x");
    script.next("a", [Answer::RateLimited(Some(Duration::from_secs(90)))]);
    let world = World::new([gateway("first", &script, 8)]).await;
    world.contact("ann", &["a"]).await;
    let id = world.tell("ann", "hello").await.notification;
    let first = world.until(id, |r| r.delivery.attempts == 1).await;
    assert_eq!(
        first.delivery.due_at,
        crate::world::START.plus(Duration::from_secs(90))
    );
}

#[tokio::test]
async fn channel_that_panics_or_hangs_has_an_unknown_outcome() {
    let script = Script::new("x");
    script.next("a", [Answer::Panic]);
    script.next("b", [Answer::Gated]);
    let world = World::new([gateway("first", &script, 8)]).await;
    world.contact("ann", &["a", "b"]).await;
    let id = world.tell("ann", "hello").await.notification;
    let records = world
        .all_until(id, |all| all.iter().all(|r| r.delivery.attempts == 1))
        .await;
    for (record, detail) in records.iter().zip(["panicked", "no answer within 0.5 s"]) {
        assert_eq!(record.attempts_made[0].outcome, AttemptOutcome::Unknown);
        assert!(
            record.attempts_made[0].detail.contains(detail),
            "{record:?}"
        );
    }
}

#[tokio::test]
async fn rejected_account_fails_over_to_the_next_gateway() {
    let (first, second) = (Script::new("x"), Script::new("x"));
    first.always("a", Answer::Unauthorized);
    let world = World::new([gateway("first", &first, 8), gateway("second", &second, 8)]).await;
    world.contact("ann", &["a"]).await;
    for _ in 0..2 {
        let id = world.tell("ann", "hello").await.notification;
        let record = world
            .until(id, |r| r.delivery.state == DeliveryState::Sent)
            .await;
        assert_eq!(record.delivery.gateway.unwrap().as_str(), "second");
    }
    assert_eq!((first.sent().len(), second.sent().len()), (1, 2));
}

#[tokio::test]
async fn rejected_account_without_another_gateway_keeps_the_alert() {
    let script = Script::new("x");
    script.next("a", [Answer::Unauthorized]);
    let world = World::new([gateway("only", &script, 8)]).await;
    world.contact("ann", &["a"]).await;
    let id = world.tell("ann", "hello").await.notification;
    world.until(id, |r| r.delivery.attempts == 1).await;
    world.advance(Duration::from_secs(60));
    let later = world.tell("ann", "again").await.notification;
    assert_eq!(
        script.sent().len(),
        1,
        "nothing goes to a gateway that refuses us"
    );
    world.advance(Duration::from_secs(600));
    world
        .until(id, |r| r.delivery.state == DeliveryState::Sent)
        .await;
    world
        .until(later, |r| r.delivery.state == DeliveryState::Sent)
        .await;
}

#[tokio::test]
async fn open_breaker_uses_no_attempts_and_one_probe_closes_it() {
    let script = Script::new("x");
    script.next("a", std::iter::repeat_n(Answer::Unreachable, 5));
    let world = World::new([gateway("first", &script, 1)]).await;
    world.contact("ann", &["a"]).await;
    let mut all = Vec::new();
    for _ in 0..6 {
        all.push(world.tell("ann", "hello").await.notification);
    }
    for id in &all[..5] {
        world.until(*id, |r| r.delivery.attempts == 1).await;
    }
    let health = world.engine.health();
    assert!(
        matches!(health.gateways[0].state, GatewayState::Stopped),
        "{health:?}"
    );
    world.advance(Duration::from_secs(15));
    assert_eq!(script.sent().len(), 5);
    assert_eq!(world.records(all[5]).await[0].delivery.attempts, 0);
    world.advance(Duration::from_secs(60));
    for id in all {
        world
            .until(id, |r| r.delivery.state == DeliveryState::Sent)
            .await;
    }
}

#[tokio::test]
async fn rate_limit_spreads_deliveries() {
    let script = Script::new("x");
    let limits = Limits {
        per_second: Some(2.0),
        ..Limits::default()
    };
    let world = World::new([gateway("first", &script, 8).with_limits(limits)]).await;
    world.contact("ann", &["a"]).await;
    let mut last = None;
    for _ in 0..5 {
        last = Some(world.tell("ann", "hello").await.notification);
    }
    world
        .until(last.unwrap(), |r| r.delivery.state == DeliveryState::Queued)
        .await;
    assert_eq!(script.sent().len(), 2);
    world.advance(Duration::from_secs(1));
    world.advance(Duration::from_secs(1));
    world
        .until(last.unwrap(), |r| {
            world.engine.wake();
            world.clock.advance(Duration::from_millis(100));
            r.delivery.state == DeliveryState::Sent
        })
        .await;
    assert_eq!(script.sent().len(), 5);
}

#[tokio::test]
async fn switching_off_cancels_queued_deliveries() {
    let script = Script::new("x");
    script.next("a", [Answer::Unreachable]);
    let world = World::new([gateway("first", &script, 8)]).await;
    world.contact("ann", &["a"]).await;
    let id = world.tell("ann", "hello").await.notification;
    world.until(id, |r| r.delivery.attempts == 1).await;
    world.switch_off("ann").await;
    world.advance(Duration::from_secs(3));
    let record = world
        .until(id, |r| r.delivery.state == DeliveryState::Cancelled)
        .await;
    assert_eq!(record.delivery.detail, "contact/ann was switched off");
    assert_eq!(script.sent().len(), 1);
}
