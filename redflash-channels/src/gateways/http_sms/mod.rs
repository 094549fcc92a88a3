//! Any SMS gateway with an HTTP API, described in the configuration: the channel `sms`.
//!
//! # The request
//!
//! `url`, `headers`, and the values of `query` and of one body - `form`, `json` or `text` - are
//! templates in the language of event templates ([`redflash_core::template`]). Values are escaped for
//! their context: those of `query` and `form` are encoded, those of `json` become JSON texts within the
//! configured structure, those in `url` are percent-encoded, those in a `text` whose `content_type` is
//! XML are escaped, and a header stays one line. A template may name:
//!
//! | name | value |
//! | --- | --- |
//! | `to`, `to_digits` | the number with its plus, and without |
//! | `from` | the sender |
//! | `text` | the text, truncated to `max_parts` |
//! | `text_hex_utf16` | the same in UTF-16, big-endian, in hexadecimal |
//! | `unicode` | true if the text has characters outside of GSM 03.38, for `{{#if unicode}}` |
//! | `reference` | our reference, the same at every attempt: 32 hexadecimal digits |
//! | `callback_url` | the URL for receipts |
//! | `username`, `password`, `token` | the keys of these names |
//! | `basic` | base64 of `username:password`, for `Authorization = "Basic {{basic}}"` |
//!
//! # The answer
//!
//! The table `answer` ([`AnswerRules`]) defines the meaning of answers. Its rules `unauthorized`,
//! `permanent`, `retry` and `success` apply in this order. Each has a list `status`, a regular expression
//! `pattern` that matches the body, or both, and then both must match. An answer that matches no rule has
//! the meaning of its HTTP status; if it is a 2xx and there is a rule `success`, the outcome is unknown.
//!
//! `message_id` and `price` extract these from the answer: `{ pattern = "id=([0-9]+)" }` or
//! `{ pointer = "/messages/0/id" }`.
//!
//! # Receipts and inbound messages
//!
//! The tables `receipt` ([`ReceiptFields`]) and `inbound` ([`InboundFields`]) define the fields of
//! callbacks. Without them, callbacks are not supported.
//!
//! # Examples
//!
//! A Kannel, which also has a gateway of its own in [`kannel`](crate::gateways::kannel):
//!
//! ```toml
#![doc = include_str!("kannel.toml")]
//! ```
//!
//! A gateway like Routo Messaging, a former service, according to old programs that used it (of its
//! answers, `success`, `failed`, `sys_error` and `bad_operator` are certain, the others not):
//!
//! ```toml
#![doc = include_str!("routo.toml")]
//! ```

mod body;
mod callback;
mod rule;
mod template;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use redflash_core::delivery::Receipt;
use redflash_core::gateway::{Callback, CallbackError, Capabilities, Channel};
use redflash_core::inbound::InboundMessage;
use redflash_core::message::{Accepted, OutboundMessage, SendError, SenderError};
use redflash_core::model::{Address, AddressError, ChannelKind};
use redflash_core::template::Arguments;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;

use self::body::RequestTemplate;
pub use self::callback::{InboundFields, ReceiptFields};
pub use self::rule::{AnswerRules, Extract, Pattern, Rule};
use self::template::{Compiler, Values};
use crate::ConfigError;
use crate::crypto::hmac;
use crate::http::{Answer, Client, Guard, HttpOptions, callback_url};
use crate::sms::segments::{Alphabet, SmsText, check_parts, fit};
use crate::sms::{phone, sender_id};

/// Configuration of a gateway.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpSmsConfig {
    /// The URL for messages, a template with a fixed host.
    pub url: String,
    /// `GET`, `POST` or `PUT`; `POST` by default where there is a body, `GET` otherwise.
    #[serde(default)]
    pub method: Option<String>,
    /// Templates of the values of the query; none by default.
    #[serde(default)]
    pub query: BTreeMap<String, String>,
    /// Templates of headers; none by default.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// A form as body, whose values are templates.
    #[serde(default)]
    pub form: Option<BTreeMap<String, String>>,
    /// A JSON document as body, whose texts are templates.
    #[serde(default)]
    pub json: Option<Value>,
    /// Any other body, a template.
    #[serde(default)]
    pub text: Option<String>,
    /// The content type of `text`; `text/plain; charset=utf-8` by default.
    #[serde(default)]
    pub content_type: Option<String>,
    /// The sender: up to 15 digits, or up to 11 letters and digits.
    #[serde(default)]
    pub from: Option<String>,
    /// The account's user name.
    #[serde(default)]
    pub username: Option<String>,
    /// Its password.
    #[serde(default)]
    pub password: Option<SecretString>,
    /// Another secret, such as an API key.
    #[serde(default)]
    pub token: Option<SecretString>,
    /// The URL for receipts.
    #[serde(default)]
    pub callback_url: Option<SecretString>,
    /// The meaning of answers; that of their HTTP status by default.
    #[serde(default)]
    pub answer: AnswerRules,
    /// The fields of receipts; without it, receipts are not supported.
    #[serde(default)]
    pub receipt: Option<ReceiptFields>,
    /// The fields of inbound messages; without it, they are not supported.
    #[serde(default)]
    pub inbound: Option<InboundFields>,
    /// Maximum number of parts of a message; a longer text is truncated. 6 by default.
    #[serde(default = "crate::sms::segments::six_parts")]
    pub max_parts: u32,
    /// The time limit of a request; 10 s by default.
    #[serde(
        default = "crate::text::duration::ten_seconds",
        with = "crate::text::duration"
    )]
    pub timeout: Duration,
    /// The proxy and the certificates of its connections.
    #[serde(skip)]
    pub http: HttpOptions,
}

/// Sends texts with the configured requests.
pub struct HttpSms {
    template: RequestTemplate,
    /// The values that are the same for every message.
    fixed: Arguments,
    /// Secrets that no log may show, although an answer may repeat them.
    secrets: Vec<SecretString>,
    names_sender: bool,
    rules: AnswerRules,
    receipt: Option<ReceiptFields>,
    inbound: Option<InboundFields>,
    max_parts: u32,
    client: Client,
}

impl fmt::Debug for HttpSms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpSms")
            .field("rules", &self.rules)
            .field("receipt", &self.receipt)
            .field("inbound", &self.inbound)
            .finish_non_exhaustive()
    }
}

impl HttpSms {
    /// Creates a channel from its configuration.
    ///
    /// # Errors
    ///
    /// Returns a [`ConfigError`] that names the invalid key.
    pub fn new(config: HttpSmsConfig) -> Result<Self, ConfigError> {
        if let Some(from) = &config.from {
            sender_id::check(from).map_err(sender_id::invalid_from)?;
        }
        check_parts(config.max_parts, 20)?;
        if let Some(url) = &config.callback_url {
            callback_url(url)?;
        }
        let mut compiler = Compiler::default();
        let template = RequestTemplate::new(&config, &mut compiler)?;
        let fixed = fixed(&config);
        for name in &compiler.named {
            if CONFIGURED.contains(name) && !fixed.contains_key(*name) {
                let key = if *name == "basic" { "password" } else { name };
                let reason = format!("it must be set, since a template names {name:?}");
                return Err(ConfigError::at(key, reason));
            }
        }
        if let Some(receipt) = &config.receipt {
            receipt.check()?;
        }
        config.answer.check()?;
        Ok(Self {
            template,
            fixed,
            secrets: [config.password, config.token, config.callback_url]
                .into_iter()
                .flatten()
                .collect(),
            names_sender: compiler.named.contains("from"),
            rules: config.answer,
            receipt: config.receipt,
            inbound: config.inbound,
            max_parts: config.max_parts,
            client: Client::new(Guard::open(), config.timeout, &config.http)?,
        })
    }

    fn values(&self, message: &OutboundMessage, sms: &SmsText) -> Values {
        let mut values = self.fixed.clone();
        let mut set = |name: &str, value: Value| values.insert(name.to_owned(), value);
        let to = message.to.as_str();
        set("to", to.into());
        set("to_digits", to.trim_start_matches('+').into());
        if let Some(sender) = &message.sender {
            set("from", sender.as_str().into());
        }
        let utf16: Vec<u8> = sms.text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        set("text", sms.text.as_str().into());
        set("text_hex_utf16", hmac::hex(&utf16).into());
        set("unicode", (sms.alphabet == Alphabet::Ucs2).into());
        set("reference", message.delivery.to_string().into());
        Values {
            values,
            at: message.at,
        }
    }

    /// Masks secrets that an answer repeats.
    fn without_secrets(&self, mut answer: Answer) -> Answer {
        /// A shorter secret could match by chance.
        const SHORTEST: usize = 4;
        let mut body = String::from_utf8_lossy(&answer.body).into_owned();
        for secret in &self.secrets {
            let secret = secret.expose_secret();
            if secret.len() >= SHORTEST {
                body = body.replace(secret, "***");
            }
        }
        answer.body = body.into_bytes();
        answer
    }
}

/// The names of the values that the configuration sets.
const CONFIGURED: [&str; 6] = [
    "from",
    "username",
    "password",
    "basic",
    "token",
    "callback_url",
];

/// Returns the values that the configuration sets.
fn fixed(config: &HttpSmsConfig) -> Arguments {
    let mut values = Arguments::new();
    let exposed = |secret: &Option<SecretString>| {
        let secret = secret.as_ref();
        secret.map(|secret| secret.expose_secret().to_owned())
    };
    let password = exposed(&config.password);
    let login = config.username.as_ref().zip(password.as_ref());
    let basic = login.map(|(name, password)| BASE64_STANDARD.encode(format!("{name}:{password}")));
    for (name, value) in [
        ("from", config.from.clone()),
        ("username", config.username.clone()),
        ("password", password),
        ("basic", basic),
        ("token", exposed(&config.token)),
        ("callback_url", exposed(&config.callback_url)),
    ] {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            values.insert(name.to_owned(), value.into());
        }
    }
    values
}

#[async_trait]
impl Channel for HttpSms {
    fn kind(&self) -> ChannelKind {
        ChannelKind::sms()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            receipts: self.receipt.is_some(),
            inbound: self.inbound.is_some(),
            sender: self.names_sender,
            ..Capabilities::default()
        }
    }

    fn parse_address(&self, raw: &str) -> Result<Address, AddressError> {
        phone::parse(raw)
    }

    fn own_address(&self) -> Option<Address> {
        phone::own(self.fixed.get("from")?.as_str())
    }

    fn check_sender(&self, sender: &str) -> Result<(), SenderError> {
        if !self.names_sender {
            return Err(SenderError::new(
                "the gateway's templates do not use the sender",
            ));
        }
        sender_id::check(sender)
    }

    async fn send(&self, message: &OutboundMessage) -> Result<Accepted, SendError> {
        let sms = fit(&message.body, self.max_parts);
        let request = self.template.fill(&self.values(message, &sms))?;
        let answer = self.without_secrets(self.client.send(request).await?);
        self.rules.check_answer(&answer)?;
        let body = String::from_utf8_lossy(&answer.body);
        let found = |extract: &Option<Extract>| extract.as_ref()?.of(&body);
        Ok(Accepted {
            price: found(&self.rules.price).and_then(|price| price.parse().ok()),
            ..sms.accepted(found(&self.rules.message_id), answer.detail())
        })
    }

    fn parse_receipts(&self, callback: &Callback<'_>) -> Result<Vec<Receipt>, CallbackError> {
        let fields = self.receipt.as_ref();
        fields.ok_or(CallbackError::Unsupported)?.read(callback)
    }

    fn parse_inbound(&self, callback: &Callback<'_>) -> Result<Vec<InboundMessage>, CallbackError> {
        let fields = self.inbound.as_ref();
        fields.ok_or(CallbackError::Unsupported)?.read(callback)
    }
}
