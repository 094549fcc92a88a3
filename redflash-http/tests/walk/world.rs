//! A server with one thing of every kind, all called `some`, and those who come to its doors.

use std::num::NonZeroU32;
use std::sync::Arc;

use async_trait::async_trait;
use redflash_core::store::{ChangeFilter, Entry, LogFilter, Save};
use redflash_core::{
    Accepted, Address, AddressError, ApiKey, Audit, Channel, ChannelKind, Contact, Directory,
    EndpointId, Engine, Event, Gateway, Group, Handle, MemoryStore, NotificationId,
    OutboundMessage, Outbox, Raise, Role, Scope, SendError, Session, Sessions, Slug, Timestamp,
    User,
};
use redflash_http::{HttpConfig, serve};
use redflash_tests::Client;
use secrecy::ExposeSecret;
use tokio::net::TcpListener;

const EPOCH: Timestamp = Timestamp::from_millis(1);

#[derive(Debug)]
struct Pager;

#[async_trait]
impl Channel for Pager {
    fn kind(&self) -> ChannelKind {
        ChannelKind::parse("pager").unwrap()
    }

    fn parse_address(&self, raw: &str) -> Result<Address, AddressError> {
        Address::new(raw)
    }

    async fn send(&self, _: &OutboundMessage) -> Result<Accepted, SendError> {
        Ok(Accepted::new(None))
    }
}

pub(crate) struct World {
    pub(crate) client: Client,
    store: Arc<MemoryStore>,
    engine: Engine,
    endpoint: EndpointId,
    notification: NotificationId,
    _running: Handle,
}

/// A user who has logged in.
pub(crate) struct Browser {
    pub(crate) cookie: String,
    /// What its forms bring along.
    pub(crate) csrf: String,
}

/// Everything that a request could have changed.
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
        let store = Arc::new(MemoryStore::new());
        let pager = Gateway::new(some(), Pager);
        let engine = Engine::builder(Arc::clone(&store) as _);
        let engine = engine.gateway(pager).build().unwrap();
        let running = engine.start().await.unwrap();
        let endpoint = EndpointId::new(EPOCH);
        let address = Address::new("p-1").unwrap();
        let contact = Contact::new(some(), "Some".parse().unwrap());
        let contact = contact.with_endpoint(endpoint, Pager.kind(), address);
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
        let client = Client::new(listener.local_addr().unwrap());
        let forever = std::future::pending();
        tokio::spawn(serve(
            engine.clone(),
            HttpConfig::default(),
            listener,
            forever,
        ));
        Self {
            client,
            store,
            engine,
            endpoint,
            notification: raised.notification,
            _running: running,
        }
    }

    /// A path of the table, that of something which is there.
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

    /// Makes a key; returns what it sends as `Authorization`.
    pub(crate) async fn key(&self, slug: &str, change: impl FnOnce(&mut ApiKey)) -> String {
        let (mut key, secret) = ApiKey::generate(slug.parse().unwrap(), false, Scope::All, EPOCH);
        change(&mut key);
        self.store.save(&[key.into()], Save::Create).await.unwrap();
        format!("Bearer {}", secret.expose_secret())
    }

    /// A user of this role, who has logged in.
    pub(crate) async fn user(&self, role: Role) -> Browser {
        let slug: Slug = role.as_str().parse().unwrap();
        let user = User::new(slug.clone(), slug.as_str().parse().unwrap(), role, EPOCH);
        self.store.save(&[user.into()], Save::Create).await.unwrap();
        let (session, secret) = Session::start(slug, self.engine.now());
        self.store.start_session(&session).await.unwrap();
        let cookie = format!("__Host-rf={}", secret.expose_secret());
        let headers = [("cookie", &*cookie)];
        let page = self
            .client
            .send("GET", "/admin/contacts", &headers, "")
            .await;
        let page = page.expect(200).body;
        let (_, rest) = page.split_once("name=\"csrf\" value=\"").unwrap();
        let (csrf, _) = rest.split_once('"').unwrap();
        Browser {
            cookie,
            csrf: csrf.to_owned(),
        }
    }

    pub(crate) async fn state(&self) -> State {
        let limit = NonZeroU32::new(100).unwrap();
        let filter = ChangeFilter {
            subject: None,
            by: None,
            before: None,
            limit,
        };
        let log = self.store.log(&LogFilter::newest(limit)).await.unwrap();
        let ids = log
            .entries
            .into_iter()
            .map(|(notification, _)| notification.id);
        State {
            version: self.store.version().await.unwrap(),
            changes: self.store.changes(&filter).await.unwrap().len(),
            notifications: ids.collect(),
        }
    }
}
