//! Pushover: the channel `pushover`.
//!
//! An address is the key of a user or of a group: 30 letters and digits, case-sensitive.
//!
//! Facts are from the vendor's "Message API" (pushover.net/api). A message has up to 1024 characters and
//! a title up to 250; it is shown unchanged, since `html` is not set. The answer means that the message
//! was queued, not that a phone received it. The emergency priority, 2, is not supported: it repeats until
//! a person confirms it, and RedFlash itself decides about repeats. We read a 429 with
//! `X-Limit-App-Remaining: 0` as the end of the month's quota, by the description of that header.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use redflash_core::gateway::{Capabilities, Channel};
use redflash_core::message::{Accepted, OutboundMessage, SendError};
use redflash_core::model::{Address, AddressError, ChannelKind};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

use crate::ConfigError;
use crate::http::{Answer, Client, Guard, HttpOptions, Request, account_refusal, endpoint, short};
use crate::text::truncate::{cut, noting_cut};

/// Configuration of a Pushover application.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PushoverConfig {
    /// The application's token.
    pub token: SecretString,
    /// The priority of messages, from -2 (shown without a notification) to 1 (even in quiet hours); 0 by
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

/// Maximum number of characters of a message and of a title.
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
struct SendResponse {
    status: u8,
    #[serde(default)]
    request: String,
    #[serde(default)]
    errors: Vec<String>,
    /// `invalid`, if this parameter is the problem.
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
            return Err(ConfigError::at(
                "token",
                "it must have 30 letters and digits",
            ));
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
        match answer.json::<SendResponse>() {
            Some(response) if success && response.status == 1 => Ok(Accepted {
                detail: noting_cut("queued", &message.body, &text),
                ..Accepted::new(Some(response.request))
            }),
            Some(response) if response.status == 0 => Err(refused(&response, &answer)),
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
        let reason = "a Pushover user or group key has 30 letters and digits";
        return Err(AddressError::new(reason));
    }
    Address::new(key)
}

/// Maps an error response to a send error. It has no codes, but names the invalid parameter.
fn refused(response: &SendResponse, answer: &Answer) -> SendError {
    let status = answer.status.as_u16();
    let reason = format!("answered {status}: {}", short(&response.errors.join("; ")));
    let used_up = || {
        let remaining = answer.headers.get("x-limit-app-remaining");
        remaining.is_some_and(|remaining| remaining == "0")
    };
    match status {
        429 if used_up() => SendError::Unauthorized { reason },
        400..500 if response.token.is_some() => SendError::Unauthorized { reason },
        400..500 if response.user.is_some() => SendError::InvalidAddress { reason },
        // A status of success with an error.
        ..400 => SendError::Rejected { reason },
        _ => account_refusal(answer),
    }
}
