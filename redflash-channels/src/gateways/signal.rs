//! Signal, through a self-hosted signal-cli-rest-api: the channel `signal`.
//!
//! An address is a phone number with its country code, or a group's id as that server lists it, `group.`
//! and base64. The server has no authentication, so only this machine should be able to reach it.
//!
//! Facts are from the project's source of August 2026 (`POST /v2/send`: `src/api/api.go`,
//! `src/client/`), and the texts of its errors from the source of signal-cli, whose errors it passes on:
//! nearly all are a 400, so their texts distinguish them. A text is shown unchanged with `text_mode`
//! `normal`, which is set since a server can have another default. The answer means that Signal accepted
//! the message, not that it arrived. Network failures may occur after a message was sent, so their
//! outcome is unknown.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use redflash_core::gateway::Channel;
use redflash_core::message::{Accepted, OutboundMessage, SendError};
use redflash_core::model::{Address, AddressError, ChannelKind};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use crate::ConfigError;
use crate::http::{Answer, Client, Guard, HttpOptions, Request, account_refusal, endpoint, short};
use crate::sms::phone;

/// Configuration of a Signal account.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignalConfig {
    /// The account's phone number, such as `+447700900123`.
    pub number: String,
    /// The base URL of the server; `http://127.0.0.1:8080` by default.
    #[serde(default = "base_url")]
    pub base_url: Url,
    /// The time limit of a request; 30 s by default, as signal-cli may have to start first.
    #[serde(default = "timeout", with = "crate::text::duration")]
    pub timeout: Duration,
    /// The proxy and the certificates of its connections.
    #[serde(skip)]
    pub http: HttpOptions,
}

fn base_url() -> Url {
    Url::parse("http://127.0.0.1:8080").expect("it is a URL")
}

const fn timeout() -> Duration {
    Duration::from_secs(30)
}

/// Sends with Signal.
pub struct Signal {
    number: Address,
    url: Url,
    client: Client,
}

impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signal")
            .field("url", &self.url.as_str())
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Deserialize)]
struct SendResponse {
    /// A text or a number, depending on the version.
    timestamp: Value,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ErrorBody {
    error: String,
    /// Challenges that a person has to solve before the account can send again.
    challenge_tokens: Vec<String>,
}

impl Signal {
    /// Creates a channel from its configuration.
    ///
    /// # Errors
    ///
    /// Returns a [`ConfigError`] that names the invalid key.
    pub fn new(config: SignalConfig) -> Result<Self, ConfigError> {
        let SignalConfig {
            number,
            base_url,
            timeout,
            http,
        } = config;
        let number = phone::parse(&number);
        Ok(Self {
            number: number.map_err(|error| ConfigError::at("number", error.to_string()))?,
            url: endpoint(&base_url, &["v2", "send"])?,
            client: Client::new(Guard::open(), timeout, &http)?,
        })
    }
}

#[async_trait]
impl Channel for Signal {
    fn kind(&self) -> ChannelKind {
        ChannelKind::parse("signal").expect("it is a legal kind")
    }

    fn parse_address(&self, raw: &str) -> Result<Address, AddressError> {
        parse_address(raw)
    }

    async fn send(&self, message: &OutboundMessage) -> Result<Accepted, SendError> {
        let document = json!({
            "number": self.number,
            "recipients": [message.to],
            "message": message.body,
            "text_mode": "normal",
        });
        let request = Request::json(self.url.clone(), &document, message.at);
        let answer = self.client.send(request).await?;
        if !answer.status.is_success() {
            return Err(refused(&answer));
        }
        let id = match answer.json::<SendResponse>().map(|sent| sent.timestamp) {
            Some(Value::String(text)) if !text.is_empty() => short(&text),
            Some(Value::Number(number)) => number.to_string(),
            _ => return Err(SendError::Unknown(answer.detail().into())),
        };
        Ok(Accepted {
            detail: "sent".to_owned(),
            ..Accepted::new(Some(id))
        })
    }
}

/// Normalizes a phone number or a group's id.
pub(crate) fn parse_address(raw: &str) -> Result<Address, AddressError> {
    let Some(group) = raw.trim().strip_prefix("group.") else {
        return phone::parse(raw);
    };
    match BASE64_STANDARD.decode(group) {
        Ok(id) if !id.is_empty() => Address::new(raw.trim()),
        _ => Err(AddressError::new(format!(
            "{raw:?} is not a group: copy its ID from the server's list, group. and base64"
        ))),
    }
}

/// Maps an error response to a send error.
fn refused(answer: &Answer) -> SendError {
    let error: ErrorBody = answer.json().unwrap_or_default();
    let status = answer.status.as_u16();
    let reason = match &*error.error {
        "" => answer.detail(),
        error => format!("answered {status}: {}", short(error)),
    };
    let holds = |words: &[&str]| words.iter().any(|words| error.error.contains(words));
    match status {
        // A person has to solve a CAPTCHA for the account first.
        _ if !error.challenge_tokens.is_empty() || holds(&["CAPTCHA proof required"]) => {
            SendError::Unauthorized { reason }
        }
        400 if holds(&["Unregistered user", "Invalid group id"]) => {
            SendError::InvalidAddress { reason }
        }
        400 if holds(&["Untrusted Identity", "untrusted recipient keys"]) => {
            SendError::Unroutable { reason }
        }
        // The account itself.
        400 if holds(&["is not registered", "account does not exist"]) => {
            SendError::Unauthorized { reason }
        }
        400 if holds(&["Network failure", "Failed to send message"]) => {
            SendError::Unknown(reason.into())
        }
        _ => account_refusal(answer),
    }
}
