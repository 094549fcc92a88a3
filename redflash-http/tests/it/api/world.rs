//! A server with keys of every permission.

use std::sync::Arc;

use redflash_core::Engine;
use redflash_core::clock::Timestamp;
use redflash_core::engine::DispatcherHandle;
use redflash_core::gateway::Gateway;
use redflash_core::model::{Address, ApiKey, Contact, EndpointId, Scope};
use redflash_core::store::{Directory, Entry, MemoryStore, Save};
use redflash_http::{HttpConfig, serve};
use redflash_tests::{Answer, Client};
use secrecy::ExposeSecret;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::audit_log::audit_log;
use crate::fake_channel::{FakeChannel, fake_kind};

/// The key of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// A key without permissions, which may raise all targets.
    Plain,
    /// A key with the `inspect` permission.
    Inspect,
    /// A key with the `admin` permission.
    Admin,
}

pub(crate) struct World {
    pub(crate) client: Client,
    pub(crate) store: Arc<MemoryStore>,
    secrets: [String; 3],
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
        let key = |slug: &str, inspect| {
            let now = Timestamp::from_millis(1);
            ApiKey::generate(slug.parse().unwrap(), inspect, Scope::All, now)
        };
        let (plain, first) = key("plain", false);
        let (inspect, second) = key("inspect", true);
        let (admin, third) = key("admin", false);
        let keys = [plain, inspect, admin.with_admin()].map(Entry::from);
        store.save(&keys, Save::Create).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = Client::new(listener.local_addr().unwrap());
        tokio::spawn(serve(engine, config, listener, std::future::pending()));
        Self {
            client,
            store,
            secrets: [first, second, third].map(|secret| secret.expose_secret().to_owned()),
            _running: running,
        }
    }

    /// Saves a contact with a pager as its endpoint, and returns the endpoint.
    pub(crate) async fn contact(&self, slug: &str) -> EndpointId {
        let id = EndpointId::new(Timestamp::from_millis(1));
        let kind = fake_kind();
        let address = Address::new(format!("p-{slug}")).unwrap();
        let contact = Contact::new(slug.parse().unwrap(), slug.parse().unwrap());
        self.save(contact.with_endpoint(id, kind, address)).await;
        id
    }

    pub(crate) async fn save(&self, entry: impl Into<Entry>) {
        let entries = [entry.into()];
        self.store.save(&entries, Save::Upsert).await.unwrap();
    }

    /// Returns the directory's version, which every change increases.
    pub(crate) async fn version(&self) -> u64 {
        self.store.version().await.unwrap()
    }

    pub(crate) fn secret(&self, who: Who) -> &str {
        &self.secrets[who as usize]
    }

    /// Sends a request with additional headers.
    pub(crate) async fn send(
        &self,
        who: Who,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let bearer = format!("Bearer {}", self.secret(who));
        let mut all = vec![("authorization", &*bearer)];
        if !body.is_empty() {
            all.push(("content-type", "application/json"));
        }
        all.extend(headers);
        let path = format!("/api/v1/{path}");
        self.client.send(method, &path, &all, body).await
    }

    /// Sends a request with the admin key.
    pub(crate) async fn ask(&self, method: &str, path: &str, body: &Value) -> Answer {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        self.send(Who::Admin, method, path, &[], &body).await
    }

    /// Returns the JSON that the admin key gets.
    pub(crate) async fn get(&self, path: &str) -> Value {
        self.ask("GET", path, &Value::Null).await.expect(200).json()
    }

    /// Returns the audit log, newest first.
    pub(crate) async fn audit_log(&self) -> Vec<String> {
        audit_log(&self.store).await
    }
}

/// Fails the test unless the response is a problem with this status, code and field.
pub(crate) fn refused(answer: &Answer, status: u16, code: &str, field: &str) {
    assert_eq!(answer.status, status, "{}", answer.body);
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    let problem = answer.json();
    assert_eq!(problem["code"], code, "{problem}");
    assert_eq!(problem["status"], status);
    let named = problem["errors"][0]["field"].as_str().unwrap_or_default();
    assert_eq!(named, field, "{problem}");
}
