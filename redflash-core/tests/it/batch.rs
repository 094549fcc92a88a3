//! Gateways that accept many messages in one request.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use redflash_core::delivery::DeliveryState::{self, Failed, Queued, Sent};
use redflash_core::gateway::{Capabilities, Channel, Gateway, Limits};
use redflash_core::message::{Accepted, OutboundMessage, SendError};
use redflash_core::model::{Address, AddressError, ChannelKind};
use tokio::sync::Barrier;

use crate::world::{Answer, Script, World, gateway, slug};

fn batching(most: u32) -> Script {
    Script::new("x").able(Capabilities {
        batch: most,
        ..Capabilities::default()
    })
}

async fn crew(world: &World, addresses: &[&str]) {
    for (number, address) in addresses.iter().enumerate() {
        world.contact(&format!("c{number}"), &[address]).await;
    }
    let members: Vec<_> = (0..addresses.len())
        .map(|number| format!("c{number}"))
        .collect();
    let members: Vec<_> = members.iter().map(String::as_str).collect();
    world.group("crew", &members).await;
}

/// Returns the state of every delivery, once each has been attempted.
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
async fn sends_a_fan_out_in_few_requests() {
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
async fn sends_the_rest_of_a_partly_rejected_batch() {
    let script = batching(5);
    script.always("b", Answer::Reject);
    script.always("d", Answer::Reject);
    let world = World::new([gateway("first", &script, 8)]).await;
    crew(&world, &["a", "b", "c", "d", "e"]).await;
    assert_eq!(states(&world).await, [Sent, Failed, Sent, Failed, Sent]);
    assert_eq!(script.requests(), [5]);
}

#[tokio::test]
async fn message_without_an_answer_has_an_unknown_outcome() {
    let script = batching(5);
    let world = World::new([gateway("first", &script, 8)]).await;
    crew(&world, &["a", "b", "c", "d", "silent"]).await;
    assert_eq!(states(&world).await, [Sent, Sent, Sent, Sent, Queued]);
    let id = world.tell_group("crew", "hello").await.notification;
    let fifth = |records: &[redflash_core::store::DeliveryRecord]| records[4].delivery.may_repeat;
    world.all_until(id, fifth).await;
}

#[tokio::test]
async fn batch_that_panics_has_an_unknown_outcome() {
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

/// A channel whose requests are limited: only addresses with the same first letter go together.
#[derive(Debug, Default)]
struct Alphabetical(Mutex<Vec<Vec<String>>>);

#[async_trait]
impl Channel for Alphabetical {
    fn kind(&self) -> ChannelKind {
        ChannelKind::parse("x").unwrap()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            batch: 3,
            ..Capabilities::default()
        }
    }

    fn parse_address(&self, raw: &str) -> Result<Address, AddressError> {
        Address::new(raw)
    }

    fn goes_with(&self, others: &[&OutboundMessage], message: &OutboundMessage) -> bool {
        let letter = |message: &OutboundMessage| message.to.as_str().chars().next();
        others.iter().all(|other| letter(other) == letter(message))
    }

    async fn send(&self, message: &OutboundMessage) -> Result<Accepted, SendError> {
        self.0.lock().unwrap().push(vec![message.to.to_string()]);
        Ok(Accepted::new(Some("7".repeat(100_000))))
    }

    async fn send_batch(&self, messages: &[OutboundMessage]) -> Vec<Result<Accepted, SendError>> {
        let all = messages.iter().map(|message| message.to.to_string());
        self.0.lock().unwrap().push(all.collect());
        let id = || Some("7".repeat(100_000));
        messages.iter().map(|_| Ok(Accepted::new(id()))).collect()
    }
}

#[tokio::test]
async fn groups_only_messages_that_go_together() {
    let channel = Arc::new(Alphabetical::default());
    let mut gateway = gateway("first", &Script::new("x"), 8);
    gateway.channel = channel.clone();
    let world = World::new([gateway]).await;
    crew(&world, &["a1", "b1", "a2", "c1", "b2", "a3", "a4", "b3"]).await;
    assert_eq!(states(&world).await, [Sent; 8]);
    let requests = channel.0.lock().unwrap().clone();
    for request in &requests {
        let alike = request.iter().all(|to| to[..1] == request[0][..1]);
        assert!(alike && request.len() <= 3, "{requests:?}");
    }
    assert!(
        requests.iter().any(|request| request.len() == 3),
        "{requests:?}"
    );
    assert_eq!(requests.iter().flatten().count(), 8);
}

#[tokio::test]
async fn bounds_message_ids_alone_and_in_batches() {
    let mut gateway = gateway("first", &Script::new("x"), 8);
    gateway.channel = Arc::new(Alphabetical::default());
    let world = World::new([gateway]).await;
    crew(&world, &["a1", "a2", "b1"]).await;
    let id = world.tell_group("crew", "hello").await.notification;
    let sent = |records: &[redflash_core::store::DeliveryRecord]| {
        records.iter().all(|record| record.delivery.state == Sent)
    };
    for record in world.all_until(id, sent).await {
        let kept = record.delivery.message_id.unwrap();
        assert!(kept.starts_with("777") && kept.len() <= 255, "{kept}");
    }
}

/// A channel without batches, whose vendor answers only once four requests have arrived.
#[derive(Debug)]
struct InFours(Barrier);

#[async_trait]
impl Channel for InFours {
    fn kind(&self) -> ChannelKind {
        ChannelKind::parse("x").unwrap()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            batch: 4,
            ..Capabilities::default()
        }
    }

    fn parse_address(&self, raw: &str) -> Result<Address, AddressError> {
        Address::new(raw)
    }

    async fn send(&self, _: &OutboundMessage) -> Result<Accepted, SendError> {
        self.0.wait().await;
        Ok(Accepted::new(None))
    }
}

#[tokio::test]
async fn sends_requests_with_one_deadline_at_the_same_time() {
    let limits = Limits {
        deadline: Duration::from_secs(2),
        ..Limits::default()
    };
    let gateway = Gateway::new(slug("first"), InFours(Barrier::new(4))).with_limits(limits);
    let world = World::new([gateway]).await;
    crew(&world, &["a", "b", "c", "d"]).await;
    assert_eq!(states(&world).await, [Sent; 4]);
}
