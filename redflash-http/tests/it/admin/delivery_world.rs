//! A server with a gateway whose addresses determine the outcome, and two logged-in users.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::ops::Deref;
use std::sync::Arc;

use redflash_core::Engine;
use redflash_core::clock::Timestamp;
use redflash_core::delivery::DeliveryState;
use redflash_core::engine::DispatcherHandle;
use redflash_core::gateway::Gateway;
use redflash_core::message::Raise;
use redflash_core::model::{Address, Contact, EndpointId, Group, NotificationId};
use redflash_core::store::{Directory, Entry, LogFilter, MemoryStore, Outbox, Save};
use redflash_http::{HttpConfig, serve};
use redflash_tests::{Client, until};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::audit_log::audit_log;
use crate::fake_channel::{FakeChannel, fake_kind};
use crate::login::{Logins, Who};

pub(crate) struct World {
    visitors: Logins,
    pub(crate) address: SocketAddr,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) engine: Engine,
    pub(crate) channel: FakeChannel,
    pub(crate) stop: oneshot::Sender<()>,
    pub(crate) serving: JoinHandle<std::io::Result<()>>,
    _running: DispatcherHandle,
}

impl World {
    pub(crate) async fn start() -> Self {
        let store = Arc::new(MemoryStore::new());
        let channel = FakeChannel::default();
        let gateway = Gateway::new("first".parse().unwrap(), channel.clone());
        let engine = Engine::builder(Arc::clone(&store));
        let engine = engine.gateway(gateway).build().unwrap();
        let running = engine.start().await.unwrap();
        let now = engine.now();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let shutdown = async {
            let _ = stopped.await;
        };
        let config = HttpConfig::default();
        let serving = tokio::spawn(serve(engine.clone(), config, listener, shutdown));
        Self {
            visitors: Logins::log_in(Client::new(address), &store, now).await,
            address,
            store,
            engine,
            channel,
            stop,
            serving,
            _running: running,
        }
    }

    /// Saves a contact with a pager at each of these addresses.
    pub(crate) async fn contact(&self, slug: &str, name: &str, addresses: &[&str]) {
        let mut contact = Contact::new(slug.parse().unwrap(), name.parse().unwrap());
        for address in addresses {
            let id = EndpointId::new(Timestamp::from_millis(1));
            contact = contact.with_endpoint(id, fake_kind(), Address::new(*address).unwrap());
        }
        self.save(contact).await;
    }

    pub(crate) async fn group(&self, slug: &str, members: &[&str]) {
        let members = members.iter().map(|slug| slug.parse().unwrap()).collect();
        let group = Group::new(slug.parse().unwrap(), slug.parse().unwrap(), members);
        self.save(group).await;
    }

    pub(crate) async fn save(&self, entry: impl Into<Entry>) {
        let entries = [entry.into()];
        self.store.save(&entries, Save::Upsert).await.unwrap();
    }

    /// Raises an alert at a contact, and waits until its deliveries have ended.
    pub(crate) async fn tell(&self, contact: &str, text: &str) -> NotificationId {
        let raise = Raise::contact(contact.parse().unwrap(), text);
        let id = self.engine.raise(raise).await.unwrap().notification;
        until("the deliveries have ended", || async {
            let states = self.states(id).await;
            states.iter().all(|state| state.is_final()).then_some(())
        })
        .await;
        id
    }

    /// Returns the states of the deliveries of a notification.
    pub(crate) async fn states(&self, id: NotificationId) -> Vec<DeliveryState> {
        let (_, records) = self.store.notification(id).await.unwrap().unwrap();
        records.iter().map(|record| record.delivery.state).collect()
    }

    /// Returns the number of notifications.
    pub(crate) async fn raised(&self) -> usize {
        let all = LogFilter::newest(NonZeroU32::MAX);
        self.store.log(&all).await.unwrap().entries.len()
    }

    /// Returns the audit log, newest first.
    pub(crate) async fn audit_log(&self) -> Vec<String> {
        audit_log(&self.store).await
    }

    /// Asserts that only an admin may send a form, and only with the form token: otherwise, nothing is sent.
    pub(crate) async fn is_guarded(&self, path: &str, fields: &[(&str, &str)]) {
        let raised = self.raised().await;
        self.are_guarded(path, fields).await;
        self.get_as(Who::Admin, path).await;
        assert_eq!(self.raised().await, raised, "{path}");
    }
}

impl Deref for World {
    type Target = Logins;

    fn deref(&self) -> &Logins {
        &self.visitors
    }
}

/// Returns the link to older entries.
pub(crate) fn older(page: &str) -> Option<String> {
    let (_, link) = page.split_once("rel=\"next\" href=\"")?;
    let (link, _) = link.split_once('"')?;
    Some(link.replace("&amp;", "&").replace("&#x3D;", "="))
}
