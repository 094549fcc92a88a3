//! Settings that are replaced while the engine runs.

use redflash_core::delivery::DeliveryState;
use redflash_core::engine::Settings;
use redflash_core::gateway::{Gateway, GatewayState, Gateways};

use crate::world::{Answer, Script, World, gateway, slug};

fn settings(gateways: impl IntoIterator<Item = Gateway>) -> Settings {
    Settings::new(Gateways::new(gateways).unwrap())
}

#[tokio::test]
async fn gateway_that_keeps_its_name_keeps_its_breaker() {
    let (first, other) = (Script::new("x"), Script::new("x"));
    first.always("a", Answer::Unauthorized);
    let world = World::new([gateway("first", &first, 8)]).await;
    world.contact("ann", &["a"]).await;
    let id = world.tell("ann", "one").await.notification;
    world
        .until(id, |record| !record.attempts_made.is_empty())
        .await;
    world
        .engine
        .replace_settings(settings([gateway("first", &other, 4)]));
    let health = world.engine.health();
    assert_eq!(health.gateways[0].state, GatewayState::Stopped);
    assert_eq!(other.sent_to("a"), 0, "it is not tried before its time");
}

#[tokio::test]
async fn sends_queued_deliveries_through_the_new_gateways() {
    let (first, second) = (Script::new("x"), Script::new("x"));
    first.always("a", Answer::Unauthorized);
    let world = World::new([gateway("first", &first, 8)]).await;
    world.contact("ann", &["a"]).await;
    let id = world.tell("ann", "one").await.notification;
    world
        .until(id, |record| !record.attempts_made.is_empty())
        .await;
    world
        .engine
        .replace_settings(settings([gateway("second", &second, 8)]));
    let ten_minutes = std::time::Duration::from_secs(600);
    world.advance(ten_minutes);
    let record = world
        .until(id, |record| record.delivery.state == DeliveryState::Sent)
        .await;
    assert_eq!(record.delivery.gateway, Some(slug("second")));
    let known = world.engine.health().gateways;
    assert!(
        known.iter().all(|one| one.gateway != slug("first")),
        "{known:?}"
    );
}
