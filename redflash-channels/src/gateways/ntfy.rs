//! ntfy, self-hosted or on ntfy.sh: the channel `ntfy`.
//!
//! An address is a topic: 1 to 64 characters of `A-Z a-z 0-9 - _`, case-sensitive.
//!
//! Facts are from the project's `docs/publish.md` ("Publish as JSON", "Limitations") and its
//! `server/errors.go` of July 2025. A message is JSON, so that its title may have any character. It is
//! shown unchanged, since `markdown` is not set. It has up to 4096 bytes; a longer one would become an
//! attachment. The answer means that the message was published to its topic, not that a phone received
//! it. ntfy sends no `Retry-After`. Later versions can replace a message by a name that it was given;
//! that does not guarantee a silent repeat, so it is not used.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use redflash_core::gateway::{Capabilities, Channel};
use redflash_core::message::{Accepted, OutboundMessage, SendError};
use redflash_core::model::{Address, AddressError, ChannelKind};
use reqwest::header::{AUTHORIZATION, HeaderValue};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::ConfigError;
use crate::http::{
    Answer, Client, Guard, HttpOptions, Request, account_refusal, basic, endpoint, secret_header,
    short,
};
use crate::text::truncate::{cut, cut_bytes, noting_cut};

/// Configuration of ntfy.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NtfyConfig {
    /// The base URL of the server; `https://ntfy.sh` by default.
    #[serde(default = "base_url")]
    pub base_url: Url,
    /// An access token, `tk_…`, instead of a user and password; none by default.
    #[serde(default)]
    pub token: Option<SecretString>,
    /// The user.
    #[serde(default)]
    pub username: Option<String>,
    /// The user's password.
    #[serde(default)]
    pub password: Option<SecretString>,
    /// The priority of messages, from 1 to 5; the server's default, 3, if not set.
    #[serde(default)]
    pub priority: Option<u8>,
    /// Tags of each message, some of which are shown as an emoji; none by default.
    #[serde(default)]
    pub tags: Vec<String>,
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
    Url::parse("https://ntfy.sh").expect("it is a URL")
}

/// Maximum number of bytes of a message.
const LONGEST: usize = 4096;
/// Maximum number of characters of a title.
const LONGEST_TITLE: usize = 250;

/// Publishes with ntfy.
pub struct Ntfy {
    url: Url,
    authorization: Option<HeaderValue>,
    priority: Option<u8>,
    tags: Vec<String>,
    client: Client,
}

impl fmt::Debug for Ntfy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ntfy")
            .field("url", &self.url.as_str())
            .field("priority", &self.priority)
            .field("tags", &self.tags)
            .finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct PublishRequest<'a> {
    topic: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    title: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<u8>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    tags: &'a [String],
}

#[derive(Debug, Deserialize)]
struct PublishResponse {
    id: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ErrorBody {
    code: u32,
    error: String,
}

impl Ntfy {
    /// Creates a channel from its configuration.
    ///
    /// # Errors
    ///
    /// Returns a [`ConfigError`] that names the invalid key.
    pub fn new(config: NtfyConfig) -> Result<Self, ConfigError> {
        let url = endpoint(&config.base_url, &[])?;
        let authorization = match (&config.token, &config.username, &config.password) {
            (None, None, None) => None,
            (Some(token), None, None) => Some(secret_header("token", "Bearer ", token)?),
            (None, Some(user), Some(password)) if !user.contains(':') => {
                Some(basic(user, password))
            }
            (None, Some(_), Some(_)) => {
                return Err(ConfigError::at("username", "it must not contain a colon"));
            }
            (None, Some(_), None) => {
                return Err(ConfigError::at("password", "a username needs a password"));
            }
            (None, None, Some(_)) => {
                return Err(ConfigError::at("username", "a password needs a username"));
            }
            (Some(_), ..) => {
                let reason = "give a token, or a username with a password, not both";
                return Err(ConfigError::at("token", reason));
            }
        };
        if config.priority.is_some_and(|p| !(1..=5).contains(&p)) {
            return Err(ConfigError::at("priority", "it must be from 1 to 5"));
        }
        Ok(Self {
            url,
            authorization,
            priority: config.priority,
            tags: config.tags,
            client: Client::new(Guard::open(), config.timeout, &config.http)?,
        })
    }
}

#[async_trait]
impl Channel for Ntfy {
    fn kind(&self) -> ChannelKind {
        ChannelKind::parse("ntfy").expect("it is a legal kind")
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
        let text = cut_bytes(&message.body, LONGEST);
        let document = PublishRequest {
            topic: message.to.as_str(),
            title: &cut(&message.subject, LONGEST_TITLE),
            message: &text,
            priority: self.priority,
            tags: &self.tags,
        };
        let mut request = Request::json(self.url.clone(), &document, message.at);
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization.clone());
        }
        let answer = self.client.send(request).await?;
        if !answer.status.is_success() {
            return Err(refused(&answer));
        }
        match answer.json::<PublishResponse>() {
            Some(published) => Ok(Accepted {
                detail: noting_cut("published", &message.body, &text),
                ..Accepted::new(Some(published.id))
            }),
            None => Err(SendError::Unknown(answer.detail().into())),
        }
    }
}

/// Checks a topic.
pub(crate) fn parse_address(raw: &str) -> Result<Address, AddressError> {
    let topic = raw.trim();
    let legal = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if !(1..=64).contains(&topic.len()) || !topic.bytes().all(legal) {
        let reason = format!(
            "{raw:?} is not a valid topic: use 1 to 64 characters of A-Z, a-z, 0-9, - and _"
        );
        return Err(AddressError::new(reason));
    }
    Address::new(topic)
}

/// Maps an error code, which is the status and two digits, to a send error.
fn refused(answer: &Answer) -> SendError {
    let error: ErrorBody = answer.json().unwrap_or_default();
    let reason = match error.code {
        0 => answer.detail(),
        code => format!("{code}: {}", short(&error.error)),
    };
    match error.code {
        // The topic is invalid, or not allowed.
        40009 | 40010 => SendError::InvalidAddress { reason },
        // The account may not write to this topic.
        40301 => SendError::Unroutable { reason },
        // The daily quota is used up.
        42908 => SendError::Refused { reason },
        // Too many failed logins.
        42909 => SendError::Unauthorized { reason },
        _ => account_refusal(answer),
    }
}
