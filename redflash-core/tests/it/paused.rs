//! The engine on a runtime whose clock is paused, as in the tests of other programs.

use std::time::Duration;

use redflash_core::delivery::DeliveryState;

use crate::world::{Script, World, gateway};

#[tokio::test(start_paused = true)]
async fn paused_clock_of_the_runtime_keeps_nothing_from_being_sent() {
    let script = Script::new("x");
    let world = World::asleep([gateway("first", &script, 8)]);
    world.contact("ann", &["a"]).await;
    let handle = world.engine.start().await.unwrap();
    for _ in 0..3 {
        let id = world.tell("ann", "hello").await.notification;
        let record = world
            .until(id, |r| r.delivery.state == DeliveryState::Sent)
            .await;
        assert_eq!(record.attempts_made.len(), 1);
        tokio::time::advance(Duration::from_secs(3600)).await;
    }
    assert!(world.engine.health().running);
    let left = handle.drain(Duration::from_secs(5)).await;
    assert!(left.is_clean(), "{left:?}");
    assert_eq!(script.sent_to("a"), 3);
}
