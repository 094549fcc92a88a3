//! Large alerts, whose deliveries are recorded in pieces: the same on both stores.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use redflash_core::Engine;
use redflash_core::clock::Timestamp;
use redflash_core::delivery::DeliveryState;
use redflash_core::gateway::{Channel, Gateway};
use redflash_core::message::{Accepted, OutboundMessage, Raise, SendError};
use redflash_core::model::{
    Address, AddressError, ChannelKind, Contact, EndpointId, Group, Name, Slug,
};
use redflash_core::store::{Entry, Save, Store};

/// Number of recipients of a large alert: those of some pieces.
const MANY: usize = 2000;

/// A gateway that takes everything.
#[derive(Debug)]
struct Taking;

#[async_trait]
impl Channel for Taking {
    fn kind(&self) -> ChannelKind {
        ChannelKind::sms()
    }

    fn parse_address(&self, raw: &str) -> Result<Address, AddressError> {
        Address::new(raw)
    }

    async fn send(&self, _: &OutboundMessage) -> Result<Accepted, SendError> {
        Ok(Accepted::new(None))
    }
}

fn slug(text: &str) -> Slug {
    Slug::parse(text).unwrap()
}

fn engine(store: &Arc<dyn Store>) -> Engine {
    let gateway = Gateway::new(slug("taking"), Taking);
    let builder = Engine::builder(Arc::clone(store)).gateway(gateway);
    builder.build().unwrap()
}

/// An engine over a store with a group of many contacts, `all`.
async fn with_crowd(store: &Arc<dyn Store>) -> Engine {
    let contact = |number: usize| {
        let who = format!("c{number}");
        let name = Name::parse(&who).unwrap();
        let id = EndpointId::new(Timestamp::from_millis(1));
        let address = Address::new(format!("+4477{number:08}")).unwrap();
        Contact::new(slug(&who), name).with_endpoint(id, ChannelKind::sms(), address)
    };
    let contacts: Vec<_> = (0..MANY).map(contact).collect();
    let members = contacts.iter().map(|one| one.slug.clone()).collect();
    let all = Group::new(slug("all"), Name::parse("All").unwrap(), members);
    let entries = contacts.into_iter().map(Entry::Contact);
    let entries: Vec<_> = entries.chain([Entry::Group(all)]).collect();
    store.save(&entries, Save::Create).await.unwrap();
    engine(store)
}

fn small() -> Raise {
    Raise::contact(slug("c1"), "small")
}

fn large() -> Raise {
    Raise::group(slug("all"), "large")
}

/// A small alert that is raised once a large one is answered is recorded before the last of its pieces.
pub(crate) async fn lets_small_ones_pass(store: Arc<dyn Store>) {
    let engine = with_crowd(&store).await;
    let running = engine.start().await.unwrap();
    let large = engine.raise(large()).await.unwrap();
    assert_eq!(large.plan.queued(), MANY);
    engine.raise(small()).await.unwrap();
    let unfinished = store.unfinished().await.unwrap();
    assert_eq!(unfinished.len(), 1, "it waited for all pieces");
    assert_eq!(unfinished[0].notification, large.notification);
    running.shutdown(Duration::from_secs(60)).await;
    assert_eq!(store.unfinished().await.unwrap(), []);
}

/// An alert whose raise ends between two pieces is completed by the next dispatcher.
///
/// * `nodes` - how many engines dispatch from the store then.
pub(crate) async fn is_finished_by_others(store: Arc<dyn Store>, nodes: usize) {
    let engine = with_crowd(&store).await;
    let left = async {
        loop {
            if let [left] = store.unfinished().await.unwrap()[..] {
                return left;
            }
            tokio::task::yield_now().await;
        }
    };
    // Nothing is sent from here, so that the raise itself would record all pieces.
    let left = tokio::select! {
        raised = engine.raise(large()) => panic!("it was raised whole: {raised:?}"),
        left = left => left,
    };
    drop(engine);
    let engines: Vec<_> = (0..nodes).map(|_| self::engine(&store)).collect();
    let mut running = Vec::new();
    for engine in &engines {
        running.push(engine.start().await.unwrap());
    }
    let records = engines[0].wait(left.notification, Duration::from_secs(60));
    let records = records.await.unwrap();
    assert_eq!(records.len(), MANY);
    let is_sent = |record: &redflash_core::store::DeliveryRecord| {
        let is_sent = record.delivery.state == DeliveryState::Sent;
        is_sent && record.attempts_made.len() == 1
    };
    assert!(records.iter().all(is_sent));
    assert_eq!(store.unfinished().await.unwrap(), []);
    for running in running {
        running.shutdown(Duration::from_secs(5)).await;
    }
}
