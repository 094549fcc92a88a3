//! A server over a store in memory, with enabled, disabled, empty and unreachable targets.

use std::net::SocketAddr;
use std::sync::Arc;

use redflash_core::Engine;
use redflash_core::clock::Timestamp;
use redflash_core::engine::DispatcherHandle;
use redflash_core::gateway::Gateway;
use redflash_core::model::{Address, ApiKey, Contact, EndpointId, Event, Group, Scope};
use redflash_core::store::{Directory, Entry, MemoryStore, Save};
use redflash_http::{HttpConfig, serve};
use redflash_tests::Client;
use redflash_tests::raw::Step;
use secrecy::ExposeSecret;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::fake_channel::{FakeChannel, fake_kind};

pub(crate) struct Site {
    pub(crate) client: Client,
    /// A key that may raise everything and inspect.
    pub(crate) key: String,
    /// A key that may raise everything.
    pub(crate) plain: String,
    /// A key that may raise at `contact/ann` alone.
    pub(crate) narrow: String,
    /// A disabled key.
    pub(crate) revoked: String,
    pub(crate) pager: FakeChannel,
    pub(crate) stop: Option<oneshot::Sender<()>>,
    pub(crate) serving: JoinHandle<std::io::Result<()>>,
    pub(crate) address: SocketAddr,
    _running: DispatcherHandle,
}

fn contact(slug: &str, name: &str) -> Contact {
    let id = EndpointId::new(Timestamp::from_millis(0));
    Contact::new(slug.parse().unwrap(), name.parse().unwrap()).with_endpoint(
        id,
        fake_kind(),
        Address::new(slug).unwrap(),
    )
}

fn group(slug: &str, members: &[&str]) -> Group {
    let members = members.iter().map(|slug| slug.parse().unwrap()).collect();
    Group::new(slug.parse().unwrap(), slug.parse().unwrap(), members)
}

fn event(slug: &str, message: &str) -> Event {
    let mut event = Event::new(slug.parse().unwrap(), slug.parse().unwrap(), message);
    event.contacts.push("ann".parse().unwrap());
    event
}

fn entries() -> Vec<Entry> {
    let mut off = contact("off", "Off Duty");
    off.enabled = false;
    let mut idle = group("idle", &["ann"]);
    idle.enabled = false;
    let mut muted = event("muted", "x");
    muted.enabled = false;
    vec![
        Entry::Contact(contact("ann", "Ann")),
        Entry::Contact(contact("refuse", "Refuse")),
        Entry::Contact(off),
        Entry::Group(group("both", &["ann", "refuse"])),
        Entry::Group(group("empty", &[])),
        Entry::Group(idle),
        Entry::Event(event(
            "disk",
            "disk {{#each alerts}}{{this.host}} {{/each}}",
        )),
        Entry::Event(event("blank", "{{x}}")),
        Entry::Event(muted),
    ]
}

impl Site {
    pub(crate) async fn start(config: HttpConfig) -> Self {
        let store = Arc::new(MemoryStore::new());
        let pager = FakeChannel::default();
        let gateway = Gateway::new("pager".parse().unwrap(), pager.clone());
        let mut entries = entries();
        let mut key = |slug: &str, inspect, scope, enabled| {
            let now = Timestamp::from_millis(0);
            let (mut key, secret) = ApiKey::generate(slug.parse().unwrap(), inspect, scope, now);
            key.enabled = enabled;
            entries.push(Entry::ApiKey(key));
            secret.expose_secret().to_owned()
        };
        let ann = Scope::Only(["contact/ann".parse().unwrap()].into());
        let inspecting = key("inspecting", true, Scope::All, true);
        let plain = key("plain", false, Scope::All, true);
        let narrow = key("narrow", false, ann, true);
        let revoked = key("revoked", true, Scope::All, false);
        store.save(&entries, Save::Create).await.unwrap();
        let engine = Engine::builder(store).gateway(gateway).build().unwrap();
        let running = engine.start().await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let shutdown = async {
            let _ = stopped.await;
        };
        Self {
            client: Client::new(address),
            key: inspecting,
            plain,
            narrow,
            revoked,
            pager,
            stop: Some(stop),
            serving: tokio::spawn(serve(engine, config, listener, shutdown)),
            address,
            _running: running,
        }
    }

    /// Sends a request on a new connection, with the first part of its body.
    pub(crate) fn request(&self, length: usize, body: &str) -> Step {
        let head = format!(
            "POST /contact/ann HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{body}",
            self.key
        );
        Step::Send(head.into())
    }
}
