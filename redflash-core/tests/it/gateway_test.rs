//! Tests of a gateway or an endpoint, and their audit entries.

use std::num::NonZeroU32;

use redflash_core::delivery::DeliveryState;
use redflash_core::message::{Idempotency, Raise};
use redflash_core::model::{Actor, Address, NotificationId};
use redflash_core::store::AuditFilter;

use crate::world::{Answer, Script, World, gateway, slug};

#[tokio::test]
async fn sends_a_test_once_for_one_idempotency_key() {
    let script = Script::new("x");
    let world = World::new([gateway("first", &script, 8)]).await;
    script.always("refuse", Answer::Reject);
    let tried = async |to: &str, key: &str| -> (NotificationId, bool) {
        let promise = Idempotency {
            key: key.to_owned(),
            digest: String::new(),
        };
        let to = Address::new(to).unwrap();
        let (first, by) = (slug("first"), by());
        let tried = world
            .engine
            .test_gateway_once(&first, to, "hi", &promise, &by);
        let tried = tried.await.unwrap().unwrap();
        (tried.notification, tried.repeat)
    };
    let (first, repeat) = tried("a", "one").await;
    assert!(!repeat);
    assert_eq!(tried("a", "one").await, (first, true));
    assert_eq!(script.sent_to("a"), 1);
    assert_ne!(tried("a", "two").await, (first, true));
    assert_eq!(script.sent_to("a"), 2);

    let (refused, _) = tried("refuse", "three").await;
    let (_, records) = world.store.notification(refused).await.unwrap().unwrap();
    assert_eq!(records[0].delivery.state, DeliveryState::Failed);
    assert_eq!(records[0].attempts_made.len(), 1);
}

#[tokio::test]
async fn rejects_a_test_of_an_unknown_gateway() {
    let world = World::new([gateway("first", &Script::new("x"), 8)]).await;
    let to = Address::new("a").unwrap();
    let tried = world
        .engine
        .test_gateway(&slug("second"), to, "hi", &by())
        .await;
    assert!(tried.unwrap().is_none());
}

#[tokio::test]
async fn audits_manual_actions_once() {
    let world = World::new([gateway("first", &Script::new("x"), 8)]).await;
    world.contact("ann", &["a"]).await;
    let to = Address::new("a").unwrap();
    let (first, by) = (slug("first"), by());
    let trial = world.engine.test_gateway(&first, to, "hi", &by);
    let trial = trial.await.unwrap().unwrap().notification;

    let ann = world.store.contact(&slug("ann")).await.unwrap().unwrap();
    let test = Raise::contact(slug("ann"), "hi").only(ann.endpoints[0].id);
    world.engine.raise_as(test, &by).await.unwrap();

    let promise = Idempotency {
        key: "once".into(),
        digest: String::new(),
    };
    let raise = Raise::contact(slug("ann"), "hi").idempotent(promise);
    let raised = world.engine.raise_as(raise.clone(), &by).await.unwrap();
    assert!(world.engine.raise_as(raise, &by).await.unwrap().repeat);

    assert_eq!(
        audit_lines(&world).await,
        [
            format!(
                "user/boss raised notification/{}: contact/ann",
                raised.notification
            ),
            "user/boss tested contact/ann: x a".to_owned(),
            format!("user/boss tested gateway/first: a, notification/{trial}"),
        ]
    );
}

fn by() -> Actor {
    Actor::User("boss".into())
}

/// Returns the audit log, newest first.
async fn audit_lines(world: &World) -> Vec<String> {
    let all = AuditFilter {
        subject: None,
        by: None,
        before: None,
        limit: NonZeroU32::new(10).unwrap(),
    };
    let entries = world.store.audit_entries(&all).await.unwrap();
    let line = |change: &redflash_core::model::AuditEntry| {
        let (by, action) = (&change.by, change.action.as_str());
        format!("{by} {action} {}: {}", change.subject, change.detail)
    };
    entries.iter().map(line).collect()
}
