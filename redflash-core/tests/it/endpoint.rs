//! Endpoints that a program saves again at each start.

use redflash_core::delivery::DeliveryState::{Cancelled, Sent};
use redflash_core::model::{Actor, Address, Contact, Endpoint, EndpointId};
use redflash_core::store::{Entry, Save};

use crate::world::{Script, World, gateway, slug};

fn by() -> Actor {
    Actor::Operator("program".into())
}

/// Returns Ann with new endpoint values for these addresses.
async fn with_new_endpoints(world: &World, addresses: &[&str]) -> Contact {
    let mut ann = world.store.contact(&slug("ann")).await.unwrap().unwrap();
    let channel = ann.endpoints[0].channel.clone();
    let endpoint = |address: &&str| Endpoint {
        id: EndpointId::new(world.engine.now()),
        channel: channel.clone(),
        address: Address::new(*address).unwrap(),
        enabled: true,
        opted_out: None,
    };
    ann.endpoints = addresses.iter().map(endpoint).collect();
    ann
}

async fn changed(world: &World, ann: Contact) {
    let change = |contact: &mut Contact| {
        contact.clone_from(&ann);
        Ok(())
    };
    let changed = world.engine.change(&slug("ann"), &by(), None, change).await;
    changed.unwrap();
}

async fn loaded(world: &World, ann: Contact) {
    let entries = [Entry::Contact(ann)];
    let (engine, by) = (&world.engine, by());
    let loaded = engine.load(&entries, Save::Upsert, "a file", &by).await;
    loaded.unwrap();
}

#[tokio::test]
async fn sends_queued_deliveries_after_an_endpoint_is_saved_again() {
    for is_loaded in [true, false] {
        let script = Script::new("x");
        let mut world = World::asleep([gateway("mail", &script, 8)]);
        world.contact("ann", &["a"]).await;
        let id = world.tell("ann", "hello").await.notification;
        let ann = with_new_endpoints(&world, &["b", "a"]).await;
        if is_loaded {
            loaded(&world, ann).await;
        } else {
            changed(&world, ann).await;
        }
        world.start().await;
        world.until(id, |r| r.delivery.state == Sent).await;
        assert_eq!(script.sent_to("a"), 1);
    }
}

#[tokio::test]
async fn saving_endpoints_again_changes_nothing() {
    let world = World::asleep([gateway("mail", &Script::new("x"), 8)]);
    world.contact("ann", &["a", "b"]).await;
    let version = world.store.version().await.unwrap();
    let ann = with_new_endpoints(&world, &["a", "b"]).await;
    changed(&world, ann).await;
    assert_eq!(world.store.version().await.unwrap(), version);
}

#[tokio::test]
async fn cancels_deliveries_to_a_removed_address() {
    let script = Script::new("x");
    let mut world = World::asleep([gateway("mail", &script, 8)]);
    world.contact("ann", &["a"]).await;
    let id = world.tell("ann", "hello").await.notification;
    let ann = with_new_endpoints(&world, &["b"]).await;
    changed(&world, ann).await;
    world.start().await;
    let record = world.until(id, |r| r.delivery.state == Cancelled).await;
    assert_eq!(record.delivery.detail, "the endpoint was removed");
}
