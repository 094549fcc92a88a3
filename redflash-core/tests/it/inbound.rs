//! Messages that people send back.

use std::sync::Arc;

use redflash_core::delivery::DeliveryState;
use redflash_core::engine::CallbackKind;
use redflash_core::gateway::Callback;
use redflash_core::inbound::Inbound;
use redflash_core::model::{Contact, Event, Slug};
use redflash_core::store::{Entry, InboundFilter, MemoryStore};

use crate::world::{Script, World, gateway, name, slug};

/// A world in which replies raise the event `reply`, which notifies `ops` on the channel `y`.
async fn listening() -> (World, Script, Script) {
    let (script, other) = (Script::new("x"), Script::new("y"));
    let gateways = [gateway("first", &script, 8), gateway("other", &other, 8)];
    let mut world = World::built(Arc::new(MemoryStore::new()), gateways, |builder| {
        builder.inbound_event(Some(slug("reply")))
    });
    world.contact_on("y", "ops", &["ops"]).await;
    world.contact("ann", &["a"]).await;
    let words = "{{contact}} says {{text}} to {{answers}}";
    let mut event = Event::new(slug("reply"), name("Reply"), words);
    event.contacts = vec![slug("ops")];
    world.save(Entry::Event(event)).await;
    world.start().await;
    (world, script, other)
}

/// Receives a callback with these fields. Returns the recorded message, if it is new.
async fn comes(world: &World, fields: &[(&str, &str)]) -> Option<Inbound> {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let fields: Vec<_> = fields.iter().map(own).collect();
    let callback = Callback {
        method: "POST",
        url: "",
        fields: &fields,
        headers: &[],
        body: &[],
    };
    let gateway: Slug = slug("first");
    let called = world
        .engine
        .record_callback(&gateway, CallbackKind::Inbound, &callback);
    let called = called.await.unwrap();
    let id = *called.inbound.first()?;
    let all = InboundFilter {
        contact: None,
        before: None,
        limit: std::num::NonZeroU32::MAX,
    };
    let mut all = world.store.inbound(&all).await.unwrap().into_iter();
    all.find(|inbound| inbound.id == id)
}

async fn ann(world: &World) -> Contact {
    world.store.contact(&slug("ann")).await.unwrap().unwrap()
}

#[tokio::test]
async fn reply_raises_the_event_and_links_to_its_delivery() {
    let (world, _, other) = listening().await;
    let id = world.tell("ann", "the disk is full").await.notification;
    let sent = world
        .until(id, |r| r.delivery.state == DeliveryState::Sent)
        .await;
    let message_id = sent.delivery.message_id.unwrap();
    let reply = [
        ("from", "a"),
        ("text", "on my way"),
        ("id", "m1"),
        ("answers", &message_id),
    ];
    let inbound = comes(&world, &reply).await.unwrap();
    assert_eq!(inbound.answers, Some(sent.delivery.id));
    assert_eq!(inbound.contacts, [slug("ann")]);
    assert!(
        inbound.effect.starts_with("raised event/reply as "),
        "{inbound:?}"
    );
    assert_eq!(comes(&world, &reply).await, None, "it came before");
    let raised = inbound.effect.rsplit(' ').next().unwrap().parse().unwrap();
    world.until(raised, |r| r.delivery.state.is_final()).await;
    let texts: Vec<_> = other
        .sent()
        .into_iter()
        .map(|message| message.body)
        .collect();
    assert_eq!(texts, [format!("ann says on my way to {id}")]);
}

#[tokio::test]
async fn stop_opts_out_and_start_opts_in() {
    let (world, script, other) = listening().await;
    let inbound = comes(&world, &[("from", "a"), ("text", " Stop ")])
        .await
        .unwrap();
    assert_eq!(inbound.effect, "switched x of ann off");
    let endpoint = ann(&world).await.endpoints.remove(0);
    assert!(!endpoint.enabled);
    assert_eq!(
        endpoint.opted_out.as_deref(),
        Some("answered Stop to first")
    );
    let raise = redflash_core::message::Raise::contact(slug("ann"), "hello");
    assert!(world.engine.raise(raise).await.is_err());
    let again = comes(&world, &[("from", "a"), ("text", "STOP")])
        .await
        .unwrap();
    assert_eq!(again.effect, "nothing: the endpoint was already off");
    let inbound = comes(&world, &[("from", "a"), ("text", "START")])
        .await
        .unwrap();
    assert_eq!(inbound.effect, "switched x of ann on");
    let id = world.tell("ann", "hello").await.notification;
    world
        .until(id, |r| r.delivery.state == DeliveryState::Sent)
        .await;
    assert_eq!(script.sent().len(), 1);
    assert!(other.sent().is_empty(), "words of this kind raise nothing");
}

#[tokio::test]
async fn start_does_not_enable_a_manually_disabled_endpoint() {
    let (world, ..) = listening().await;
    let mut contact = ann(&world).await;
    contact.endpoints[0].enabled = false;
    world.save(Entry::Contact(contact)).await;
    let inbound = comes(&world, &[("from", "a"), ("text", "start")])
        .await
        .unwrap();
    assert!(inbound.effect.starts_with("nothing"), "{inbound:?}");
    assert!(!ann(&world).await.endpoints[0].enabled);
}

#[tokio::test]
async fn start_does_not_enable_an_invalid_address() {
    let (world, ..) = listening().await;
    let mut contact = ann(&world).await;
    let endpoint = &mut contact.endpoints[0];
    endpoint.address = redflash_core::model::Address::new("invalid").unwrap();
    endpoint.enabled = false;
    endpoint.opted_out = Some("not a valid address".into());
    world.save(Entry::Contact(contact)).await;
    let inbound = comes(&world, &[("from", "invalid"), ("text", "START")])
        .await
        .unwrap();
    assert_eq!(inbound.effect, "nothing: the address is not valid");
    assert!(!ann(&world).await.endpoints[0].enabled);
}

#[tokio::test]
async fn records_unknown_senders_and_ourselves_without_effect() {
    let (world, _, other) = listening().await;
    for (from, text, effect) in [
        ("stranger", "hi", "nothing: no contact has this address"),
        ("stranger", "STOP", "nothing: no contact has this address"),
        (
            "ours",
            "hi",
            "nothing: the message came from our own number",
        ),
        ("a", " ", "nothing: there is no text to raise reply with"),
    ] {
        let inbound = comes(&world, &[("from", from), ("text", text)])
            .await
            .unwrap();
        assert_eq!(inbound.effect, effect, "{from} {text}");
    }
    assert!(other.sent().is_empty());
    assert_eq!(
        comes(&world, &[("text", "hi")]).await,
        None,
        "no message at all"
    );
}

#[tokio::test]
async fn ends_a_loop_of_two_auto_responders() {
    let (world, _, other) = listening().await;
    let mut raised = 0;
    for _ in 0..30 {
        let inbound = comes(&world, &[("from", "a"), ("text", "I am away")])
            .await
            .unwrap();
        raised += usize::from(inbound.effect.starts_with("raised"));
    }
    assert_eq!(raised, 20);
    world.advance(std::time::Duration::from_secs(3600));
    let inbound = comes(&world, &[("from", "a"), ("text", "I am back")])
        .await
        .unwrap();
    let last = inbound.effect.rsplit(' ').next().unwrap().parse().unwrap();
    world.until(last, |r| r.delivery.state.is_final()).await;
    assert!(other.sent().len() <= 21);
}

#[tokio::test]
async fn detects_repeats_by_ids_of_any_length() {
    let (world, _, _) = listening().await;
    let id = "7".repeat(100_000);
    let first = [("from", "a"), ("text", "hello"), ("id", &*id)];
    let kept = comes(&world, &first).await.unwrap().message_id.unwrap();
    assert!(kept.len() <= 255, "{} bytes", kept.len());
    assert_eq!(comes(&world, &first).await, None, "it came before");
    let other = format!("{id}8");
    let second = [("from", "a"), ("text", "hello"), ("id", &*other)];
    assert!(comes(&world, &second).await.is_some());
}
