//! A store in memory, for tests, for a first try, and as the reference that shows every rule of a
//! store in plain code.

mod audit;
mod clock_step;
mod directory;
mod inbox;
mod log;
mod meter;
mod outbox;
mod queue;
mod receipt;
mod record;
mod sessions;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::clock::Timestamp;
use crate::delivery::{Attempt, Receipt};
use crate::inbound::Inbound;
use crate::model::{
    ApiKey, AuditEntry, AuditEntryId, Contact, DeliveryId, Event, Group, InboundId, KeyHash,
    NotificationId, Session, Slug, User,
};
use crate::plan::Notification;
use crate::store::{Alarm, OutboxEntry, ServingSlot, Window};

/// Keeps everything in memory, and forgets it when dropped.
///
/// It keeps [`DEFAULT_LIMIT`](Self::DEFAULT_LIMIT) notifications, or another [number](Self::with_limit). Beyond that,
/// each new notification evicts the oldest finished ones with their idempotency keys. A
/// notification with deliveries still to be sent is never evicted.
#[derive(Debug)]
pub struct MemoryStore {
    state: Mutex<State>,
    limit: NonZeroUsize,
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
    audit_entries: BTreeMap<AuditEntryId, AuditEntry>,
    notifications: BTreeMap<NotificationId, NotificationRow>,
    deliveries: HashMap<DeliveryId, DeliveryRow>,
    idempotency: HashMap<(Option<Slug>, String), IdempotencyRow>,
    early_receipts: VecDeque<(Slug, Receipt)>,
    inbound: BTreeMap<InboundId, Inbound>,
    meters: HashMap<(String, Window), (Timestamp, u32)>,
    alarms: BTreeMap<String, Alarm>,
    #[cfg(test)]
    refuses_outcomes: bool,
}

#[derive(Clone, Debug)]
struct NotificationRow {
    notification: Notification,
    deliveries: Vec<DeliveryId>,
    /// Number of deliveries that are still to be recorded.
    unqueued: u32,
}

#[derive(Clone, Debug)]
struct DeliveryRow {
    entry: OutboxEntry,
    attempts: Vec<Attempt>,
}

#[derive(Clone, Debug)]
struct IdempotencyRow {
    digest: String,
    notification: NotificationId,
    at: Timestamp,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::with_limit(Self::DEFAULT_LIMIT)
    }
}

impl MemoryStore {
    /// Default number of notifications kept.
    pub const DEFAULT_LIMIT: NonZeroUsize = NonZeroUsize::new(10_000).expect("not zero");

    /// Returns an empty store, from which one engine may dispatch at a time.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns an empty store that keeps this number of notifications.
    pub fn with_limit(notifications: NonZeroUsize) -> Self {
        Self {
            state: Mutex::default(),
            limit: notifications,
            serving: ServingSlot::default(),
            has_nodes: false,
        }
    }

    /// Returns an empty store from which several engines may dispatch at a time, as nodes of one
    /// system.
    pub fn of_nodes() -> Self {
        Self {
            has_nodes: true,
            ..Self::default()
        }
    }

    /// Makes the store refuse every outcome, as if it were down, or record them again.
    #[cfg(test)]
    pub(crate) fn refuse_outcomes(&self, is_down: bool) {
        self.state().refuses_outcomes = is_down;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
