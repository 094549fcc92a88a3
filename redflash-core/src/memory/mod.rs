//! A store that keeps everything in memory: for tests, for trying things out, and as the reference
//! that shows every rule of a store in plain code.

mod audit;
mod directory;
mod inbox;
mod meter;
mod outbox;
mod receipt;
mod sessions;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::store::{Alarm, OutboxEntry, ServingSlot};
use crate::{
    ApiKey, Attempt, Change, ChangeId, Contact, DeliveryId, Event, Group, Inbound, InboundId,
    KeyHash, Notification, NotificationId, Receipt, Session, Slug, Timestamp, User, Window,
};

/// Keeps everything in memory, and forgets it when dropped.
#[derive(Debug, Default)]
pub struct MemoryStore {
    state: Mutex<State>,
    serving: ServingSlot,
    has_nodes: bool,
}

#[derive(Clone, Debug, Default)]
struct State {
    version: u64,
    contacts: BTreeMap<Slug, Contact>,
    groups: BTreeMap<Slug, Group>,
    events: BTreeMap<Slug, Event>,
    api_keys: BTreeMap<Slug, ApiKey>,
    key_uses: BTreeMap<Slug, Timestamp>,
    users: BTreeMap<Slug, User>,
    sessions: HashMap<KeyHash, Session>,
    changes: BTreeMap<ChangeId, Change>,
    notifications: BTreeMap<NotificationId, (Notification, Vec<DeliveryId>)>,
    deliveries: HashMap<DeliveryId, Row>,
    idempotency: HashMap<(Option<Slug>, String), Remembered>,
    early_receipts: VecDeque<(Slug, Receipt)>,
    inbound: BTreeMap<InboundId, Inbound>,
    meters: HashMap<(String, Window), (Timestamp, u32)>,
    alarms: BTreeMap<String, Alarm>,
    #[cfg(test)]
    records_nothing: bool,
}

#[derive(Clone, Debug)]
struct Row {
    entry: OutboxEntry,
    attempts: Vec<Attempt>,
}

#[derive(Clone, Debug)]
struct Remembered {
    digest: String,
    notification: NotificationId,
    at: Timestamp,
}

impl MemoryStore {
    /// An empty store, from which one engine may dispatch at a time.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty store that several engines may dispatch from at a time, as nodes of one system.
    pub fn of_nodes() -> Self {
        Self {
            has_nodes: true,
            ..Self::default()
        }
    }

    /// Makes the store refuse every outcome, as one that is down does, or record them again.
    #[cfg(test)]
    pub(crate) fn refuse_outcomes(&self, is_down: bool) {
        self.state().records_nothing = is_down;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
