//! Answers of raises.

use redflash_core::Engine;
use redflash_core::engine::RaiseError;
use redflash_core::message::{Idempotency, Raise};
use redflash_core::model::{NotificationId, Scope};
use redflash_core::store::MemoryStore;
use secrecy::SecretString;

use std::sync::Arc;

use redflash_core::model::{ApiKey, Event, MissingArguments, Slug, Target};
use redflash_core::store::{Entry, EntryRef, LogFilter};
use redflash_core::template::Arguments;

use crate::world::{Script, World, gateway, slug};

async fn world() -> World {
    let world = World::new([gateway("first", &Script::new("x"), 8)]).await;
    world.contact("ann", &["a"]).await;
    world
}

fn hello(idempotency: Option<(&str, &str)>) -> Raise {
    let raise = Raise::contact(slug("ann"), "hello").by(slug("app"));
    match idempotency {
        Some((key, digest)) => raise.idempotent(Idempotency {
            key: key.to_owned(),
            digest: digest.to_owned(),
        }),
        None => raise,
    }
}

async fn raised(world: &World) -> usize {
    let filter = LogFilter::newest(std::num::NonZeroU32::MAX);
    world.store.log(&filter).await.unwrap().entries.len()
}

#[tokio::test]
async fn refusals_store_nothing() {
    let world = world().await;
    world.contact("bare", &[]).await;
    world.contact("off", &["b"]).await;
    world.switch_off("off").await;
    let refused = async |who: &str, text: &str| {
        let raise = Raise::contact(slug(who), text);
        world.engine.raise(raise).await.unwrap_err().code()
    };
    assert_eq!(refused("nobody", "hi").await, "unknown_target");
    assert_eq!(refused("nobody", " ").await, "empty_message");
    assert_eq!(refused("bare", "hi").await, "no_recipients");
    assert_eq!(refused("off", "hi").await, "disabled");
    assert_eq!(raised(&world).await, 0);
}

#[tokio::test]
async fn idempotent_repeat_precedes_any_refusal() {
    let world = world().await;
    let raise = |key: &str, digest: &str| world.engine.raise(hello(Some((key, digest))));
    let first = raise("k", "d").await.unwrap();
    let refused = async |code: &str| {
        let again = raise("k", "d").await.unwrap();
        assert!(again.repeat && again.notification == first.notification);
        assert_eq!(raise("new", "d").await.unwrap_err().code(), code);
        let mismatch = raise("k", "other").await.unwrap_err();
        assert!(matches!(mismatch, RaiseError::IdempotencyMismatch));
    };
    world.switch_off("ann").await;
    refused("disabled").await;
    world.contact("ann", &[]).await;
    refused("no_recipients").await;
    let ann = EntryRef::Target(Target::Contact(slug("ann")));
    world.store.remove(&ann).await.unwrap();
    refused("unknown_target").await;
    assert_eq!(raised(&world).await, 1);
}

#[tokio::test]
async fn idempotent_repeat_precedes_argument_checks() {
    let world = world().await;
    let mut event = Event::new(slug("disk"), "Disk".parse().unwrap(), "{{host}} is full");
    event.contacts.push(slug("ann"));
    world.save(Entry::Event(event.clone())).await;
    let raise = |key: &str| {
        let raise = Raise::event(slug("disk"), Arguments::new()).by(slug("app"));
        world.engine.raise(raise.idempotent(Idempotency {
            key: key.to_owned(),
            digest: "d".to_owned(),
        }))
    };
    let first = raise("k").await.unwrap();
    event.missing_arguments = MissingArguments::Refuse;
    world.save(Entry::Event(event)).await;
    assert_eq!(raise("new").await.unwrap_err().code(), "missing_arguments");
    let again = raise("k").await.unwrap();
    assert!(again.repeat && again.notification == first.notification);
}

#[tokio::test]
async fn idempotent_repeat_requires_a_valid_key() {
    let world = world().await;
    let (mut key, secret) = ApiKey::generate(slug("app"), false, Scope::All, world.engine.now());
    world.save(Entry::ApiKey(key.clone())).await;
    let target = Target::Contact(slug("ann"));
    let checked = world.engine.key_to_raise(&secret, Some(&target)).await;
    let checked = checked.unwrap().unwrap();
    let raise = || {
        world
            .engine
            .raise(hello(Some(("k", "d"))).with_key(&checked))
    };
    raise().await.unwrap();
    world.switch_off("ann").await;
    assert!(raise().await.unwrap().repeat);
    key.enabled = false;
    world.save(Entry::ApiKey(key)).await;
    let refused = raise().await.unwrap_err();
    assert!(matches!(refused, RaiseError::KeyRevoked(_)), "{refused}");
}

#[tokio::test]
async fn equal_requests_are_one_notification() {
    let world = world().await;
    let raises = (0..50).map(|_| world.engine.raise(hello(Some(("k", "d")))));
    let mut ids = Vec::new();
    for raise in raises {
        ids.push(raise.await.unwrap());
    }
    let first: NotificationId = ids[0].notification;
    assert!(ids.iter().all(|raised| raised.notification == first));
    assert_eq!(ids.iter().filter(|raised| !raised.repeat).count(), 1);
    let other = world.engine.raise(hello(Some(("k", "other")))).await;
    assert!(matches!(other, Err(RaiseError::IdempotencyMismatch)));
    world.engine.raise(hello(None)).await.unwrap();
    assert_eq!(raised(&world).await, 2);
}

#[tokio::test]
async fn explaining_stores_nothing() {
    let world = world().await;
    let plan = world.engine.explain(&hello(None)).await.unwrap();
    assert_eq!((plan.queued(), plan.message.body.as_str()), (1, "hello"));
    assert_eq!(raised(&world).await, 0);
}

#[tokio::test]
async fn too_much_waiting_refuses_more() {
    let script = Script::new("x");
    let world = World::asleep([gateway("first", &script, 8)]);
    world.contact("ann", &["a"]).await;
    let builder = Engine::builder(Arc::clone(&world.store)).max_queued(2);
    let engine = builder
        .gateway(gateway("first", &script, 8))
        .build()
        .unwrap();
    engine.raise(hello(None)).await.unwrap();
    engine.raise(hello(None)).await.unwrap();
    let refused = engine.raise(hello(None)).await.unwrap_err();
    assert!(matches!(refused, RaiseError::Overloaded { .. }));
}

#[tokio::test]
async fn change_invalidates_cache() {
    let world = world().await;
    let secret = SecretString::from("a-secret-of-twenty-c");
    let app: Slug = slug("app");
    let now = world.engine.now();
    let key = ApiKey::import(app.clone(), false, Scope::All, now, &secret).unwrap();
    assert_eq!(world.engine.api_key(&secret).await.unwrap(), None);
    world.save(Entry::ApiKey(key.clone())).await;
    assert_eq!(world.engine.api_key(&secret).await.unwrap(), Some(key));
    world.store.remove(&EntryRef::ApiKey(app)).await.unwrap();
    assert_eq!(world.engine.api_key(&secret).await.unwrap(), None);
    world.switch_off("ann").await;
    let refused = world.engine.raise(hello(None)).await.unwrap_err();
    assert!(matches!(refused, RaiseError::Disabled(_)));
}

#[tokio::test]
async fn rechecks_a_key_that_changes_meanwhile() {
    let world = world().await;
    let secret = SecretString::from("a-secret-of-twenty-c");
    let now = world.engine.now();
    let mut key = ApiKey::import(slug("app"), false, Scope::All, now, &secret).unwrap();
    world.save(Entry::ApiKey(key.clone())).await;
    let target = Target::Contact(slug("ann"));
    let checked = world.engine.key_to_raise(&secret, Some(&target)).await;
    let checked = checked.unwrap().unwrap();
    let raise = || hello(None).with_key(&checked);

    world.contact("bob", &["b"]).await;
    world.engine.raise(raise()).await.unwrap();

    key.scope = Scope::Only([Target::Contact(slug("bob"))].into());
    world.save(Entry::ApiKey(key.clone())).await;
    let refused = world.engine.raise(raise()).await.unwrap_err();
    assert!(matches!(refused, RaiseError::KeyRevoked(_)));
    let now = world.engine.key_to_raise(&secret, Some(&target)).await;
    assert_eq!(now.unwrap().unwrap().key, key);

    key.scope = Scope::All;
    world.save(Entry::ApiKey(key.clone())).await;
    world.engine.raise(raise()).await.unwrap();
    assert_eq!(raised(&world).await, 2);
}

#[tokio::test]
async fn refusals_are_up_to_date() {
    let world = world().await;
    world.engine.raise(hello(None)).await.unwrap();
    world.switch_off("ann").await;
    world.engine.raise(hello(None)).await.unwrap_err();
    world.contact("ann", &["a"]).await;
    world.engine.raise(hello(None)).await.unwrap();
}

#[test]
fn rejects_duplicate_gateway_names() {
    let script = Script::new("x");
    let builder = Engine::builder(Arc::new(MemoryStore::new()));
    let built = builder
        .gateways([gateway("a", &script, 1), gateway("a", &script, 1)])
        .build();
    assert!(built.is_err());
}
