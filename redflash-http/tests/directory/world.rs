//! A server with people in its directory, and two users who have logged in to it.

use std::num::NonZeroU32;
use std::sync::Arc;

use async_trait::async_trait;
use redflash_core::store::{ChangeFilter, Entry, Save};
use redflash_core::{
    Accepted, Address, AddressError, ApiKey, Audit, Channel, ChannelKind, Contact, Directory,
    Endpoint, EndpointId, Engine, Event, Gateway, Group, Handle, MemoryStore, OutboundMessage,
    Role, Scope, SendError, Session, Sessions, Timestamp, User,
};
use redflash_http::{HttpConfig, hash_password, serve};
use redflash_tests::{Answer, Client};
use secrecy::ExposeSecret;
use tokio::net::TcpListener;
use url::form_urlencoded;

/// A text that would do harm if a page took it for HTML.
pub(crate) const HOSTILE: &str = "<script>alert('x')</script>\" onclick=\"x\" {{csrf}}";

/// Takes every message but those to `p-refuse`, and every address that begins as a pager's does.
#[derive(Debug)]
struct Pager;

#[async_trait]
impl Channel for Pager {
    fn kind(&self) -> ChannelKind {
        ChannelKind::parse("pager").unwrap()
    }

    fn parse_address(&self, raw: &str) -> Result<Address, AddressError> {
        if !raw.starts_with('p') {
            let reason = format!("{raw:?} is no pager: a pager begins with p");
            return Err(AddressError::new(reason));
        }
        Address::new(raw)
    }

    async fn send(&self, message: &OutboundMessage) -> Result<Accepted, SendError> {
        if message.to.as_str() == "p-refuse" {
            let reason = "not here".into();
            return Err(SendError::Rejected { reason });
        }
        Ok(Accepted::new(None))
    }
}

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Who {
    Admin,
    Viewer,
}

pub(crate) struct World {
    pub(crate) client: Client,
    pub(crate) store: Arc<MemoryStore>,
    cookies: [String; 2],
    tokens: [String; 2],
    _running: Handle,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::start_with(HttpConfig::default()).await
    }

    pub(crate) async fn start_with(config: HttpConfig) -> Self {
        let store = Arc::new(MemoryStore::new());
        let pager = Gateway::new("pager".parse().unwrap(), Pager);
        let engine = Engine::builder(Arc::clone(&store) as _);
        let engine = engine.gateway(pager).build().unwrap();
        let running = engine.start().await.unwrap();
        let now = engine.now();
        let mut cookies = [String::new(), String::new()];
        for (cookie, (slug, role)) in cookies
            .iter_mut()
            .zip([("boss", Role::Admin), ("guest", Role::Viewer)])
        {
            let user = User::new(slug.parse().unwrap(), slug.parse().unwrap(), role, now);
            let (session, secret) = Session::start(user.slug.clone(), now);
            store.save(&[user.into()], Save::Create).await.unwrap();
            store.start_session(&session).await.unwrap();
            *cookie = format!("__Host-rf={}", secret.expose_secret());
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = Client::new(listener.local_addr().unwrap());
        let forever = std::future::pending();
        tokio::spawn(serve(engine, config, listener, forever));
        let mut world = Self {
            client,
            store,
            cookies,
            tokens: Default::default(),
            _running: running,
        };
        for who in [Who::Admin, Who::Viewer] {
            let page = world.get_as(who, "/admin/contacts").await.expect(200);
            world.tokens[who as usize] = hidden(&page.body, "csrf");
        }
        world
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

    /// Saves a contact whose one endpoint is a pager.
    pub(crate) async fn contact(&self, slug: &str, name: &str) -> Endpoint {
        let id = EndpointId::new(Timestamp::from_millis(1));
        let kind = ChannelKind::parse("pager").unwrap();
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

    /// Saves an event that tells a contact and a group.
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

    /// What the audit log says, newest first.
    pub(crate) async fn told(&self) -> Vec<String> {
        let filter = ChangeFilter {
            subject: None,
            by: None,
            before: None,
            limit: NonZeroU32::new(50).unwrap(),
        };
        let changes = self.store.changes(&filter).await.unwrap();
        let line = |change: redflash_core::Change| {
            format!(
                "{} {} {} {}",
                change.by, change.action, change.subject, change.detail
            )
        };
        changes.into_iter().map(line).collect()
    }

    pub(crate) async fn get_as(&self, who: Who, path: &str) -> Answer {
        let cookie = &self.cookies[who as usize];
        let headers = [("cookie", cookie.as_str())];
        self.client.send("GET", path, &headers, "").await
    }

    /// A page, as the admin sees it.
    pub(crate) async fn page(&self, path: &str) -> String {
        self.get_as(Who::Admin, path).await.expect(200).body
    }

    pub(crate) async fn post_as(&self, who: Who, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = &self.tokens[who as usize];
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        if !fields.iter().any(|(name, _)| *name == "csrf") {
            form.append_pair("csrf", token);
        }
        let headers = [
            ("cookie", self.cookies[who as usize].as_str()),
            ("content-type", "application/x-www-form-urlencoded"),
            ("sec-fetch-site", "same-origin"),
        ];
        self.client
            .send("POST", path, &headers, form.finish())
            .await
    }

    /// A form, as the admin sends it.
    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.post_as(Who::Admin, path, fields).await
    }

    /// A form that is done; returns where the browser is sent.
    pub(crate) async fn done(&self, path: &str, fields: &[(&str, &str)]) -> String {
        let answer = self.post(path, fields).await.expect(303);
        answer.headers["location"].clone()
    }

    /// A form that only an admin may send, and only from a page of this server: neither a viewer nor
    /// whoever lacks the token changes anything.
    pub(crate) async fn is_guarded(&self, path: &str, fields: &[(&str, &str)]) {
        let version = self.store.version().await.unwrap();
        self.post_as(Who::Viewer, path, fields).await.expect(403);
        let forged = [fields, &[("csrf", "forged")]].concat();
        self.post(path, &forged).await.expect(403);
        assert_eq!(self.store.version().await.unwrap(), version, "{path}");
    }
}

/// The value of the first hidden field of a name.
pub(crate) fn hidden(page: &str, name: &str) -> String {
    let field = format!("name=\"{name}\" value=\"");
    let (_, rest) = page.split_once(&field).expect("the page has the field");
    rest.split_once('"').unwrap().0.to_owned()
}

/// Fails the test unless every text is in the page.
pub(crate) fn says(page: &str, texts: &[&str]) {
    for text in texts {
        assert!(page.contains(text), "{text:?} is not in\n{page}");
    }
    assert!(!page.contains("<script>"), "a text became a script");
}
