//! Signal, by a signal-cli-rest-api of one's own: the channel `signal`.
//!
//! An address is a telephone number with its country, or a group's id as that server lists it,
//! `group.` and base64. The server has no logins, so it should be reachable from this machine alone.
//!
//! Facts are from the project's source of August 2026 (`POST /v2/send`: `src/api/api.go`,
//! `src/client/`), and the words of its refusals from the source of signal-cli, whose errors it passes
//! on: nearly all are a 400, so they are told apart by their words. A text is shown as it is with
//! `text_mode` `normal`, which has to be said, since a server can be set to another. The answer says
//! that Signal took the message, not that it arrived. Which network failures come after a message
//! went out is not known, so they count as unknown.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use redflash_core::{
    Accepted, Address, AddressError, Channel, ChannelKind, OutboundMessage, SendError,
};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use crate::ConfigError;
use crate::http::{Answer, Client, Guard, HttpOptions, Request, account_refusal, endpoint, short};
use crate::sms::phone;

/// How an account of Signal is used.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignalConfig {
    /// The account's telephone number, such as `+447700900123`.
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
struct Sent {
    /// A text or a number, by version.
    timestamp: Value,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Fault {
    error: String,
    /// What a person has to answer before more is sent.
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
        let id = match answer.json::<Sent>().map(|sent| sent.timestamp) {
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

/// Brings a telephone number or a group's id into its normal form.
pub(crate) fn parse_address(raw: &str) -> Result<Address, AddressError> {
    let Some(group) = raw.trim().strip_prefix("group.") else {
        return phone::parse(raw);
    };
    match BASE64_STANDARD.decode(group) {
        Ok(id) if !id.is_empty() => Address::new(raw.trim()),
        _ => Err(AddressError::new(format!(
            "{raw:?} is no group: copy its id as the server lists it, group. and base64"
        ))),
    }
}

/// Maps an error response to a send error.
fn refused(answer: &Answer) -> SendError {
    let error: Fault = answer.json().unwrap_or_default();
    let status = answer.status.as_u16();
    let reason = match &*error.error {
        "" => answer.detail(),
        error => format!("answered {status}: {}", short(error)),
    };
    let holds = |words: &[&str]| words.iter().any(|words| error.error.contains(words));
    match status {
        // Somebody has to solve a riddle for the account first.
        _ if !error.challenge_tokens.is_empty() || holds(&["CAPTCHA proof required"]) => {
            SendError::Unauthorized { reason }
        }
        400 if holds(&["Unregistered user", "Invalid group id"]) => {
            SendError::InvalidAddress { reason }
        }
        400 if holds(&["Untrusted Identity", "untrusted recipient keys"]) => {
            SendError::Unroutable { reason }
        }
        // This is the account itself.
        400 if holds(&["is not registered", "account does not exist"]) => {
            SendError::Unauthorized { reason }
        }
        400 if holds(&["Network failure", "Failed to send message"]) => {
            SendError::Unknown(reason.into())
        }
        _ => account_refusal(answer),
    }
}
