//! Failures of a recipient or a message are not blamed on the gateway.

use std::sync::Arc;
use std::time::Duration;

use redflash_core::delivery::AttemptOutcome;
use redflash_core::delivery::DeliveryState::{Failed, Queued, Sent};
use redflash_core::gateway::{Capabilities, GatewayState};
use redflash_core::message::Deferral;
use redflash_core::model::NotificationId;
use redflash_core::store::{MemoryStore, Store};

use crate::world::{Answer, Script, World, gateway, slug};

const FULL: Answer = Answer::Deferred(Deferral::Recipient, None);
const NOT_THIS: Answer = Answer::Deferred(Deferral::Message, None);

const fn busy(seconds: u64) -> Answer {
    Answer::Deferred(Deferral::Recipient, Some(Duration::from_secs(seconds)))
}

/// Raises one message for each of these addresses, one after the other.
async fn attempted(world: &World, addresses: &[&str]) -> Vec<NotificationId> {
    let mut all = Vec::new();
    for address in addresses {
        world.contact(address, &[address]).await;
        let id = world.tell(address, "hello").await.notification;
        world.until(id, |r| r.delivery.attempts >= 1).await;
        all.push(id);
    }
    all
}

fn is_open(world: &World) -> bool {
    let gateways = world.engine.health().gateways;
    let open = |state: &GatewayState| matches!(state, GatewayState::Stopped);
    gateways.iter().any(|one| open(&one.state))
}

#[tokio::test]
async fn full_mailbox_does_not_delay_others() {
    for answer in [FULL, NOT_THIS, Answer::Refused] {
        let script = Script::new("x");
        script.always("full", answer);
        let world = World::new([gateway("mail", &script, 8)]).await;
        world.contact("ann", &["ann"]).await;
        world.contact("full", &["full"]).await;
        world.group("both", &["ann", "full"]).await;
        for number in 1..=95 {
            world.tell_group("both", "hello").await;
            while script.sent_to("ann") < number {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            world.advance(Duration::from_secs(6));
        }
        assert_eq!(script.sent_to("ann"), 95);
        assert!(!is_open(&world));
    }
}

#[tokio::test]
async fn busy_chat_delays_no_other_and_uses_no_attempts() {
    let script = Script::new("x");
    script.next("busy", [busy(30)]);
    let world = World::new([gateway("chat", &script, 8)]).await;
    let first = attempted(&world, &["busy"]).await[0];
    let second = world.tell("busy", "again").await.notification;
    let waits = world
        .until(second, |r| {
            r.delivery.state == Queued && r.delivery.due_at > world.engine.now()
        })
        .await;
    assert_eq!(waits.delivery.attempts, 0);
    assert_eq!(
        waits.delivery.due_at,
        crate::world::START.plus(Duration::from_secs(30))
    );
    let other = attempted(&world, &["other"]).await[0];
    world.until(other, |r| r.delivery.state == Sent).await;
    world.advance(Duration::from_secs(29));
    world.tell("other", "still").await;
    assert_eq!(script.sent_to("busy"), 1);
    world.advance(Duration::from_secs(1));
    for id in [first, second] {
        world.until(id, |r| r.delivery.state == Sent).await;
    }
    assert_eq!(script.sent_to("busy"), 3);
}

#[tokio::test]
async fn busy_chat_of_one_gateway_is_reached_through_another() {
    let (first, second) = (Script::new("x"), Script::new("x"));
    first.always("busy", busy(30));
    let gateways = [gateway("first", &first, 8), gateway("second", &second, 8)];
    let world = World::new(gateways).await;
    attempted(&world, &["busy"]).await;
    let id = world.tell("busy", "again").await.notification;
    let record = world.until(id, |r| r.delivery.state == Sent).await;
    assert_eq!(record.delivery.gateway, Some(slug("second")));
    assert_eq!(first.sent().len(), 1);
}

#[tokio::test]
async fn three_different_recipients_in_a_row_stop_the_gateway() {
    for answer in [NOT_THIS, Answer::Refused] {
        let script = Script::new("x");
        for address in ["a", "b", "c"] {
            script.always(address, answer.clone());
        }
        let world = World::new([gateway("mail", &script, 1)]).await;
        attempted(&world, &["a", "b", "a", "ok", "c", "a"]).await;
        assert!(!is_open(&world));
        attempted(&world, &["b"]).await;
        assert!(is_open(&world));
        // A recipient that failed before proves nothing as a probe: another one is let through at
        // once.
        world.advance(Duration::from_secs(60));
        world.contact("new", &["new"]).await;
        let id = world.tell("new", "hello").await.notification;
        world.until(id, |r| r.delivery.state == Sent).await;
    }
}

#[tokio::test]
async fn full_mailboxes_of_many_never_stop_the_gateway() {
    let script = Script::new("x");
    let addresses = ["a", "b", "c", "d", "e", "f", "g"];
    for address in addresses {
        script.always(address, FULL);
    }
    let world = World::new([gateway("mail", &script, 8)]).await;
    attempted(&world, &addresses).await;
    assert!(!is_open(&world));
}

#[tokio::test]
async fn batch_answered_by_one_refusal_counts_once() {
    let script = Script::new("x").able(Capabilities {
        batch: 5,
        ..Capabilities::default()
    });
    let addresses = ["a", "b", "c", "d", "e"];
    for address in addresses {
        script.next(address, [NOT_THIS]);
    }
    let world = World::new([gateway("first", &script, 8)]).await;
    for address in addresses {
        world.contact(address, &[address]).await;
    }
    world.group("all", &addresses).await;
    let id = world.tell_group("all", "hello").await.notification;
    world
        .all_until(id, |all| all.iter().all(|r| r.delivery.attempts == 1))
        .await;
    assert_eq!(script.requests(), [5]);
    assert!(!is_open(&world));
}

#[tokio::test]
async fn refused_message_goes_through_the_next_gateway() {
    let (first, second) = (Script::new("x"), Script::new("x"));
    first.always("a", Answer::Refused);
    let gateways = [gateway("first", &first, 8), gateway("second", &second, 8)];
    let world = World::new(gateways).await;
    let id = attempted(&world, &["a"]).await[0];
    let record = world.until(id, |r| r.delivery.state == Sent).await;
    assert_eq!(record.delivery.refused_by, [slug("first")]);
    assert_eq!(record.attempts_made[0].outcome, AttemptOutcome::Retry);
}

#[tokio::test]
async fn refused_message_without_another_gateway_waits_on_its_schedule() {
    let script = Script::new("x");
    script.next("a", [Answer::Refused]);
    let world = World::new([gateway("only", &script, 8)]).await;
    let id = attempted(&world, &["a"]).await[0];
    assert_ne!(world.records(id).await[0].delivery.state, Failed);
    world.advance(Duration::from_secs(3));
    world.until(id, |r| r.delivery.state == Sent).await;
}

/// A world whose alarm contact, `ops`, has an endpoint on `y`.
async fn watched(store: Arc<dyn Store>, mail: &Script, other: &Script) -> World {
    let gateways = [gateway("mail", mail, 8), gateway("other", other, 8)];
    let mut world = World::built(store, gateways, |builder| {
        builder.alarm_contact(Some(slug("ops")))
    });
    world.contact_on("y", "ops", &["ops"]).await;
    world.start().await;
    world
}

async fn alarm_texts(script: &Script, count: usize) -> Vec<String> {
    for _ in 0..2000 {
        if script.sent_to("ops") >= count {
            break;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    script.sent().into_iter().map(|m| m.body).collect()
}

#[tokio::test]
async fn refusals_raise_one_alarm_an_episode_across_restarts_and_nodes() {
    let (mail, other) = (Script::new("x"), Script::new("y"));
    mail.always("full", Answer::Refused);
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let mut world = watched(Arc::clone(&store), &mail, &other).await;
    attempted(&world, &["full", "ann", "full", "ann"]).await;
    let texts = alarm_texts(&other, 1).await;
    assert_eq!(
        texts,
        ["RedFlash: gateway mail is refusing messages: as scripted. Its messages are waiting."]
    );
    world.stop().await;
    // After a restart, or on another node, it is the same episode.
    let world = watched(store, &mail, &other).await;
    attempted(&world, &["full", "ann"]).await;
    // Polled once a second: by now the alarm of the other process is known.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    attempted(&world, &["full", "ann"]).await;
    let alarms = world.store.alarms().await.unwrap();
    let subjects: Vec<_> = alarms.iter().map(|alarm| &*alarm.subject).collect();
    assert_eq!(subjects, ["refusal/mail"]);
    assert_eq!(alarms[0].reason, "as scripted");
    assert!(world.engine.stopped_gateways().await.unwrap().is_empty());
    assert_eq!(other.sent_to("ops"), 1);
    // An hour without refusals and an accepted message end it.
    mail.always("full", Answer::Accept);
    world.advance(Duration::from_secs(3601));
    attempted(&world, &["ann"]).await;
    let texts = alarm_texts(&other, 2).await;
    assert_eq!(
        texts[1..],
        ["RedFlash: gateway mail no longer refuses messages."]
    );
    assert!(world.store.alarms().await.unwrap().is_empty());
}
