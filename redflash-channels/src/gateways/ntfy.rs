//! ntfy, on a server of one's own or on ntfy.sh: the channel `ntfy`.
//!
//! An address is a topic: 1 to 64 of `A-Z a-z 0-9 - _`, where upper and lower case differ.
//!
//! Facts are from the project's `docs/publish.md` ("Publish as JSON", "Limitations") and its
//! `server/errors.go` of July 2025. A message is JSON, so that its title may hold any character; it
//! is shown as it is, as `markdown` is left out. It has up to 4096 bytes; a longer one would become
//! an attachment. The answer says that the message stands in its topic, not that a telephone has it.
//! ntfy says with no header how long to wait. Later versions can replace a message by a name that it
//! was given; that is no promise that a repeat is silent, so it is not used.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use redflash_core::{
    Accepted, Address, AddressError, Capabilities, Channel, ChannelKind, OutboundMessage, SendError,
};
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
    /// An access token, `tk_…`, in the place of a user with a password; neither by default.
    #[serde(default)]
    pub token: Option<SecretString>,
    /// The user.
    #[serde(default)]
    pub username: Option<String>,
    /// The user's password.
    #[serde(default)]
    pub password: Option<SecretString>,
    /// How urgent messages are, from 1 to 5; the server's choice, 3, by default.
    #[serde(default)]
    pub priority: Option<u8>,
    /// Tags of each message, of which some are shown as an emoji; none by default.
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

/// As many bytes as a message may have.
const LONGEST: usize = 4096;
/// As many characters of a title as are kept.
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

/// What is published.
#[derive(Serialize)]
struct Publication<'a> {
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
struct Published {
    id: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Fault {
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
                return Err(ConfigError::at("username", "it must not hold a colon"));
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
        let document = Publication {
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
        match answer.json::<Published>() {
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
        let reason = format!("{raw:?} is no topic: it has 1 to 64 of A-Z, a-z, 0-9, - and _");
        return Err(AddressError::new(reason));
    }
    Address::new(topic)
}

/// The table of error codes: the status and two digits.
fn refused(answer: &Answer) -> SendError {
    let error: Fault = answer.json().unwrap_or_default();
    let reason = match error.code {
        0 => answer.detail(),
        code => format!("{code}: {}", short(&error.error)),
    };
    match error.code {
        // The topic is invalid, or not allowed.
        40009 | 40010 => SendError::InvalidAddress { reason },
        // We are known, but may not write to this topic.
        40301 => SendError::Unroutable { reason },
        // The messages of the day are used up.
        42908 => SendError::Refused { reason },
        // Too many logins that failed.
        42909 => SendError::Unauthorized { reason },
        _ => account_refusal(answer),
    }
}
