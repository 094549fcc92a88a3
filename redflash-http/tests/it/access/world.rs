//! A server with one item of every kind, all with the slug `some`, and clients with every access.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;

use redflash_core::Engine;
use redflash_core::clock::Timestamp;
use redflash_core::engine::DispatcherHandle;
use redflash_core::gateway::Gateway;
use redflash_core::message::Raise;
use redflash_core::model::{
    Address, ApiKey, Contact, EndpointId, Event, Group, NotificationId, Role, Scope, Slug, User,
};
use redflash_core::store::{Directory, Entry, LogFilter, MemoryStore, Outbox, Save};
use redflash_http::{HttpConfig, serve};
use redflash_tests::Client;
use secrecy::ExposeSecret;
use tokio::net::TcpListener;

use crate::audit_log::audit_log;
use crate::fake_channel::{FakeChannel, fake_kind};
use crate::login::Login;

const EPOCH: Timestamp = Timestamp::from_millis(1);

pub(crate) struct World {
    pub(crate) client: Client,
    pub(crate) address: SocketAddr,
    pub(crate) store: Arc<MemoryStore>,
    engine: Engine,
    endpoint: EndpointId,
    pub(crate) notification: NotificationId,
    _running: DispatcherHandle,
}

/// The state that a request could change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct State {
    version: u64,
    changes: usize,
    notifications: Vec<NotificationId>,
}

fn some() -> Slug {
    "some".parse().unwrap()
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::with(HttpConfig::default()).await
    }

    pub(crate) async fn with(config: HttpConfig) -> Self {
        let store = Arc::new(MemoryStore::new());
        let gateway = Gateway::new(some(), FakeChannel::default());
        let engine = Engine::builder(Arc::clone(&store));
        let engine = engine.gateway(gateway).build().unwrap();
        let running = engine.start().await.unwrap();
        let endpoint = EndpointId::new(EPOCH);
        let address = Address::new("p-1").unwrap();
        let contact = Contact::new(some(), "Some".parse().unwrap());
        let contact = contact.with_endpoint(endpoint, fake_kind(), address);
        let group = Group::new(some(), "Some".parse().unwrap(), vec![some()]);
        let mut event = Event::new(some(), "Some".parse().unwrap(), "{{host}}");
        event.contacts = vec![some()];
        let user = User::new(some(), "Some".parse().unwrap(), Role::Admin, EPOCH);
        let (key, _) = ApiKey::generate(some(), false, Scope::All, EPOCH);
        let entries: [Entry; 5] = [
            contact.into(),
            group.into(),
            event.into(),
            user.into(),
            key.into(),
        ];
        store.save(&entries, Save::Create).await.unwrap();
        let raised = engine.raise(Raise::contact(some(), "hello")).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let forever = std::future::pending();
        tokio::spawn(serve(engine.clone(), config, listener, forever));
        Self {
            client: Client::new(address),
            address,
            store,
            engine,
            endpoint,
            notification: raised.notification,
            _running: running,
        }
    }

    /// Returns a path for a pattern, with the existing items.
    pub(crate) fn path(&self, pattern: &str) -> String {
        let id = if pattern.contains("/endpoints/") {
            self.endpoint.to_string()
        } else {
            self.notification.to_string()
        };
        let part = |part: &str| match part {
            "{id}" => id.clone(),
            "{*rest}" => "some/where".to_owned(),
            named if named.starts_with('{') => "some".to_owned(),
            fixed => fixed.to_owned(),
        };
        pattern.split('/').map(part).collect::<Vec<_>>().join("/")
    }

    /// Creates a key; returns its `Authorization` header.
    pub(crate) async fn key(&self, slug: &str, change: impl FnOnce(&mut ApiKey)) -> String {
        let (mut key, secret) = ApiKey::generate(slug.parse().unwrap(), false, Scope::All, EPOCH);
        change(&mut key);
        self.store.save(&[key.into()], Save::Create).await.unwrap();
        format!("Bearer {}", secret.expose_secret())
    }

    /// Logs a user with a role in.
    pub(crate) async fn user(&self, role: Role) -> Login {
        let now = self.engine.now();
        Login::log_in(&self.client, &self.store, role.as_str(), role, now).await
    }

    pub(crate) async fn state(&self) -> State {
        let limit = NonZeroU32::new(100).unwrap();
        let log = self.store.log(&LogFilter::newest(limit)).await.unwrap();
        let ids = log
            .entries
            .into_iter()
            .map(|(notification, _)| notification.id);
        State {
            version: self.store.version().await.unwrap(),
            changes: audit_log(&self.store).await.len(),
            notifications: ids.collect(),
        }
    }
}
