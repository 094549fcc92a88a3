//! A server with contacts in its directory, and two logged-in users.

use std::ops::Deref;
use std::sync::Arc;

use redflash_core::Engine;
use redflash_core::clock::Timestamp;
use redflash_core::engine::DispatcherHandle;
use redflash_core::gateway::Gateway;
use redflash_core::model::{
    Address, ApiKey, Contact, Endpoint, EndpointId, Event, Group, Role, Scope, User,
};
use redflash_core::store::{Directory, Entry, MemoryStore, Save};
use redflash_http::{HttpConfig, hash_password, serve};
use redflash_tests::Client;
use secrecy::ExposeSecret;
use tokio::net::TcpListener;

use crate::audit_log::audit_log;
use crate::fake_channel::{FakeChannel, fake_kind};
use crate::login::Logins;

pub(crate) struct World {
    visitors: Logins,
    pub(crate) store: Arc<MemoryStore>,
    _running: DispatcherHandle,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::start_with(HttpConfig::default()).await
    }

    pub(crate) async fn start_with(config: HttpConfig) -> Self {
        let store = Arc::new(MemoryStore::new());
        let pager = Gateway::new("pager".parse().unwrap(), FakeChannel::default());
        let engine = Engine::builder(Arc::clone(&store));
        let engine = engine.gateway(pager).build().unwrap();
        let running = engine.start().await.unwrap();
        let now = engine.now();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = Client::new(listener.local_addr().unwrap());
        let forever = std::future::pending();
        tokio::spawn(serve(engine, config, listener, forever));
        Self {
            visitors: Logins::log_in(client, &store, now).await,
            store,
            _running: running,
        }
    }

    /// Saves a user with a password.
    pub(crate) async fn user(&self, slug: &str, role: Role, password: &str) {
        let now = Timestamp::from_millis(1);
        let mut user = User::new(slug.parse().unwrap(), slug.parse().unwrap(), role, now);
        user.password = Some(hash_password(&password.into()).await.unwrap());
        self.save(user).await;
    }

    /// Saves a key that may raise everything; returns its secret.
    pub(crate) async fn key(&self, slug: &str) -> String {
        let now = Timestamp::from_millis(1);
        let (key, secret) = ApiKey::generate(slug.parse().unwrap(), false, Scope::All, now);
        self.save(key).await;
        secret.expose_secret().to_owned()
    }

    /// Saves a contact with one endpoint.
    pub(crate) async fn contact(&self, slug: &str, name: &str) -> Endpoint {
        let id = EndpointId::new(Timestamp::from_millis(1));
        let kind = fake_kind();
        let address = Address::new(format!("p-{slug}")).unwrap();
        let contact = Contact::new(slug.parse().unwrap(), name.parse().unwrap());
        let contact = contact.with_endpoint(id, kind, address);
        let endpoint = contact.endpoints[0].clone();
        self.save(contact).await;
        endpoint
    }

    pub(crate) async fn group(&self, slug: &str, members: &[&str]) {
        let members = members.iter().map(|slug| slug.parse().unwrap()).collect();
        let group = Group::new(slug.parse().unwrap(), slug.parse().unwrap(), members);
        self.save(group).await;
    }

    /// Saves an event that notifies a contact and a group.
    pub(crate) async fn event(&self, slug: &str, message: &str, contact: &str, group: &str) {
        let mut event = Event::new(slug.parse().unwrap(), slug.parse().unwrap(), message);
        event.contacts = vec![contact.parse().unwrap()];
        event.groups = vec![group.parse().unwrap()];
        self.save(event).await;
    }

    pub(crate) async fn save(&self, entry: impl Into<Entry>) {
        let entries = [entry.into()];
        self.store.save(&entries, Save::Upsert).await.unwrap();
    }

    pub(crate) async fn find(&self, slug: &str) -> Option<Contact> {
        self.store.contact(&slug.parse().unwrap()).await.unwrap()
    }

    /// Returns the audit log, newest first.
    pub(crate) async fn audit_log(&self) -> Vec<String> {
        audit_log(&self.store).await
    }

    /// Asserts that only an admin may send a form, and only with the form token: otherwise, nothing changes.
    pub(crate) async fn is_guarded(&self, path: &str, fields: &[(&str, &str)]) {
        let version = self.store.version().await.unwrap();
        self.are_guarded(path, fields).await;
        assert_eq!(self.store.version().await.unwrap(), version, "{path}");
    }
}

impl Deref for World {
    type Target = Logins;

    fn deref(&self) -> &Logins {
        &self.visitors
    }
}
