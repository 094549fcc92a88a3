//! Several gateways of one channel.

use std::time::Duration;

use redflash_core::delivery::{AttemptOutcome, DeliveryState, Receipt, ReceiptState};
use redflash_core::gateway::{Capabilities, Gateway, OnUnknown};
use redflash_core::plan::{Skip, Verdict};
use redflash_core::store::DeliveryRecord;

use crate::world::{Answer, Script, World, gateway, slug};

fn through(record: &DeliveryRecord) -> Vec<&str> {
    let attempts = record.attempts_made.iter();
    attempts
        .map(|attempt| attempt.gateway.as_ref().map_or("?", |name| name.as_str()))
        .collect()
}

const fn is(state: DeliveryState) -> impl Fn(&DeliveryRecord) -> bool {
    move |record| record.delivery.state as u8 == state as u8
}

#[tokio::test]
async fn unroutable_message_goes_through_the_next_gateway() {
    let (first, second) = (Script::new("x"), Script::new("x"));
    first.always("a", Answer::Unroutable);
    let gateways = [gateway("first", &first, 8), gateway("second", &second, 8)];
    let world = World::new(gateways).await;
    world.contact("ann", &["a"]).await;
    let id = world.tell("ann", "hello").await.notification;
    let record = world.until(id, is(DeliveryState::Sent)).await;
    assert_eq!(through(&record), ["first", "second"]);
    assert_eq!(record.attempts_made[0].detail, "no route: as scripted");
    assert_eq!(record.delivery.refused_by, [slug("first")]);
    assert!(!record.delivery.may_repeat);
    // The gateway itself is not affected.
    world.contact("bob", &["b"]).await;
    let id = world.tell("bob", "hello").await.notification;
    let record = world.until(id, is(DeliveryState::Sent)).await;
    assert_eq!(through(&record), ["first"]);
}

#[tokio::test]
async fn unroutable_message_fails_after_all_gateways() {
    let (first, second) = (Script::new("x"), Script::new("x"));
    first.always("a", Answer::Unroutable);
    second.always("a", Answer::Unroutable);
    let gateways = [gateway("first", &first, 8), gateway("second", &second, 8)];
    let world = World::new(gateways).await;
    world.contact("ann", &["a"]).await;
    let id = world.tell("ann", "hello").await.notification;
    let record = world.until(id, is(DeliveryState::Failed)).await;
    assert_eq!(through(&record), ["first", "second"]);
    // A manual resend asks all of them again.
    second.always("a", Answer::Accept);
    assert_eq!(
        world
            .store
            .resend(id, None, world.engine.now())
            .await
            .unwrap(),
        1
    );
    world.engine.wake();
    let record = world.until(id, is(DeliveryState::Sent)).await;
    assert_eq!(through(&record), ["first", "second", "first", "second"]);
}

#[tokio::test]
async fn rejected_account_moves_all_deliveries_to_the_next_gateway() {
    let (first, second) = (Script::new("x"), Script::new("x"));
    first.always("a", Answer::Unauthorized);
    let gateways = [gateway("first", &first, 8), gateway("second", &second, 8)];
    let world = World::new(gateways).await;
    world.contact("ann", &["a"]).await;
    for expected in [&["first", "second"][..], &["second"]] {
        let id = world.tell("ann", "hello").await.notification;
        let record = world.until(id, is(DeliveryState::Sent)).await;
        assert_eq!(through(&record), expected);
    }
}

#[tokio::test]
async fn open_breaker_moves_deliveries_to_the_next_gateway_and_back() {
    let (first, second) = (Script::new("x"), Script::new("x"));
    first.always("a", Answer::Unreachable);
    let gateways = [gateway("first", &first, 8), gateway("second", &second, 8)];
    let world = World::new(gateways).await;
    world.contact("ann", &["a"]).await;
    for _ in 0..5 {
        let id = world.tell("ann", "hello").await.notification;
        world
            .until(id, |record| record.delivery.attempts == 1)
            .await;
    }
    let id = world.tell("ann", "hello").await.notification;
    let record = world.until(id, is(DeliveryState::Sent)).await;
    assert_eq!(through(&record), ["second"]);
    // Deliveries that failed before take the same path when they are due again.
    world.advance(Duration::from_secs(3));
    for _ in 0..2000 {
        if second.sent().len() == 6 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert_eq!(second.sent().len(), 6);
    first.always("a", Answer::Accept);
    world.advance(Duration::from_secs(40));
    let id = world.tell("ann", "hello").await.notification;
    let record = world.until(id, is(DeliveryState::Sent)).await;
    assert_eq!(through(&record), ["first"]);
}

#[tokio::test]
async fn chooses_gateways_by_address_prefix() {
    let (uk, rest) = (Script::new("x"), Script::new("x"));
    let british = Gateway {
        prefixes: vec!["+44".into()],
        ..gateway("british", &uk, 8)
    };
    let european = Gateway {
        prefixes: vec!["+44".into(), "+49".into()],
        ..gateway("european", &rest, 8)
    };
    let world = World::new([british, european]).await;
    world.contact("ann", &["+441"]).await;
    world.contact("bob", &["+492"]).await;
    world.contact("cid", &["+33", "+443"]).await;
    for (who, name) in [("ann", "british"), ("bob", "european"), ("cid", "british")] {
        let id = world.tell(who, "hello").await.notification;
        let record = world.until(id, is(DeliveryState::Sent)).await;
        assert_eq!(through(&record), [name], "{who}");
    }
    let plan = world.tell("cid", "hello").await.plan;
    let verdict = &plan.recipients[0].endpoints[0].verdict;
    assert_eq!(*verdict, Verdict::Skip(Skip::NoRoute));
    // The next one that serves the address, if the first does not work.
    uk.always("+441", Answer::Unauthorized);
    let id = world.tell("ann", "hello").await.notification;
    let record = world.until(id, is(DeliveryState::Sent)).await;
    assert_eq!(through(&record), ["british", "european"]);
}

#[tokio::test]
async fn holds_unknown_outcomes_on_request() {
    let script = Script::new("x");
    script.next("a", [Answer::Unknown]);
    let holding = Gateway {
        on_unknown: OnUnknown::Hold,
        ..gateway("first", &script, 8)
    };
    let world = World::new([holding]).await;
    world.contact("ann", &["a"]).await;
    let id = world.tell("ann", "hello").await.notification;
    let record = world.until(id, is(DeliveryState::Quarantined)).await;
    assert!(
        record.delivery.detail.starts_with("set aside"),
        "{record:?}"
    );
    world.advance(Duration::from_secs(3600));
    assert_eq!(script.sent().len(), 1);
    let arrived = Receipt {
        message_id: None,
        delivery: Some(record.delivery.id),
        state: ReceiptState::Delivered,
        of_part: false,
        price: None,
        detail: "delivered".into(),
    };
    let store = &world.store;
    let now = world.engine.now();
    store
        .record_receipt(&slug("first"), &arrived, now)
        .await
        .unwrap();
    world.until(id, is(DeliveryState::Delivered)).await;
}

#[tokio::test]
async fn repeats_unknown_outcomes_at_idempotent_gateways() {
    let script = Script::new("x").able(Capabilities {
        idempotent: true,
        ..Capabilities::default()
    });
    script.next("a", [Answer::Unknown]);
    let holding = Gateway {
        on_unknown: OnUnknown::Hold,
        ..gateway("first", &script, 8)
    };
    let world = World::new([holding]).await;
    world.contact("ann", &["a"]).await;
    let id = world.tell("ann", "hello").await.notification;
    world.until(id, |r| r.delivery.attempts == 1).await;
    world.advance(Duration::from_secs(3));
    world.until(id, is(DeliveryState::Sent)).await;
}

fn waiting(name: &str, script: &Script) -> Gateway {
    Gateway {
        receipt_timeout: Some(Duration::from_secs(300)),
        ..gateway(name, script, 8)
    }
}

#[tokio::test]
async fn missing_receipt_tries_the_next_gateway() {
    let (first, second) = (Script::new("x"), Script::new("x"));
    let gateways = [waiting("first", &first), waiting("second", &second)];
    let world = World::new(gateways).await;
    world.contact("ann", &["a"]).await;
    let id = world.tell("ann", "hello").await.notification;
    world.until(id, is(DeliveryState::Sent)).await;
    world.advance(Duration::from_secs(301));
    let sent_twice = |record: &DeliveryRecord| {
        record.delivery.state == DeliveryState::Sent && record.attempts_made.len() == 3
    };
    let record = world.until(id, sent_twice).await;
    assert_eq!(through(&record), ["first", "first", "second"]);
    assert_eq!(record.attempts_made[1].outcome, AttemptOutcome::Unknown);
    assert_eq!(record.attempts_made[1].detail, "no receipt came in time");
    assert!(record.attempts_made[2].may_repeat);
    // No gateway is left.
    world.advance(Duration::from_secs(301));
    world.advance(Duration::from_secs(2));
    assert_eq!(
        world.records(id).await[0].delivery.state,
        DeliveryState::Sent
    );
    assert_eq!((first.sent().len(), second.sent().len()), (1, 1));
}

#[tokio::test]
async fn omits_a_sender_that_is_not_allowed() {
    let (strict, lax) = (Script::new("x"), Script::new("x"));
    let able = Capabilities {
        sender: true,
        ..Capabilities::default()
    };
    let (strict, lax) = (strict.able(able), lax.able(able));
    strict.always("a", Answer::Unroutable);
    let strict_gateway = Gateway {
        senders: vec!["Other".into()],
        ..gateway("strict", &strict, 8)
    };
    let world = World::new([strict_gateway, gateway("lax", &lax, 8)]).await;
    world.contact("ann", &["a"]).await;
    let mut event = redflash_core::model::Event::new(
        slug("disk"),
        crate::world::name("Disk"),
        "the disk is full",
    );
    event.contacts = vec![slug("ann")];
    for (sender, at_lax, note) in [
        ("Ops", Some("Ops"), ""),
        ("TooLong", None, "; not sent as TooLong: up to 5 letters"),
    ] {
        event.sender = Some(sender.into());
        world
            .save(redflash_core::store::Entry::Event(event.clone()))
            .await;
        let raise = redflash_core::message::Raise::event(
            slug("disk"),
            redflash_core::template::Arguments::new(),
        );
        let id = world.engine.raise(raise).await.unwrap().notification;
        let record = world.until(id, is(DeliveryState::Sent)).await;
        assert_eq!(strict.sent().pop().unwrap().sender, None);
        assert_eq!(lax.sent().pop().unwrap().sender.as_deref(), at_lax);
        assert_eq!(record.attempts_made[1].detail, note);
    }
}
