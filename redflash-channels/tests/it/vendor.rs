//! The channel suite's fixture for every gateway whose vendor is simulated.

use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use redflash_channels::configure;
use redflash_core::conformance::channel::{Behaviour, Fixture, message};
use redflash_core::gateway::{Callback, Channel, Gateway};
use redflash_core::message::{Accepted, Deferral, OutboundMessage, SendError};
use redflash_tests::{Received, Reply, Rules, Simulator};
use serde_json::{Value, json};

/// A vendor and a gateway of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Vendor {
    /// The gateway's table, without its name and timeout, for an API at this base.
    pub(crate) gateway: fn(base_url: &str) -> Value,
    /// The rules of the vendor's documents.
    pub(crate) rules: Rules,
    /// An address it serves, and the same written in another way.
    pub(crate) address: (&'static str, &'static str),
    /// Texts that are no addresses of it.
    pub(crate) not_addresses: &'static [&'static str],
    /// The secrets in the table.
    pub(crate) secrets: &'static [&'static str],
    /// Its answers, where they differ from plain HTTP (400 for a rejected request, 401, 429 with or
    /// without `Retry-After`, 503): `Some(None)` if it never behaves so.
    pub(crate) reply: fn(Behaviour) -> Option<Option<Reply>>,
}

/// An account at a simulated vendor, with a gateway that uses it.
#[derive(Debug)]
pub(crate) struct Account {
    vendor: Vendor,
    pub(crate) simulator: Simulator,
    gateway: Gateway,
    gone: Gateway,
    is_gone: AtomicBool,
}

/// A gateway of this table.
pub(crate) fn gateway(mut table: Value) -> Gateway {
    table["name"] = json!("tested");
    table["timeout"] = json!("2s");
    let Value::Object(settings) = table else {
        panic!("a table is an object")
    };
    configure(settings, Some("https://alerts.example.org"))
        .unwrap()
        .gateway
}

impl Account {
    pub(crate) async fn open(vendor: Vendor) -> Self {
        let simulator = Simulator::start(vendor.rules).await;
        let nowhere = TcpListener::bind("127.0.0.1:0").unwrap();
        let nowhere = nowhere.local_addr().unwrap();
        Self {
            gateway: gateway((vendor.gateway)(&simulator.base_url())),
            gone: gateway((vendor.gateway)(&format!("http://{nowhere}"))),
            is_gone: AtomicBool::new(false),
            simulator,
            vendor,
        }
    }

    /// A message to the vendor's address.
    pub(crate) fn message(&self, body: &str) -> OutboundMessage {
        let mut message = message(self.channel(), self.vendor.address.0);
        message.body = body.into();
        message
    }

    pub(crate) async fn send(&self, body: &str) -> Result<Accepted, SendError> {
        self.channel().send(&self.message(body)).await
    }

    /// Sends a message and has the vendor answer this.
    pub(crate) async fn answered(&self, reply: Reply) -> Result<Accepted, SendError> {
        self.simulator.once(reply);
        self.send("hello").await
    }

    /// The last request, once the vendor has found nothing wrong with any.
    pub(crate) fn last(&self) -> Received {
        assert_eq!(self.simulator.faults(), [""; 0]);
        self.simulator.received().pop().expect("a request came")
    }
}

#[async_trait]
impl Fixture for Account {
    fn channel(&self) -> &dyn Channel {
        if self.is_gone.load(Ordering::Relaxed) {
            &*self.gone.channel
        } else {
            &*self.gateway.channel
        }
    }

    fn address(&self) -> (String, String) {
        let (one, other) = self.vendor.address;
        (one.into(), other.into())
    }

    fn not_addresses(&self) -> Vec<String> {
        let texts = self.vendor.not_addresses.iter();
        texts.map(|text| (*text).to_owned()).collect()
    }

    async fn prepare(&self, behaviour: Behaviour) -> bool {
        match behaviour {
            Behaviour::Accept => return true,
            Behaviour::Gone => {
                self.is_gone.store(true, Ordering::Relaxed);
                return true;
            }
            _ => {}
        }
        let reply = (self.vendor.reply)(behaviour).unwrap_or_else(|| plain(behaviour));
        let can = reply.is_some();
        if let Some(reply) = reply {
            self.simulator.once(reply);
        }
        can
    }

    async fn messages(&self) -> usize {
        self.simulator.received().len()
    }

    fn secrets(&self) -> Vec<String> {
        let secrets = self.vendor.secrets.iter();
        secrets.map(|secret| (*secret).to_owned()).collect()
    }
}

/// Returns the answer of plain HTTP.
fn plain(behaviour: Behaviour) -> Option<Reply> {
    Some(match behaviour {
        Behaviour::Accept | Behaviour::Gone => return None,
        Behaviour::Reject => Reply::body(400, "no such thing"),
        Behaviour::RefuseAccount => Reply::body(401, "who are you"),
        Behaviour::Throttle(None) => Reply::status(429),
        Behaviour::Throttle(Some(seconds)) => {
            Reply::status(429).with("Retry-After", &seconds.to_string())
        }
        Behaviour::Fail => Reply::body(503, "later"),
        Behaviour::Hang => Reply::Hang,
        Behaviour::Drop => Reply::Drop,
        Behaviour::Garbage => Reply::body(200, "<html>welcome</html>"),
        Behaviour::Endless => Reply::Endless(200),
    })
}

/// A callback as the server reads it out of a request.
#[derive(Debug, Default)]
pub(crate) struct CallbackRequest {
    pub(crate) url: String,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl CallbackRequest {
    /// A form with these fields.
    pub(crate) fn form(fields: &[(&str, &str)]) -> Self {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(fields);
        Self {
            fields: pairs(fields),
            body: body.finish(),
            ..Self::default()
        }
    }

    /// A JSON document. The fields of an object are in `fields` too, as the server puts them there.
    pub(crate) fn json(document: &Value) -> Self {
        let fields = document.as_object().into_iter().flatten();
        let fields = fields.map(|(name, value)| {
            let text = value.as_str().map(str::to_owned);
            (name.clone(), text.unwrap_or_else(|| value.to_string()))
        });
        Self {
            fields: fields.collect(),
            body: document.to_string(),
            ..Self::default()
        }
    }

    /// The same at this URL.
    pub(crate) fn at(mut self, url: &str) -> Self {
        self.url = url.into();
        self
    }

    /// The same with these headers.
    pub(crate) fn with(mut self, headers: &[(&str, &str)]) -> Self {
        self.headers = pairs(headers);
        self
    }

    pub(crate) fn callback(&self) -> Callback<'_> {
        Callback {
            method: "POST",
            url: &self.url,
            fields: &self.fields,
            headers: &self.headers,
            body: self.body.as_bytes(),
        }
    }
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    pairs.iter().map(own).collect()
}

/// The key at which a table is refused, without any secret being quoted.
pub(crate) fn refused(mut table: Value) -> Option<String> {
    table["name"] = json!("tested");
    let Value::Object(settings) = table else {
        panic!("a table is an object")
    };
    let error = configure(settings, None).unwrap_err();
    assert!(!error.to_string().contains("canary"), "{error}");
    error.key
}

/// The same for a table of this type.
pub(crate) fn refused_key(kind: &str, mut table: Value) -> String {
    table["type"] = json!(kind);
    refused(table).unwrap_or_default()
}

/// The class of an error, as one word or two.
pub(crate) fn class(error: &SendError) -> &'static str {
    match error {
        SendError::Rejected { .. } => "rejected",
        SendError::InvalidAddress { .. } => "invalid address",
        SendError::Unroutable { .. } => "unroutable",
        SendError::Unauthorized { .. } => "unauthorized",
        SendError::RateLimited { .. } => "rate limited",
        SendError::Refused { .. } => "refused",
        SendError::Deferred {
            scope: Deferral::Recipient,
            ..
        } => "recipient later",
        SendError::Deferred {
            scope: Deferral::Message,
            ..
        } => "message later",
        SendError::Unreachable(_) => "unreachable",
        _ => "unknown",
    }
}
