//! Matrix: the channel `matrix`.
//!
//! An address is the id of a room, `!opaque:example.org` or, in newer rooms, `!opaque` alone. Aliases
//! (`#ops:example.org`) are not accepted, since they can come to mean another room. The account must have
//! joined the room. A room with end-to-end encryption shows these messages as not encrypted, or not at
//! all.
//!
//! Facts are from the specification of the client-server API 1.16 (`PUT …/send/{eventType}/{txnId}`,
//! "Standard error response", "Rate limiting", "Size limits", `m.mentions`). The transaction id is
//! the delivery's: the server recognizes a repeat with the same access token and answers with the
//! existing event, so a repeat arrives once. The answer names the event in the room, which counts as
//! delivered. A text has no `formatted_body`, so nothing in it is markup, and empty `m.mentions` notify
//! nobody. An event has up to 65,536 bytes.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use redflash_core::gateway::{Capabilities, Channel};
use redflash_core::message::{Accepted, OutboundMessage, SendError};
use redflash_core::model::{Address, AddressError, ChannelKind};
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;
use url::Url;

use crate::ConfigError;
use crate::http::{
    Answer, Client, Guard, HttpOptions, Request, account_refusal, endpoint, secret_header, short,
};
use crate::text::truncate::{cut_bytes, noting_cut};

/// Configuration of an account at a Matrix server.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MatrixConfig {
    /// The base URL of the server, such as `https://matrix.example.org`.
    pub base_url: Url,
    /// The account's access token.
    pub access_token: SecretString,
    /// The time limit of a request; 15 s by default.
    #[serde(default = "timeout", with = "crate::text::duration")]
    pub timeout: Duration,
    /// The proxy and the certificates of its connections.
    #[serde(skip)]
    pub http: HttpOptions,
}

const fn timeout() -> Duration {
    Duration::from_secs(15)
}

/// Maximum number of bytes of a text, which fits into an event even if each has to be escaped.
const LONGEST: usize = 30_000;

/// Sends into rooms of Matrix.
pub struct Matrix {
    base_url: Url,
    authorization: HeaderValue,
    client: Client,
}

impl fmt::Debug for Matrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Matrix")
            .field("base_url", &self.base_url.as_str())
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Deserialize)]
struct SendResponse {
    event_id: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ErrorBody {
    errcode: String,
    error: String,
    retry_after_ms: Option<u64>,
}

impl Matrix {
    /// Creates a channel from its configuration.
    ///
    /// # Errors
    ///
    /// Returns a [`ConfigError`] that names the invalid key.
    pub fn new(config: MatrixConfig) -> Result<Self, ConfigError> {
        endpoint(&config.base_url, &[])?;
        Ok(Self {
            authorization: secret_header("access_token", "Bearer ", &config.access_token)?,
            base_url: config.base_url,
            client: Client::new(Guard::open(), config.timeout, &config.http)?,
        })
    }

    /// Returns the URL of a message, with the room's id escaped.
    fn url(&self, message: &OutboundMessage) -> Url {
        let delivery = message.delivery.to_string();
        let segments = [
            "_matrix",
            "client",
            "v3",
            "rooms",
            message.to.as_str(),
            "send",
            "m.room.message",
            &delivery,
        ];
        endpoint(&self.base_url, &segments).expect("the base was checked")
    }
}

#[async_trait]
impl Channel for Matrix {
    fn kind(&self) -> ChannelKind {
        ChannelKind::parse("matrix").expect("it is a legal kind")
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            idempotent: true,
            ..Capabilities::default()
        }
    }

    fn parse_address(&self, raw: &str) -> Result<Address, AddressError> {
        parse_address(raw)
    }

    async fn send(&self, message: &OutboundMessage) -> Result<Accepted, SendError> {
        let text = cut_bytes(&message.body, LONGEST);
        let document = json!({ "msgtype": "m.text", "body": text, "m.mentions": {} });
        let request = Request::json(self.url(message), &document, message.at)
            .method(Method::PUT)
            .header(AUTHORIZATION, self.authorization.clone());
        let answer = self.client.send(request).await?;
        if !answer.status.is_success() {
            return Err(refused(&answer));
        }
        match answer.json::<SendResponse>() {
            Some(sent) => Ok(Accepted {
                delivered: true,
                detail: noting_cut("sent", &message.body, &text),
                ..Accepted::new(Some(sent.event_id))
            }),
            None => Err(SendError::Unknown(answer.detail().into())),
        }
    }
}

/// Checks a room's id.
pub(crate) fn parse_address(raw: &str) -> Result<Address, AddressError> {
    let id = raw.trim();
    let refuse = |reason: &str| Err(AddressError::new(reason));
    if id.starts_with('#') {
        return refuse(
            "an alias can come to mean another room: use the room's ID, shown in the room's settings",
        );
    }
    let opaque = id.strip_prefix('!').unwrap_or_default();
    if opaque.is_empty() || opaque.starts_with(':') || opaque.ends_with(':') {
        return refuse("a Matrix room ID is ! and letters, such as !AbCdEf:example.org");
    }
    if id.len() > 255 || id.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return refuse("a Matrix room ID has up to 255 bytes and no whitespace");
    }
    Address::new(id)
}

/// Maps an error response to a send error.
fn refused(answer: &Answer) -> SendError {
    let error: ErrorBody = answer.json().unwrap_or_default();
    let reason = match &*error.errcode {
        "" => answer.detail(),
        code => format!("{}: {}", short(code), short(&error.error)),
    };
    match &*error.errcode {
        "M_LIMIT_EXCEEDED" => SendError::RateLimited {
            reason,
            retry_after: answer
                .retry_after
                .or(error.retry_after_ms.map(Duration::from_millis)),
        },
        // The account is not in the room, or may not write there.
        "M_FORBIDDEN" => SendError::Unroutable { reason },
        "M_NOT_FOUND" => SendError::InvalidAddress { reason },
        "M_UNKNOWN_TOKEN"
        | "M_MISSING_TOKEN"
        | "M_USER_DEACTIVATED"
        | "M_USER_LOCKED"
        | "M_USER_SUSPENDED"
        | "M_CONSENT_NOT_GIVEN"
        | "M_RESOURCE_LIMIT_EXCEEDED"
        | "ORG_MATRIX_EXPIRED_ACCOUNT" => SendError::Unauthorized { reason },
        _ => account_refusal(answer),
    }
}
