//! A server with a gateway that does as its addresses say, and two users who have logged in to it.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use redflash_core::store::{ChangeFilter, Entry, LogFilter, Save};
use redflash_core::{
    Accepted, Address, AddressError, Audit, Capabilities, Channel, ChannelKind, Contact,
    DeliveryState, Directory, EndpointId, Engine, Gateway, Group, Handle, KeyHash, MemoryStore,
    NotificationId, OutboundMessage, Outbox, Raise, Role, SendError, Session, Sessions, Timestamp,
    User,
};
use redflash_http::{HttpConfig, serve};
use redflash_tests::{Answer, Client, until};
use secrecy::ExposeSecret;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;
use url::form_urlencoded;

/// A text that would do harm if a page took it for HTML.
pub(crate) const HOSTILE: &str = "<script>alert('x')</script>\" onclick=\"x\" {{csrf}}";

/// Refuses what goes to `refuse…`, keeps what goes to `wait…` until the gate opens, and takes
/// everything else. It knows no address that begins with `-`.
#[derive(Clone, Debug)]
pub(crate) struct Pager {
    sent: Arc<Mutex<Vec<OutboundMessage>>>,
    pub(crate) gate: Arc<Semaphore>,
}

#[async_trait]
impl Channel for Pager {
    fn kind(&self) -> ChannelKind {
        pager()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            receipts: true,
            ..Capabilities::default()
        }
    }

    fn parse_address(&self, raw: &str) -> Result<Address, AddressError> {
        if raw.starts_with('-') {
            return Err(AddressError::new("a pager does not begin so"));
        }
        Address::new(raw)
    }

    async fn send(&self, message: &OutboundMessage) -> Result<Accepted, SendError> {
        self.sent.lock().unwrap().push(message.clone());
        match message.to.as_str() {
            to if to.starts_with("refuse") => Err(SendError::Rejected {
                reason: HOSTILE.into(),
            }),
            to if to.starts_with("wait") => {
                self.gate.acquire().await.unwrap().forget();
                Ok(Accepted::delivered("at last"))
            }
            _ => Ok(Accepted::new(Some("m-1".into()))),
        }
    }
}

impl Pager {
    /// What was handed over to an address.
    pub(crate) fn sent_to(&self, address: &str) -> Vec<String> {
        let sent = self.sent.lock().unwrap();
        let there = sent.iter().filter(|one| one.to.as_str() == address);
        there.map(|one| one.body.clone()).collect()
    }
}

pub(crate) fn pager() -> ChannelKind {
    ChannelKind::parse("pager").unwrap()
}

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Who {
    Admin,
    Viewer,
}

pub(crate) struct World {
    pub(crate) client: Client,
    pub(crate) address: SocketAddr,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) engine: Engine,
    pub(crate) pager: Pager,
    pub(crate) cookies: [String; 2],
    /// The hash of the admin's session.
    pub(crate) session: KeyHash,
    tokens: [String; 2],
    pub(crate) stop: oneshot::Sender<()>,
    pub(crate) serving: JoinHandle<std::io::Result<()>>,
    _running: Handle,
}

impl World {
    pub(crate) async fn start() -> Self {
        let store = Arc::new(MemoryStore::new());
        let pager = Pager {
            sent: Arc::default(),
            gate: Arc::new(Semaphore::new(0)),
        };
        let gateway = Gateway::new("first".parse().unwrap(), pager.clone());
        let engine = Engine::builder(Arc::clone(&store) as _);
        let engine = engine.gateway(gateway).build().unwrap();
        let running = engine.start().await.unwrap();
        let (boss, session) = log_in(&store, "boss", Role::Admin, engine.now()).await;
        let (guest, _) = log_in(&store, "guest", Role::Viewer, engine.now()).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let shutdown = async {
            let _ = stopped.await;
        };
        let config = HttpConfig::default();
        let serving = tokio::spawn(serve(engine.clone(), config, listener, shutdown));
        let mut world = Self {
            client: Client::new(address),
            address,
            store,
            engine,
            pager,
            cookies: [boss, guest],
            session,
            tokens: Default::default(),
            stop,
            serving,
            _running: running,
        };
        for who in [Who::Admin, Who::Viewer] {
            let page = world.get_as(who, "/admin/log").await.expect(200);
            world.tokens[who as usize] = hidden(&page.body, "csrf");
        }
        world
    }

    /// Saves a contact with a pager at each of these addresses.
    pub(crate) async fn contact(&self, slug: &str, name: &str, addresses: &[&str]) {
        let mut contact = Contact::new(slug.parse().unwrap(), name.parse().unwrap());
        for address in addresses {
            let id = EndpointId::new(Timestamp::from_millis(1));
            contact = contact.with_endpoint(id, pager(), Address::new(*address).unwrap());
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

    /// Tells a contact something, and waits until its deliveries have ended.
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

    /// Where the deliveries of a notification stand.
    pub(crate) async fn states(&self, id: NotificationId) -> Vec<DeliveryState> {
        let (_, records) = self.store.notification(id).await.unwrap().unwrap();
        records.iter().map(|record| record.delivery.state).collect()
    }

    /// How many notifications there are.
    pub(crate) async fn raised(&self) -> usize {
        let all = LogFilter::newest(NonZeroU32::MAX);
        self.store.log(&all).await.unwrap().entries.len()
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
            let (by, action) = (change.by, change.action);
            format!("{by} {action} {} {}", change.subject, change.detail)
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
    /// whoever lacks the token has anything sent.
    pub(crate) async fn is_guarded(&self, path: &str, fields: &[(&str, &str)]) {
        let raised = self.raised().await;
        self.post_as(Who::Viewer, path, fields).await.expect(403);
        let forged = [fields, &[("csrf", "forged")]].concat();
        self.post(path, &forged).await.expect(403);
        self.get_as(Who::Admin, path).await;
        assert_eq!(self.raised().await, raised, "{path}");
    }
}

/// A user who has logged in: the cookie, and the hash of the session.
async fn log_in(store: &MemoryStore, slug: &str, role: Role, now: Timestamp) -> (String, KeyHash) {
    let user = User::new(slug.parse().unwrap(), slug.parse().unwrap(), role, now);
    let (session, secret) = Session::start(user.slug.clone(), now);
    store.save(&[user.into()], Save::Create).await.unwrap();
    store.start_session(&session).await.unwrap();
    let cookie = format!("__Host-rf={}", secret.expose_secret());
    (cookie, session.hash)
}

/// The value of the first hidden field of a name.
pub(crate) fn hidden(page: &str, name: &str) -> String {
    let field = format!("name=\"{name}\" value=\"");
    let (_, rest) = page.split_once(&field).expect("the page has the field");
    rest.split_once('"').unwrap().0.to_owned()
}

/// Where a page says that there is more.
pub(crate) fn older(page: &str) -> Option<String> {
    let (_, link) = page.split_once("rel=\"next\" href=\"")?;
    let (link, _) = link.split_once('"')?;
    Some(link.replace("&amp;", "&").replace("&#x3D;", "="))
}

/// Fails the test unless every text is in the page.
pub(crate) fn says(page: &str, texts: &[&str]) {
    let plain = page.replace("&#x3D;", "=");
    for text in texts {
        assert!(plain.contains(text), "{text:?} is not in\n{page}");
    }
    assert!(!page.contains("<script>"), "a text became a script");
}

/// Fails the test if a text is in the page.
pub(crate) fn lacks(page: &str, text: &str) {
    assert!(!page.contains(text), "{text:?} is in\n{page}");
}
