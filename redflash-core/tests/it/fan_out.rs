//! Large alerts, whose deliveries are queued in pieces.

use std::time::Duration;

use redflash_core::delivery::DeliveryState::{Queued, Sent};
use redflash_core::model::{Address, ChannelKind, Contact, EndpointId, Group};
use redflash_core::store::{DeliveryRecord, Directory, Entry, Save};

use crate::world::{START, Script, World, gateway, name, slug};

/// More deliveries than fit into a few pieces.
const MANY: usize = 1100;

async fn with_crowd(world: World) -> World {
    let contact = |number: usize| {
        let who = format!("c{number}");
        let address = Address::new(format!("a{number}")).unwrap();
        let (id, channel) = (EndpointId::new(START), ChannelKind::parse("x").unwrap());
        Contact::new(slug(&who), name(&who)).with_endpoint(id, channel, address)
    };
    let contacts: Vec<_> = (0..MANY).map(contact).collect();
    let members = contacts.iter().map(|one| one.slug.clone()).collect();
    let group = Entry::Group(Group::new(slug("all"), name("All"), members));
    let entries: Vec<_> = contacts
        .into_iter()
        .map(Entry::Contact)
        .chain([group])
        .collect();
    Directory::save(&*world.store, &entries, Save::Create)
        .await
        .unwrap();
    world
}

fn positions(records: &[DeliveryRecord]) -> Vec<u32> {
    let positions = records.iter().map(|record| record.delivery.id.place());
    positions.collect()
}

#[tokio::test]
async fn sends_a_large_alert_completely_and_once() {
    let script = Script::new("x");
    let world = World::new([gateway("mail", &script, 8)]).await;
    let world = with_crowd(world).await;
    let id = world.tell_group("all", "hello").await.notification;
    let records = world
        .engine
        .wait(id, Duration::from_secs(60))
        .await
        .unwrap();
    assert!(positions(&records).into_iter().eq(1..=1100));
    assert!(records.iter().all(|record| record.delivery.state == Sent));
    assert_eq!(script.sent().len(), MANY);
    assert_eq!(world.store.unfinished().await.unwrap(), []);
}

#[tokio::test]
async fn queues_a_large_alert_raised_before_the_start() {
    let world = World::asleep([gateway("mail", &Script::new("x"), 8)]);
    let world = with_crowd(world).await;
    let id = world.tell_group("all", "hello").await.notification;
    let records = world.records(id).await;
    assert!(positions(&records).into_iter().eq(1..=1100));
    assert!(records.iter().all(|record| record.delivery.state == Queued));
    assert_eq!(world.store.backlog().await.unwrap().queued, 1100);
}
