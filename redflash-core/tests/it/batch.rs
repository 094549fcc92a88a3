//! Gateways that take many messages in one request.

use redflash_core::Capabilities;
use redflash_core::DeliveryState::{self, Failed, Queued, Sent};

use crate::world::{Answer, Script, World, gateway};

fn batching(most: u32) -> Script {
    Script::new("x").able(Capabilities {
        batch: most,
        ..Capabilities::default()
    })
}

async fn crew(world: &World, addresses: &[&str]) {
    for (place, address) in addresses.iter().enumerate() {
        world.contact(&format!("c{place}"), &[address]).await;
    }
    let members: Vec<_> = (0..addresses.len())
        .map(|place| format!("c{place}"))
        .collect();
    let members: Vec<_> = members.iter().map(String::as_str).collect();
    world.group("crew", &members).await;
}

/// The state of every delivery, once each has been attempted.
async fn states(world: &World) -> Vec<DeliveryState> {
    let id = world.tell_group("crew", "hello").await.notification;
    let records = world
        .all_until(id, |records| {
            records.iter().all(|r| r.delivery.attempts == 1)
        })
        .await;
    records.iter().map(|record| record.delivery.state).collect()
}

#[tokio::test]
async fn a_fan_out_goes_out_in_few_requests() {
    let script = batching(10);
    let world = World::new([gateway("first", &script, 8)]).await;
    let addresses: Vec<_> = (0..25).map(|n| format!("a{n}")).collect();
    let addresses: Vec<_> = addresses.iter().map(String::as_str).collect();
    crew(&world, &addresses).await;
    assert_eq!(states(&world).await, [DeliveryState::Sent; 25]);
    let requests = script.requests();
    assert_eq!(requests.iter().sum::<usize>(), 25);
    assert!(requests.len() <= 5, "{requests:?}");
    assert!(requests.iter().all(|held| *held <= 10), "{requests:?}");
}

#[tokio::test]
async fn two_of_five_are_refused_and_the_others_are_sent() {
    let script = batching(5);
    script.always("b", Answer::Reject);
    script.always("d", Answer::Reject);
    let world = World::new([gateway("first", &script, 8)]).await;
    crew(&world, &["a", "b", "c", "d", "e"]).await;
    assert_eq!(states(&world).await, [Sent, Failed, Sent, Failed, Sent]);
    assert_eq!(script.requests(), [5]);
}

#[tokio::test]
async fn of_five_with_four_answers_the_fifth_is_of_unknown_outcome() {
    let script = batching(5);
    let world = World::new([gateway("first", &script, 8)]).await;
    crew(&world, &["a", "b", "c", "d", "silent"]).await;
    assert_eq!(states(&world).await, [Sent, Sent, Sent, Sent, Queued]);
    let id = world.tell_group("crew", "hello").await.notification;
    let fifth = |records: &[redflash_core::store::DeliveryRecord]| records[4].delivery.may_repeat;
    world.all_until(id, fifth).await;
}

#[tokio::test]
async fn a_batch_that_panics_is_of_unknown_outcome() {
    let script = batching(5);
    script.always("b", Answer::Panic);
    let world = World::new([gateway("first", &script, 8)]).await;
    crew(&world, &["a", "b"]).await;
    assert_eq!(states(&world).await, [DeliveryState::Queued; 2]);
    let id = world.tell_group("crew", "again").await.notification;
    world
        .all_until(id, |records| records[0].delivery.may_repeat)
        .await;
}
