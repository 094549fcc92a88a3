//! Alarms about stopped gateways and used-up budgets.

use std::sync::Arc;
use std::time::Duration;

use redflash_core::gateway::{Budget, Gateway, GatewayHealth, GatewayState};
use redflash_core::store::MemoryStore;

use crate::world::{Answer, START, Script, World, gateway, slug};

/// A world whose alarm contact, `ops`, has an endpoint on `x` and one on `y`.
async fn watched(gateways: impl IntoIterator<Item = Gateway>) -> World {
    let mut world = World::built(Arc::new(MemoryStore::new()), gateways, |builder| {
        builder.alarm_contact(Some(slug("ops")))
    });
    world.contact_on("y", "ops", &["ops"]).await;
    world.contact("ann", &["a"]).await;
    world.start().await;
    world
}

/// Waits for this number of messages to the alarm contact, and returns their texts.
async fn alarm_texts(script: &Script, count: usize) -> Vec<String> {
    for _ in 0..2000 {
        if script.sent_to("ops") >= count {
            break;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let entries = script.sent().into_iter().filter(|m| m.to.as_str() == "ops");
    entries.map(|message| message.body).collect()
}

#[tokio::test]
async fn sends_one_alarm_per_episode_and_one_recovery() {
    let (broken, other) = (Script::new("x"), Script::new("y"));
    broken.next("a", [Answer::Unauthorized, Answer::Unauthorized]);
    let world = watched([gateway("first", &broken, 8), gateway("other", &other, 8)]).await;
    world.tell("ann", "hello").await;
    assert_eq!(
        alarm_texts(&other, 1).await,
        [
            "RedFlash: gateway first has stopped: the gateway rejects our account: as scripted. Its messages are waiting."
        ]
    );
    // Another try fails: the same episode.
    world.advance(Duration::from_secs(601));
    for _ in 0..500 {
        if broken.sent().len() == 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert_eq!(broken.sent().len(), 2);
    // Polled once a second: by now the dispatcher knows that the alarm was sent.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    world.advance(Duration::from_secs(1300));
    let texts = alarm_texts(&other, 2).await;
    assert_eq!(texts[1..], ["RedFlash: gateway first has recovered."]);
    assert!(world.store.alarms().await.unwrap().is_empty());
}

/// Waits until the store has the next try of the only stopped gateway this many seconds after the
/// start.
async fn next_try(world: &World, seconds: u64) {
    let expected = Some(START.plus(Duration::from_secs(seconds)));
    for _ in 0..2000 {
        let alarms = world.store.alarms().await.unwrap();
        if alarms
            .first()
            .is_some_and(|one| one.next_try_at == expected)
        {
            return;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    panic!("{:?}", world.store.alarms().await)
}

#[tokio::test]
async fn stores_the_next_try_of_a_stopped_gateway() {
    let broken = Script::new("x");
    broken.always("a", Answer::Unauthorized);
    let first = gateway("first", &broken, 8);
    let world = watched([first.clone(), gateway("other", &Script::new("y"), 8)]).await;
    let other = World::over(Arc::clone(&world.store), [first.clone()]);
    let shown = async |after| {
        other.clock.set(START.plus(Duration::from_secs(after)));
        let status = other.engine.gateway_statuses().await.unwrap().of(&first);
        assert_eq!(status.state, GatewayState::Stopped);
        status.next_try_at.unwrap().since(START).as_secs()
    };
    world.tell("ann", "hello").await;
    next_try(&world, 600).await;
    assert_eq!(shown(5).await, 600);
    assert_eq!(shown(650).await, 650, "what is overdue is due now");
    let ours = world.engine.gateway_statuses().await.unwrap().of(&first);
    assert_eq!(ours.next_try_at, Some(START.plus(Duration::from_secs(600))));
    world.advance(Duration::from_secs(700));
    next_try(&world, 1300).await;
    assert_eq!(shown(710).await, 1300);
}

#[tokio::test]
async fn raises_no_alarm_for_one_dead_host() {
    let (hosts, other) = (Script::new("x"), Script::new("y"));
    hosts.always("dead/1", Answer::Unreachable);
    hosts.always("gone/1", Answer::Unauthorized);
    let world = watched([gateway("first", &hosts, 8), gateway("other", &other, 8)]).await;
    world.contact("bob", &["dead/1"]).await;
    for _ in 0..5 {
        let id = world.tell("bob", "hello").await.notification;
        world
            .until(id, |record| record.delivery.attempts == 1)
            .await;
    }
    world.contact("cid", &["gone/1"]).await;
    let id = world.tell("cid", "hello").await.notification;
    world
        .until(id, |record| record.delivery.attempts == 1)
        .await;
    let open = |health: &GatewayHealth| matches!(health.state, GatewayState::Stopped);
    assert!(world.engine.health().gateways.iter().any(open));
    assert!(world.store.alarms().await.unwrap().is_empty());
    assert_eq!(other.sent_to("ops"), 0);
}

#[tokio::test]
async fn raises_an_alarm_before_a_budget_is_used_up() {
    let (bounded, other) = (Script::new("x"), Script::new("y"));
    let first = Gateway {
        budget: Budget {
            per_day: Some(5),
            ..Budget::default()
        },
        ..gateway("first", &bounded, 8)
    };
    let world = watched([first, gateway("other", &other, 8)]).await;
    for _ in 0..3 {
        let id = world.tell("ann", "hello").await.notification;
        world.until(id, |r| r.delivery.state.is_final()).await;
    }
    assert_eq!(other.sent_to("ops"), 0);
    for _ in 0..4 {
        let id = world.tell("ann", "hello").await.notification;
        world.until(id, |r| r.delivery.state.is_final()).await;
    }
    let texts = alarm_texts(&other, 2).await;
    assert_eq!(texts.len(), 2, "{texts:?}");
    assert!(
        texts[0].contains("has used 4 of its budget of 5 messages"),
        "{texts:?}"
    );
    assert!(
        texts[1].contains("has used up its budget of 5 messages"),
        "{texts:?}"
    );
}

#[tokio::test]
async fn refunds_unsent_messages_without_an_alarm() {
    let (bounded, other) = (Script::new("x"), Script::new("y"));
    bounded.next("a", [Answer::Unreachable, Answer::Unreachable]);
    let first = Gateway {
        budget: Budget {
            per_day: Some(2),
            alarm_percent: 50,
            ..Budget::default()
        },
        ..gateway("first", &bounded, 8)
    };
    let world = watched([first, gateway("other", &other, 8)]).await;
    let mut waiting = Vec::new();
    for _ in 0..2 {
        let id = world.tell("ann", "hello").await.notification;
        world
            .until(id, |record| record.delivery.attempts == 1)
            .await;
        waiting.push(id);
    }
    assert_eq!(other.sent_to("ops"), 0);
    world.advance(Duration::from_secs(3));
    for id in waiting {
        world.until(id, |r| r.delivery.state.is_final()).await;
    }
    let texts = alarm_texts(&other, 2).await;
    assert_eq!(texts.len(), 2, "{texts:?}");
}
