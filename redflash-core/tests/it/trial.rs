//! Trying one gateway out.

use redflash_core::{Address, DeliveryState, Idempotency, NotificationId};

use crate::world::{Answer, Script, World, gateway, slug};

#[tokio::test]
async fn a_trial_is_sent_once_however_often_it_is_asked_for_with_one_promise() {
    let script = Script::new("x");
    let world = World::new([gateway("first", &script, 8)]).await;
    script.always("refuse", Answer::Reject);
    let tried = async |to: &str, key: &str| -> (NotificationId, bool) {
        let promise = Idempotency {
            key: key.to_owned(),
            digest: String::new(),
        };
        let to = Address::new(to).unwrap();
        let first = slug("first");
        let tried = world.engine.try_gateway_once(&first, to, "hi", &promise);
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
async fn a_gateway_that_there_is_not_cannot_be_tried() {
    let world = World::new([gateway("first", &Script::new("x"), 8)]).await;
    let to = Address::new("a").unwrap();
    let tried = world.engine.try_gateway(&slug("second"), to, "hi").await;
    assert!(tried.unwrap().is_none());
}
