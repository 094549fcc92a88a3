//! Pushover: the channel `pushover`.
//!
//! An address is the key of a user or of a group: 30 letters and digits, where upper and lower case
//! differ.
//!
//! Facts are from the vendor's "Message API" (pushover.net/api). A message has up to 1024 characters and
//! a title up to 250; it is shown as it is, as `html` is left out. The answer says that the message
//! was queued, not that a telephone has it. Of the priorities only the emergency, 2, is not to be had:
//! it repeats until somebody confirms it, which belongs to whoever decides who is told. That a 429
//! with `X-Limit-App-Remaining: 0` means the end of the month's messages is read out of the
//! description of that header.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use redflash_core::{
    Accepted, Address, AddressError, Capabilities, Channel, ChannelKind, OutboundMessage, SendError,
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

use crate::ConfigError;
use crate::http::{Answer, Client, Guard, HttpOptions, Request, account_refusal, endpoint, short};
use crate::text::truncate::{cut, noting_cut};

/// How an application at Pushover is used.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PushoverConfig {
    /// The application's token.
    pub token: SecretString,
    /// How urgent messages are, from -2 (shown without a notice) to 1 (even in quiet hours); 0 by
    /// default.
    #[serde(default)]
    pub priority: i8,
    /// The base URL of the API; `https://api.pushover.net/1` by default.
    #[serde(default = "base_url")]
    pub base_url: Url,
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

fn base_url() -> Url {
    Url::parse("https://api.pushover.net/1").expect("it is a URL")
}

/// As many characters as a message and a title may have.
const LONGEST: usize = 1024;
const LONGEST_TITLE: usize = 250;

/// Pushes with Pushover.
pub struct Pushover {
    token: SecretString,
    priority: String,
    url: Url,
    client: Client,
}

impl fmt::Debug for Pushover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pushover")
            .field("url", &self.url.as_str())
            .field("priority", &self.priority)
            .finish_non_exhaustive()
    }
}

/// The answer to a message.
#[derive(Debug, Deserialize)]
struct Said {
    status: u8,
    #[serde(default)]
    request: String,
    #[serde(default)]
    errors: Vec<String>,
    /// `invalid`, if that is what is wrong with the request.
    #[serde(default)]
    user: Option<String>,
    #[serde(default)]
    token: Option<String>,
}

impl Pushover {
    /// Creates a channel from its configuration.
    ///
    /// # Errors
    ///
    /// Returns a [`ConfigError`] that names the invalid key.
    pub fn new(config: PushoverConfig) -> Result<Self, ConfigError> {
        if !is_key(config.token.expose_secret()) {
            return Err(ConfigError::at("token", "it has 30 letters and digits"));
        }
        if !(-2..=1).contains(&config.priority) {
            return Err(ConfigError::at("priority", "it must be from -2 to 1"));
        }
        Ok(Self {
            url: endpoint(&config.base_url, &["messages.json"])?,
            client: Client::new(Guard::open(), config.timeout, &config.http)?,
            token: config.token,
            priority: config.priority.to_string(),
        })
    }
}

#[async_trait]
impl Channel for Pushover {
    fn kind(&self) -> ChannelKind {
        ChannelKind::parse("pushover").expect("it is a legal kind")
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            subject: true,
            ..Capabilities::default()
        }
    }

    fn parse_address(&self, raw: &str) -> Result<Address, AddressError> {
        parse_address(raw)
    }

    async fn send(&self, message: &OutboundMessage) -> Result<Accepted, SendError> {
        let text = cut(&message.body, LONGEST);
        let fields = [
            ("token", self.token.expose_secret()),
            ("user", message.to.as_str()),
            ("title", &cut(&message.subject, LONGEST_TITLE)),
            ("message", &text),
            ("priority", &self.priority),
        ];
        let request = Request::form(self.url.clone(), &fields, message.at);
        let answer = self.client.send(request).await?;
        let success = answer.status.is_success();
        match answer.json::<Said>() {
            Some(said) if success && said.status == 1 => Ok(Accepted {
                detail: noting_cut("queued", &message.body, &text),
                ..Accepted::new(Some(said.request))
            }),
            Some(said) if said.status == 0 => Err(refused(&said, &answer)),
            _ if success => Err(SendError::Unknown(answer.detail().into())),
            _ => Err(account_refusal(&answer)),
        }
    }
}

fn is_key(text: &str) -> bool {
    text.len() == 30 && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// Checks the key of a user or a group.
pub(crate) fn parse_address(raw: &str) -> Result<Address, AddressError> {
    let key = raw.trim();
    if !is_key(key) {
        let reason = "a user's or a group's key at Pushover has 30 letters and digits";
        return Err(AddressError::new(reason));
    }
    Address::new(key)
}

/// Maps an error response to a send error. It has no codes: the parameter that is wrong is named.
fn refused(said: &Said, answer: &Answer) -> SendError {
    let status = answer.status.as_u16();
    let reason = format!("answered {status}: {}", short(&said.errors.join("; ")));
    let used_up = || {
        let remaining = answer.headers.get("x-limit-app-remaining");
        remaining.is_some_and(|remaining| remaining == "0")
    };
    match status {
        429 if used_up() => SendError::Unauthorized { reason },
        400..500 if said.token.is_some() => SendError::Unauthorized { reason },
        400..500 if said.user.is_some() => SendError::InvalidAddress { reason },
        // An answer of success that says the contrary.
        ..400 => SendError::Rejected { reason },
        _ => account_refusal(answer),
    }
}
