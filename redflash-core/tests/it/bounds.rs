//! Alerts that are refused for their size, or for an impossible time.

use std::sync::Arc;

use crate::world::{Script, World, gateway, name, slug};
use redflash_core::clock::{ManualClock, Timestamp};
use redflash_core::engine::{EditError, RaiseError, StartError};
use redflash_core::message::{Idempotency, Raise};
use redflash_core::model::{Actor, Contact};
use redflash_core::store::{LogFilter, StoreError};
use redflash_core::template::Arguments;

const END: i64 = 253_402_300_800_000;

async fn world() -> World {
    let world = World::asleep([gateway("mail", &Script::new("x"), 8)]);
    world.contact("ann", &["a"]).await;
    world
}

async fn logged(world: &World) -> usize {
    let newest = LogFilter::newest(10.try_into().unwrap());
    world.store.log(&newest).await.unwrap().entries.len()
}

fn text(bytes: usize) -> Raise {
    Raise::contact(slug("ann"), "x".repeat(bytes))
}

fn event(arguments: usize) -> Raise {
    let arguments = (0..arguments).map(|number| (number.to_string(), 1.into()));
    Raise::event(slug("none"), arguments.collect())
}

#[tokio::test]
async fn rejects_too_large_content_first() {
    let world = world().await;
    let nested = vec![vec!["x".repeat(1024)]; 4096];
    let nested = Arguments::from_iter([("list".to_owned(), nested.into())]);
    let key = Idempotency {
        key: "k".repeat(Idempotency::MAX_KEY + 1),
        digest: String::new(),
    };
    for (raise, wrong, most) in [
        (text(Raise::MAX_CONTENT + 1), "bytes of text", 4_194_304),
        (event(Raise::MAX_ARGUMENTS + 1), "arguments", 1000),
        (
            Raise::event(slug("none"), nested),
            "bytes of arguments",
            4_194_304,
        ),
        (
            text(1).idempotent(key),
            "characters of an idempotency key",
            255,
        ),
    ] {
        let explained = world.engine.explain(&raise).await.map(|_| ());
        let raised = world.engine.raise(raise).await.map(|_| ());
        for refused in [explained, raised] {
            let error = refused.unwrap_err();
            let RaiseError::TooLarge {
                what,
                size,
                most: at_most,
            } = error
            else {
                panic!("{error}");
            };
            assert_eq!((what, at_most), (wrong, most));
            assert!(size > most, "{size}");
            assert_eq!(error.code(), "too_large");
        }
    }
    assert_eq!(logged(&world).await, 0);
}

#[tokio::test]
async fn accepts_content_of_the_maximum_size() {
    let world = world().await;
    world.engine.raise(text(Raise::MAX_CONTENT)).await.unwrap();
    let unknown = world.engine.raise(event(Raise::MAX_ARGUMENTS)).await;
    assert!(matches!(unknown, Err(RaiseError::UnknownTarget(_))));
}

#[tokio::test]
async fn builder_sets_the_content_limit() {
    let store = Arc::new(redflash_core::store::MemoryStore::new());
    let mail = [gateway("mail", &Script::new("x"), 8)];
    let world = World::built(store, mail, |builder| builder.max_content(10));
    world.contact("ann", &["a"]).await;
    world.engine.raise(text(10)).await.unwrap();
    let refused = world.engine.raise(text(11)).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the alert has 11 bytes of text; the maximum is 10"
    );
}

#[tokio::test]
async fn stores_nothing_while_the_clock_is_wrong() {
    for millis in [i64::MIN, -1, END, i64::MAX] {
        let world = world().await;
        world.clock.set(Timestamp::from_millis(millis));
        let raise = text(1);
        let explained = world.engine.explain(&raise).await.unwrap_err();
        let raised = world.engine.raise(raise).await.unwrap_err();
        for error in [explained, raised] {
            assert!(matches!(error, RaiseError::Clock(_)), "{error}");
        }
        let started = world.engine.start().await.unwrap_err();
        assert!(
            matches!(started, StartError::Store(StoreError::Clock(_))),
            "{started}"
        );
        let bob = Contact::new(slug("bob"), name("Bob"));
        let by = Actor::Operator("me".into());
        let created = world.engine.create(&bob, &by).await.unwrap_err();
        assert!(
            matches!(created, EditError::Store(StoreError::Clock(_))),
            "{created}"
        );
        assert_eq!(logged(&world).await, 0);
        assert_eq!(world.store.contact(&slug("bob")).await.unwrap(), None);
    }
}

#[tokio::test]
async fn builds_an_engine_while_the_clock_is_wrong() {
    for millis in [i64::MIN, -1, END, i64::MAX] {
        let store = Arc::new(redflash_core::store::MemoryStore::new());
        let clock = ManualClock::new(Timestamp::from_millis(millis));
        let builder = redflash_core::Engine::builder(store).clock(Arc::new(clock));
        let engine = builder.build().unwrap();
        assert_eq!(engine.now().as_millis(), millis);
    }
}
