//! A world in which the test sets the time and the answer of every gateway.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use redflash_core::Engine;
use redflash_core::clock::{Clock, ManualClock, Timestamp};
use redflash_core::delivery::{HeldLease, Lease, LeaseToken, RetrySchedule};
use redflash_core::engine::{DispatcherHandle, EngineBuilder, Raised};
use redflash_core::gateway::{Callback, CallbackError, Capabilities, Channel, Gateway, Limits};
use redflash_core::inbound::InboundMessage;
use redflash_core::message::{Accepted, Deferral, OutboundMessage, Raise, SendError, SenderError};
use redflash_core::model::{
    Address, AddressError, ChannelKind, Contact, EndpointId, Group, Name, NotificationId, Slug,
    WorkerId,
};
use redflash_core::store::{
    ClaimRequest, DeliveryRecord, Directory, Entry, MemoryStore, Outbox, Save, Store,
};
use tokio::sync::Semaphore;

pub(crate) fn slug(text: &str) -> Slug {
    Slug::parse(text).unwrap()
}

pub(crate) fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

/// The answer of a gateway to a message.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    Accept,
    Reject,
    Unreachable,
    Unknown,
    Unauthorized,
    Unroutable,
    RateLimited(Option<Duration>),
    Deferred(Deferral, Option<Duration>),
    Refused,
    Panic,
    /// Waits for a permit of [`Script::gate`], then accepts.
    Gated,
}

/// A gateway with scripted answers by address; it accepts unless scripted. Its lanes are the parts
/// of addresses before a slash.
#[derive(Clone, Debug)]
pub(crate) struct Script(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ChannelKind,
    answers: Mutex<HashMap<String, VecDeque<Answer>>>,
    always: Mutex<HashMap<String, Answer>>,
    sent: Mutex<Vec<OutboundMessage>>,
    /// Number of messages in each request.
    requests: Mutex<Vec<usize>>,
    capabilities: Mutex<Capabilities>,
    gate: Semaphore,
}

impl Script {
    pub(crate) fn new(kind: &str) -> Self {
        Self(Arc::new(Inner {
            kind: ChannelKind::parse(kind).unwrap(),
            answers: Mutex::default(),
            always: Mutex::default(),
            sent: Mutex::default(),
            requests: Mutex::default(),
            capabilities: Mutex::default(),
            gate: Semaphore::new(0),
        }))
    }

    /// Returns the script with other capabilities.
    pub(crate) fn able(self, capabilities: Capabilities) -> Self {
        *self.0.capabilities.lock().unwrap() = capabilities;
        self
    }

    /// Returns the number of messages in each request.
    pub(crate) fn requests(&self) -> Vec<usize> {
        self.0.requests.lock().unwrap().clone()
    }

    /// Scripts the answers to the next messages to this address, in order.
    pub(crate) fn next(&self, address: &str, answers: impl IntoIterator<Item = Answer>) {
        let mut all = self.0.answers.lock().unwrap();
        all.entry(address.to_owned()).or_default().extend(answers);
    }

    /// Scripts the answer to every message to this address.
    pub(crate) fn always(&self, address: &str, answer: Answer) {
        self.0
            .always
            .lock()
            .unwrap()
            .insert(address.to_owned(), answer);
    }

    /// Releases this number of gated messages.
    pub(crate) fn open_gate(&self, permits: usize) {
        self.0.gate.add_permits(permits);
    }

    /// Returns every message that was handed over, in order.
    pub(crate) fn sent(&self) -> Vec<OutboundMessage> {
        self.0.sent.lock().unwrap().clone()
    }

    pub(crate) fn sent_to(&self, address: &str) -> usize {
        self.sent()
            .iter()
            .filter(|m| m.to.as_str() == address)
            .count()
    }

    fn answer(&self, address: &str) -> Answer {
        let next = self
            .0
            .answers
            .lock()
            .unwrap()
            .get_mut(address)
            .and_then(VecDeque::pop_front);
        let always = || self.0.always.lock().unwrap().get(address).cloned();
        next.or_else(always).unwrap_or(Answer::Accept)
    }
}

#[async_trait]
impl Channel for Script {
    fn kind(&self) -> ChannelKind {
        self.0.kind.clone()
    }

    fn parse_address(&self, raw: &str) -> Result<Address, AddressError> {
        if raw == "invalid" {
            return Err(AddressError::new("the script knows no such address"));
        }
        Address::new(raw)
    }

    fn host<'a>(&self, address: &'a Address) -> Option<Cow<'a, str>> {
        address
            .as_str()
            .split_once('/')
            .map(|(host, _)| host.into())
    }

    fn capabilities(&self) -> Capabilities {
        *self.0.capabilities.lock().unwrap()
    }

    fn own_address(&self) -> Option<Address> {
        Some(Address::new("ours").unwrap())
    }

    fn check_sender(&self, sender: &str) -> Result<(), SenderError> {
        if self.capabilities().sender && sender.len() <= 5 {
            return Ok(());
        }
        Err(SenderError::new("up to 5 letters"))
    }

    /// The fields `from`, `text`, `id` and `answers` of a form.
    fn parse_inbound(&self, callback: &Callback<'_>) -> Result<Vec<InboundMessage>, CallbackError> {
        let Some(from) = callback.field("from") else {
            return Ok(Vec::new());
        };
        Ok(vec![InboundMessage {
            message_id: callback.field("id").map(str::to_owned),
            from: Address::new(from).unwrap(),
            text: callback.field("text").unwrap_or_default().into(),
            answers: None,
            answers_message: callback.field("answers").map(str::to_owned),
        }])
    }

    async fn send_batch(&self, messages: &[OutboundMessage]) -> Vec<Result<Accepted, SendError>> {
        self.0.requests.lock().unwrap().push(messages.len());
        let mut results = Vec::new();
        for message in messages {
            results.push(self.answered(message).await);
        }
        // A message that asks for silence gets no answer, nor does any after it.
        let silent = |message: &OutboundMessage| message.to.as_str().starts_with("silent");
        let answered = messages.iter().position(silent).unwrap_or(messages.len());
        results.truncate(answered);
        results
    }

    async fn send(&self, message: &OutboundMessage) -> Result<Accepted, SendError> {
        self.0.requests.lock().unwrap().push(1);
        self.answered(message).await
    }
}

impl Script {
    async fn answered(&self, message: &OutboundMessage) -> Result<Accepted, SendError> {
        self.0.sent.lock().unwrap().push(message.clone());
        let reason = "as scripted".to_owned();
        match self.answer(message.to.as_str()) {
            Answer::Accept => Ok(Accepted::new(Some(message.delivery.to_string()))),
            Answer::Reject => Err(SendError::Rejected { reason }),
            Answer::Unreachable => Err(SendError::Unreachable(reason.into())),
            Answer::Unknown => Err(SendError::Unknown(reason.into())),
            Answer::Unauthorized => Err(SendError::Unauthorized { reason }),
            Answer::Unroutable => Err(SendError::Unroutable { reason }),
            Answer::RateLimited(retry_after) => Err(SendError::RateLimited {
                reason: "busy".into(),
                retry_after,
            }),
            Answer::Deferred(scope, retry_after) => Err(SendError::Deferred {
                scope,
                reason,
                retry_after,
            }),
            Answer::Refused => Err(SendError::Refused { reason }),
            Answer::Panic => panic!("as scripted"),
            Answer::Gated => {
                self.0.gate.acquire().await.unwrap().forget();
                Ok(Accepted::new(None))
            }
        }
    }
}

/// An engine with its surroundings.
pub(crate) struct World {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) engine: Engine,
    handle: Option<DispatcherHandle>,
}

pub(crate) const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// Returns a gateway over a script, with the prompt schedule and this concurrency.
pub(crate) fn gateway(named: &str, script: &Script, concurrency: u32) -> Gateway {
    let limits = Limits {
        concurrency,
        per_second: None,
        deadline: Duration::from_millis(500),
    };
    let gateway = Gateway::new(slug(named), script.clone()).with_limits(limits);
    gateway.with_schedule(RetrySchedule::prompt())
}

impl World {
    /// Creates an engine that is not started.
    pub(crate) fn asleep(gateways: impl IntoIterator<Item = Gateway>) -> Self {
        Self::over(Arc::new(MemoryStore::new()), gateways)
    }

    pub(crate) fn over(store: Arc<dyn Store>, gateways: impl IntoIterator<Item = Gateway>) -> Self {
        Self::built(store, gateways, |builder| builder)
    }

    /// Creates an engine with a configured builder.
    pub(crate) fn built(
        store: Arc<dyn Store>,
        gateways: impl IntoIterator<Item = Gateway>,
        more: impl FnOnce(EngineBuilder) -> EngineBuilder,
    ) -> Self {
        let clock = Arc::new(ManualClock::new(START));
        let builder = Engine::builder(Arc::clone(&store)).clock(clock.clone());
        let engine = more(builder.gateways(gateways)).build().unwrap();
        Self {
            clock,
            store,
            engine,
            handle: None,
        }
    }

    pub(crate) async fn new(gateways: impl IntoIterator<Item = Gateway>) -> Self {
        let mut world = Self::asleep(gateways);
        world.start().await;
        world
    }

    pub(crate) async fn start(&mut self) {
        self.handle = Some(self.engine.start().await.unwrap());
    }

    pub(crate) async fn stop(&mut self) {
        if let Some(handle) = self.handle.take() {
            handle.shutdown(Duration::from_secs(5)).await;
        }
    }

    /// Saves a contact with one endpoint on the channel `x` for each address.
    pub(crate) async fn contact(&self, who: &str, addresses: &[&str]) {
        self.contact_on("x", who, addresses).await;
    }

    pub(crate) async fn contact_on(&self, channel: &str, who: &str, addresses: &[&str]) {
        let kind = ChannelKind::parse(channel).unwrap();
        let new = Contact::new(slug(who), name(who));
        let contact = addresses.iter().fold(new, |contact, address| {
            let id = EndpointId::new(self.clock.now());
            contact.with_endpoint(id, kind.clone(), Address::new(*address).unwrap())
        });
        self.save(Entry::Contact(contact)).await;
    }

    pub(crate) async fn group(&self, called: &str, contacts: &[&str]) {
        let contacts = contacts.iter().map(|c| slug(c)).collect();
        self.save(Entry::Group(Group::new(
            slug(called),
            name(called),
            contacts,
        )))
        .await;
    }

    pub(crate) async fn save(&self, entry: Entry) {
        Directory::save(&*self.store, &[entry], Save::Upsert)
            .await
            .unwrap();
    }

    pub(crate) async fn switch_off(&self, who: &str) {
        let mut contact = self.store.contact(&slug(who)).await.unwrap().unwrap();
        contact.enabled = false;
        self.save(Entry::Contact(contact)).await;
    }

    pub(crate) async fn tell(&self, who: &str, text: &str) -> Raised {
        self.engine
            .raise(Raise::contact(slug(who), text))
            .await
            .unwrap()
    }

    pub(crate) async fn tell_group(&self, called: &str, text: &str) -> Raised {
        self.engine
            .raise(Raise::group(slug(called), text))
            .await
            .unwrap()
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.clock.advance(by);
        self.engine.wake();
    }

    /// Leases the only queued delivery to another node for this long.
    pub(crate) async fn leased_to_another(&self, length: Duration) -> (WorkerId, HeldLease) {
        let now = self.clock.now();
        let lease = Lease {
            worker: WorkerId::new(now),
            token: LeaseToken::random(),
            now,
            until: now.plus(length),
        };
        let wants = [ClaimRequest {
            queue: self.store.due_queues().await.unwrap().remove(0).queue,
            limit: NonZeroU32::MIN,
        }];
        let jobs = self.store.claim_due(&lease, &wants).await.unwrap();
        let held = HeldLease {
            delivery: jobs[0].delivery.id,
            token: lease.token,
        };
        (lease.worker, held)
    }

    pub(crate) async fn records(&self, id: NotificationId) -> Vec<DeliveryRecord> {
        Outbox::notification(&*self.store, id)
            .await
            .unwrap()
            .unwrap()
            .1
    }

    /// Returns the first delivery of a notification, once it matches.
    pub(crate) async fn until(
        &self,
        id: NotificationId,
        wanted: impl Fn(&DeliveryRecord) -> bool,
    ) -> DeliveryRecord {
        self.all_until(id, |records| wanted(&records[0]))
            .await
            .swap_remove(0)
    }

    /// Returns the deliveries of a notification, once they match.
    pub(crate) async fn all_until(
        &self,
        id: NotificationId,
        wanted: impl Fn(&[DeliveryRecord]) -> bool,
    ) -> Vec<DeliveryRecord> {
        let looking = async {
            loop {
                let records = self.records(id).await;
                if wanted(&records) {
                    return records;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        if let Ok(records) = tokio::time::timeout(Duration::from_secs(10), looking).await {
            return records;
        }
        panic!("it never came to that: {:#?}", self.records(id).await)
    }
}
