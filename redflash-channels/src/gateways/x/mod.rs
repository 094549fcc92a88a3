//! Direct messages of X (formerly Twitter), `POST /2/dm_conversations/with/:id/messages`: the channel
//! `x`.
//!
//! Facts are from the vendor's documents of August 2026 (the `OpenAPI` description 2.167, the pages on
//! direct messages, rate limits, and response codes); codes of older errors are from its former page
//! "Response codes". The maximum length of a text, 10000 characters, is from its former documents. Posts
//! that repeat the previous one are refused with code 187; whether direct messages are is not certain.
//!
//! Messages cost money, the limits are 15 per quarter of an hour and 1440 per day, and the recipient must
//! follow the sender or accept messages from everyone. So do not rely on this channel alone.
//!
//! A message goes to an id. The id of a name is looked up before its first message, and again once a
//! day, since names can change owners.

mod error;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use redflash_core::clock::Timestamp;
use redflash_core::gateway::Channel;
use redflash_core::message::{Accepted, OutboundMessage, SendError};
use redflash_core::model::{Address, AddressError, ChannelKind};
use reqwest::header::AUTHORIZATION;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;
use url::Url;

use self::error::{Problem, account_refused, limited, refused};
use crate::ConfigError;
use crate::crypto::oauth1::Credentials;
use crate::http::{Answer, Client, Guard, HttpOptions, Request, account_refusal, endpoint};
use crate::text::truncate::{cut, noting_cut};

/// Configuration of an X account.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct XConfig {
    /// The key of the app, which needs the permission "Read and write and Direct message".
    pub consumer_key: String,
    /// The secret of the app.
    pub consumer_secret: SecretString,
    /// The token of the account that sends.
    pub access_token: SecretString,
    /// The secret of that token.
    pub access_token_secret: SecretString,
    /// The base URL of the API; `https://api.x.com` by default.
    #[serde(default = "base_url")]
    pub base_url: Url,
    /// The time limit of a delivery; 10 s by default. Looking up the id of a name may take up to half of
    /// it.
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
    Url::parse("https://api.x.com").expect("it is a URL")
}

/// Maximum number of characters of a text.
const LONGEST: usize = 10_000;
/// Maximum number of cached names.
const MAX_NAMES: usize = 1000;
/// Lifetime of a cached name, in milliseconds.
const NAME_LIFETIME: i64 = 24 * 60 * 60 * 1000;

/// Sends direct messages.
pub struct X {
    base_url: Url,
    credentials: Credentials,
    client: Client,
    timeout: Duration,
    /// The ids of names, and the times of their look-up.
    ids: Mutex<HashMap<String, (String, Timestamp)>>,
}

impl fmt::Debug for X {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("X")
            .field("base_url", &self.base_url.as_str())
            .finish_non_exhaustive()
    }
}

/// The response to an accepted message.
#[derive(Deserialize)]
struct SendResponse {
    data: Event,
}

#[derive(Deserialize)]
struct Event {
    dm_event_id: String,
}

/// The response to a look-up.
#[derive(Deserialize)]
struct UserResponse {
    data: User,
}

#[derive(Deserialize)]
struct User {
    id: String,
}

impl X {
    /// Creates a channel from its configuration.
    ///
    /// # Errors
    ///
    /// Returns a [`ConfigError`] that names the invalid key.
    pub fn new(config: XConfig) -> Result<Self, ConfigError> {
        for (key, text) in [
            ("consumer_key", &*config.consumer_key),
            ("consumer_secret", config.consumer_secret.expose_secret()),
            ("access_token", config.access_token.expose_secret()),
            (
                "access_token_secret",
                config.access_token_secret.expose_secret(),
            ),
        ] {
            if text.is_empty() {
                return Err(ConfigError::at(key, "it must not be empty"));
            }
        }
        endpoint(&config.base_url, &[])?;
        Ok(Self {
            base_url: config.base_url,
            credentials: Credentials {
                consumer_key: config.consumer_key,
                consumer_secret: config.consumer_secret,
                token: config.access_token,
                token_secret: config.access_token_secret,
            },
            client: Client::new(Guard::open(), config.timeout, &config.http)?,
            timeout: config.timeout,
            ids: Mutex::default(),
        })
    }

    /// Returns the URL of an API call.
    fn url(&self, segments: &[&str]) -> Url {
        endpoint(&self.base_url, segments).expect("the base was checked")
    }

    /// Signs a request. No two requests of an attempt share a nonce.
    fn signed(&self, request: Request, message: &OutboundMessage) -> Request {
        let nonce = format!("{}{}{}", message.delivery, message.attempt, request.method);
        let seconds = message.at.as_millis().div_euclid(1000);
        let method = request.method.as_str();
        let header = self
            .credentials
            .header(method, &request.url, &nonce, seconds);
        request.header(AUTHORIZATION, header)
    }

    /// Returns the id of the recipient.
    async fn recipient(&self, message: &OutboundMessage) -> Result<String, SendError> {
        let Some(name) = message.to.as_str().strip_prefix('@') else {
            return Ok(message.to.as_str().to_owned());
        };
        if let Some(id) = self.cached(name, message.at) {
            return Ok(id);
        }
        let url = self.url(&["2", "users", "by", "username", name]);
        let request = self.signed(Request::get(url, message.at), message);
        // The message gets the other half of the time.
        let client = self.client.within(self.timeout / 2);
        let answer = client.send(request).await.map_err(not_sent)?;
        let id = user_id(name, &answer, message.at)?;
        self.cache(name, &id, message.at);
        Ok(id)
    }

    fn cached(&self, name: &str, now: Timestamp) -> Option<String> {
        let ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        let (id, since) = ids.get(name)?;
        let age = now.as_millis() - since.as_millis();
        (0..NAME_LIFETIME).contains(&age).then(|| id.clone())
    }

    fn cache(&self, name: &str, id: &str, now: Timestamp) {
        let mut ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        if ids.len() >= MAX_NAMES {
            // With a price for each message, no one uses this many names: start over.
            ids.clear();
        }
        ids.insert(name.to_owned(), (id.to_owned(), now));
    }

    fn forget(&self, address: &Address) {
        if let Some(name) = address.as_str().strip_prefix('@') {
            let mut ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
            ids.remove(name);
        }
    }
}

/// Converts the error of a look-up: whatever its outcome, no message has been sent.
fn not_sent(error: SendError) -> SendError {
    match error {
        SendError::Unknown(cause) => SendError::Unreachable(cause),
        error => error,
    }
}

/// Returns the id in the response to a look-up.
fn user_id(name: &str, answer: &Answer, now: Timestamp) -> Result<String, SendError> {
    let problem: Problem = answer.json().unwrap_or_default();
    if !answer.status.is_success() {
        let of_all = limited(answer, &problem, now).or_else(|| account_refused(answer, &problem));
        return Err(of_all.unwrap_or_else(|| not_sent(account_refusal(answer))));
    }
    if let Some(UserResponse { data }) = answer.json() {
        let legal =
            (1..=19).contains(&data.id.len()) && data.id.bytes().all(|b| b.is_ascii_digit());
        if legal {
            return Ok(data.id);
        }
    } else if problem.is_some() {
        // The user does not exist, or was suspended.
        let reason = format!("@{name}: {}", problem.summary());
        return Err(SendError::InvalidAddress { reason });
    }
    let reason = format!("the lookup of @{name} {}", answer.detail());
    Err(SendError::Unreachable(reason.into()))
}

#[async_trait]
impl Channel for X {
    fn kind(&self) -> ChannelKind {
        ChannelKind::parse("x").expect("it is a channel")
    }

    fn parse_address(&self, raw: &str) -> Result<Address, AddressError> {
        parse_address(raw)
    }

    async fn send(&self, message: &OutboundMessage) -> Result<Accepted, SendError> {
        let begun = Instant::now();
        let id = self.recipient(message).await?;
        let rest = self.timeout.saturating_sub(begun.elapsed());
        let text = cut(&message.body, LONGEST);
        let url = self.url(&["2", "dm_conversations", "with", &id, "messages"]);
        let request = Request::json(url, &json!({ "text": text }), message.at);
        let client = self.client.within(rest);
        let answer = client.send(self.signed(request, message)).await?;
        let detail = noting_cut("accepted", &message.body, &text);
        if answer.status.is_success() {
            let response: Option<SendResponse> = answer.json();
            let response = response.ok_or_else(|| SendError::Unknown(answer.detail().into()))?;
            return Ok(Accepted {
                detail,
                ..Accepted::new(Some(response.data.dm_event_id))
            });
        }
        let problem: Problem = answer.json().unwrap_or_default();
        if problem.is_duplicate() && message.attempt > 1 {
            // An earlier attempt was accepted, although its response was lost.
            return Ok(Accepted {
                detail: format!("already accepted before: {}", problem.summary()),
                ..Accepted::new(None)
            });
        }
        let error = refused(&answer, &problem, message.at);
        if matches!(error, SendError::InvalidAddress { .. }) {
            self.forget(&message.to);
        }
        Err(error)
    }
}

/// Normalizes an address: `@name` in lower case, since names are case-insensitive, or a numeric id. A name
/// of digits needs its `@`.
pub(crate) fn parse_address(raw: &str) -> Result<Address, AddressError> {
    let text = raw.trim();
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    if digits && (1..=19).contains(&text.len()) && !text.starts_with('0') {
        return Address::new(text);
    }
    let name = text.strip_prefix('@');
    let is_name = |name: &&str| {
        (1..=15).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    let name = name.or_else(|| (!digits).then_some(text)).filter(is_name);
    match name {
        Some(name) => Address::new(format!("@{}", name.to_ascii_lowercase())),
        None => Err(AddressError::new(format!(
            "{raw:?} is not an X account: use its name, such as @redflash_ops, or its numeric ID"
        ))),
    }
}
