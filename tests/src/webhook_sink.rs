//! A receiver of webhooks.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::peer::{Peer, Received, Reply};

/// A receiver of webhooks: it answers 201 unless programmed otherwise.
#[derive(Debug)]
pub struct WebhookSink {
    peer: Peer,
    script: Arc<Mutex<Script>>,
}

#[derive(Debug)]
struct Script {
    next: VecDeque<Reply>,
    then: Reply,
}

impl WebhookSink {
    /// Starts one on a port of its own.
    pub async fn start() -> Self {
        let script = Arc::new(Mutex::new(Script {
            next: VecDeque::new(),
            then: Reply::status(201),
        }));
        let reactions = Arc::clone(&script);
        let peer = Peer::start(move |_| {
            let mut reactions = reactions.lock().unwrap();
            reactions
                .next
                .pop_front()
                .unwrap_or_else(|| reactions.then.clone())
        });
        Self {
            peer: peer.await,
            script,
        }
    }

    /// Returns the URL that it listens on.
    pub const fn address(&self) -> SocketAddr {
        self.peer.address()
    }

    /// The URL of a path on it, as an endpoint's address.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address())
    }

    /// From now on it does this with every request.
    pub fn always(&self, reply: Reply) {
        self.script.lock().unwrap().then = reply;
    }

    /// Programs the reaction to one more request, after those programmed before.
    pub fn once(&self, reply: Reply) {
        self.script.lock().unwrap().next.push_back(reply);
    }

    /// Every request so far.
    pub fn received(&self) -> Vec<Received> {
        self.peer.received()
    }

    /// Returns the number of requests so far.
    pub fn count(&self) -> usize {
        self.peer.count()
    }

    /// Waits until at least this many requests have arrived, and returns all.
    pub async fn expect(&self, count: usize) -> Vec<Received> {
        self.peer.expect(count).await
    }
}

impl Received {
    /// The notification that a webhook delivers.
    pub fn notification(&self) -> String {
        self.form().remove("notification_id").unwrap_or_default()
    }

    /// The content of a webhook.
    pub fn message(&self) -> String {
        self.form().remove("message").unwrap_or_default()
    }

    /// Whether it is signed with this secret (`whsec_` and base64) as the Standard Webhooks
    /// specification 1.0.0 asks: HMAC-SHA256 over `id.timestamp.body`, in base64 behind `v1,`.
    pub fn is_signed_with(&self, secret: &str) -> bool {
        let key = secret.strip_prefix("whsec_").unwrap_or(secret);
        let Ok(key) = BASE64_STANDARD.decode(key) else {
            return false;
        };
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        let id = self.header("webhook-id");
        let timestamp = self.header("webhook-timestamp");
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(&self.body);
        let signature = format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()));
        let mut given = self.header("webhook-signature").split(' ');
        !id.is_empty() && !timestamp.is_empty() && given.any(|given| given == signature)
    }
}
