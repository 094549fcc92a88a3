//! Limits of the memory store.

use std::num::NonZeroUsize;
use std::sync::Arc;

use redflash_core::delivery::DeliveryState::{Sending, Sent};
use redflash_core::message::{Idempotency, Raise};
use redflash_core::model::NotificationId;
use redflash_core::store::{LogFilter, MemoryStore};

use crate::world::{Answer, Script, World, gateway, slug};

async fn ids(world: &World) -> Vec<NotificationId> {
    let newest = LogFilter::newest(10.try_into().unwrap());
    let entries = world.store.log(&newest).await.unwrap().entries;
    entries.iter().map(|(one, _)| one.id).collect()
}

#[tokio::test]
async fn oldest_finished_notifications_are_forgotten_first() {
    let script = Script::new("x");
    script.next("slow", [Answer::Gated]);
    let store = MemoryStore::with_limit(NonZeroUsize::new(2).unwrap());
    let mut world = World::over(Arc::new(store), [gateway("mail", &script, 8)]);
    world.contact("ann", &["slow"]).await;
    world.contact("bob", &["b"]).await;
    world.start().await;
    let under_way = world.tell("ann", "hello").await.notification;
    let promise = || Idempotency {
        key: "k".into(),
        digest: "d".into(),
    };
    let raise = || Raise::contact(slug("bob"), "hello").idempotent(promise());
    let first = world.engine.raise(raise()).await.unwrap().notification;
    world.until(first, |r| r.delivery.state == Sent).await;

    let second = world.tell("bob", "hello").await.notification;
    assert_eq!(ids(&world).await, [second, under_way]);
    assert_eq!(world.records(under_way).await[0].delivery.state, Sending);
    world.until(second, |r| r.delivery.state == Sent).await;
    let again = world.engine.raise(raise()).await.unwrap();
    assert!(!again.repeat, "its key is forgotten too");

    script.open_gate(1);
    world.until(under_way, |r| r.delivery.state == Sent).await;
    let last = world.tell("bob", "hello").await.notification;
    assert_eq!(ids(&world).await, [last, again.notification]);
}
