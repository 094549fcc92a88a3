//! An engine with one contact behind one channel.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use redflash_core::Engine;
use redflash_core::clock::Timestamp;
use redflash_core::delivery::{AttemptOutcome, Delivery, DeliveryState};
use redflash_core::engine::{DispatcherHandle, RaiseError, Raised, ShutdownReport, StartError};
use redflash_core::gateway::Gateway;
use redflash_core::message::Raise;
use redflash_core::model::{Address, Contact, EndpointId, NotificationId};
use redflash_core::store::{DeliveryRecord, Entry, LogFilter, MemoryStore, Save, Store};
use redflash_store::{Access, SqliteStore};
use redflash_tests::{HookedStore, until};
use tempfile::TempDir;
use tokio::task::JoinHandle;

use crate::fake_channel::FakeChannel;

/// The store in which the alerts of a situation are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    InMemory,
    InFile,
}

/// An engine whose contact `ann` has an address on the fake channel.
pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) channel: FakeChannel,
    /// The directory of the file, if there is one.
    pub(crate) directory: Option<TempDir>,
}

/// Longer than any drain or shutdown in a situation that ends by itself.
pub(crate) const LONG: Duration = Duration::from_secs(20);

impl World {
    /// An engine that is not started.
    pub(crate) async fn new(kept: Kept) -> Self {
        Self::with(kept, FakeChannel::new()).await
    }

    /// An engine with this channel.
    pub(crate) async fn with(kept: Kept, channel: FakeChannel) -> Self {
        let gateway = channel.gateway();
        Self::through(kept, channel, gateway, |store| store).await
    }

    /// An engine whose store can be made to hang or panic.
    pub(crate) async fn hooked(kept: Kept) -> (Self, Arc<HookedStore>) {
        let mut hooked = None;
        let channel = FakeChannel::new();
        let gateway = channel.gateway();
        let world = Self::through(kept, channel, gateway, |store| {
            Arc::clone(hooked.insert(HookedStore::over(store))) as _
        });
        (world.await, hooked.unwrap())
    }

    /// An engine with this gateway, over what becomes of the store.
    pub(crate) async fn through(
        kept: Kept,
        channel: FakeChannel,
        gateway: Gateway,
        over: impl FnOnce(Arc<dyn Store>) -> Arc<dyn Store>,
    ) -> Self {
        let (store, directory): (Arc<dyn Store>, _) = match kept {
            Kept::InMemory => (Arc::new(MemoryStore::new()), None),
            Kept::InFile => {
                let directory = tempfile::tempdir().unwrap();
                (open(&directory.path().join("alerts.db")), Some(directory))
            }
        };
        add_ann(&*store).await;
        let engine = engine(over(store), gateway);
        Self {
            engine,
            channel,
            directory,
        }
    }

    /// Another engine over the same store, with the same channel.
    pub(crate) fn another_engine(&self) -> Engine {
        engine(Arc::clone(self.engine.store()), self.channel.gateway())
    }

    /// The file in which alerts are kept.
    pub(crate) fn file(&self) -> PathBuf {
        self.directory.as_ref().unwrap().path().join("alerts.db")
    }

    pub(crate) async fn start(&self) -> DispatcherHandle {
        self.engine.start().await.unwrap()
    }

    pub(crate) async fn raise(&self, text: &str) -> Raised {
        self.try_raise(text).await.unwrap()
    }

    pub(crate) async fn try_raise(&self, text: &str) -> Result<Raised, RaiseError> {
        self.engine.raise(to_ann(text)).await
    }

    /// Raises in a task of its own.
    pub(crate) fn spawn_raise(&self, text: &str) -> JoinHandle<Result<Raised, RaiseError>> {
        let (engine, raise) = (self.engine.clone(), to_ann(text));
        tokio::spawn(async move { engine.raise(raise).await })
    }

    /// The only delivery of a notification.
    pub(crate) async fn record(&self, id: NotificationId) -> DeliveryRecord {
        let found = self.engine.store().notification(id).await.unwrap();
        found.unwrap().1.pop().unwrap()
    }

    /// The only delivery of a notification, once it was accepted.
    pub(crate) async fn sent(&self, id: NotificationId) -> DeliveryRecord {
        until("the alert is sent", async || {
            let record = self.record(id).await;
            (record.delivery.state == DeliveryState::Sent).then_some(record)
        })
        .await
    }

    /// The only delivery of a notification, once it waits in the queue.
    pub(crate) async fn queued(&self, id: NotificationId) -> DeliveryRecord {
        until("the alert is queued", async || {
            let record = self.record(id).await;
            (record.delivery.state == DeliveryState::Queued).then_some(record)
        })
        .await
    }

    /// The texts of all alerts that were recorded, each with its delivery.
    pub(crate) async fn log(&self) -> Vec<(String, Delivery)> {
        let newest = LogFilter::newest(std::num::NonZeroU32::MAX);
        let page = self.engine.store().log(&newest).await.unwrap();
        let entries = page.entries.into_iter();
        let entries = entries.map(|(notification, mut deliveries)| {
            (notification.plan.message.body, deliveries.pop().unwrap())
        });
        entries.collect()
    }

    /// Waits until everything that was recorded is sent, each exactly once.
    pub(crate) async fn all_sent_once(&self) {
        until("all alerts are sent", async || {
            let log = self.log().await;
            let is_sent = |(_, delivery): &(_, Delivery)| delivery.state == DeliveryState::Sent;
            log.iter().all(is_sent).then_some(())
        })
        .await;
        let log = self.log().await;
        let mut recorded: Vec<_> = log.into_iter().map(|(text, _)| text).collect();
        let mut sent = self.channel.sent();
        recorded.sort();
        sent.sort();
        assert_eq!(recorded, sent, "recorded and sent");
    }
}

/// An engine whose leases are as short as the gateway lets them be.
pub(crate) fn engine(store: Arc<dyn Store>, gateway: Gateway) -> Engine {
    let lease = gateway.shortest_lease();
    let builder = Engine::builder(store).lease(lease);
    builder.gateway(gateway).build().unwrap()
}

/// Opens a file of alerts in order to dispatch from it.
pub(crate) fn open(file: &std::path::Path) -> Arc<dyn Store> {
    Arc::new(SqliteStore::open(file, Access::Server).unwrap())
}

/// Keeps all others from writing to a file until it is dropped.
pub(crate) struct FileLock(SqliteConnection);

impl FileLock {
    pub(crate) fn take(world: &World) -> Self {
        let file = world.file();
        let mut conn = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
        conn.batch_execute("PRAGMA busy_timeout = 5000; BEGIN EXCLUSIVE")
            .unwrap();
        Self(conn)
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        self.0.batch_execute("ROLLBACK").unwrap();
    }
}

/// Saves the contact `ann`, whose only address is on the fake channel.
pub(crate) async fn add_ann(store: &dyn Store) {
    let id = EndpointId::new(Timestamp::from_millis(1));
    let address = Address::new("a").unwrap();
    let ann = Contact::new("ann".parse().unwrap(), "Ann".parse().unwrap());
    let ann = ann.with_endpoint(id, "fake".parse().unwrap(), address);
    let saved = store.save(&[Entry::Contact(ann)], Save::Upsert).await;
    saved.unwrap();
}

/// An alert for `ann`.
pub(crate) fn to_ann(text: &str) -> Raise {
    Raise::contact("ann".parse().unwrap(), text)
}

/// Asserts that a start was refused because an engine runs already.
pub(crate) fn is_already_running(started: Result<DispatcherHandle, StartError>) {
    let refused = started.map(drop).unwrap_err();
    let is_right = matches!(refused, StartError::AlreadyRunning { .. });
    assert!(is_right, "{refused}");
}

/// Asserts that nothing was left when an engine ended.
pub(crate) fn is_clean(leftover: ShutdownReport) {
    assert!(leftover.is_clean(), "{leftover:?}");
}

/// Asserts that a delivery waits in the queue as if nobody had touched it.
pub(crate) fn is_untouched(record: &DeliveryRecord) {
    let DeliveryRecord {
        delivery,
        attempts_made,
    } = record;
    assert_eq!(
        (delivery.state, delivery.attempts),
        (DeliveryState::Queued, 0)
    );
    assert_eq!(*attempts_made, []);
}

/// The outcomes of the attempts of a delivery, first to last.
pub(crate) fn outcomes(record: &DeliveryRecord) -> Vec<AttemptOutcome> {
    let attempts = record.attempts_made.iter();
    attempts.map(|attempt| attempt.outcome).collect()
}
