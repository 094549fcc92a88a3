//! Gotify, a self-hosted push server: the channel `gotify`.
//!
//! An address is the name of an application in the configuration, which maps to the token of an
//! application on the server. A message reaches every client of the application's owner.
//!
//! Facts are from the project's `docs/spec.json` of July 2026 (`POST /message`). A text is shown
//! unchanged, unless `extras` declare it as Markdown. The answer means that the server stored the
//! message, not that a phone received it. Gotify limits neither texts nor rates.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use redflash_core::gateway::{Capabilities, Channel};
use redflash_core::message::{Accepted, OutboundMessage, SendError};
use redflash_core::model::{Address, AddressError, ChannelKind};
use reqwest::header::HeaderName;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::ConfigError;
use crate::http::{
    Client, Guard, HttpOptions, Request, account_refusal_by_403, endpoint, secret_header,
};
use crate::named_destinations::{NamedDestinations, parse_name};

/// Configuration of Gotify.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GotifyConfig {
    /// The base URL of the server.
    pub base_url: Url,
    /// The applications by the names that endpoints use, each with its token, which is a secret.
    pub apps: BTreeMap<String, SecretString>,
    /// The priority of messages, from 0 to 10; the application's default if not set.
    #[serde(default)]
    pub priority: Option<u8>,
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

/// The header of a token.
const KEY: HeaderName = HeaderName::from_static("x-gotify-key");

/// Pushes with Gotify.
pub struct Gotify {
    url: Url,
    apps: NamedDestinations,
    priority: Option<u8>,
    client: Client,
}

impl fmt::Debug for Gotify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gotify")
            .field("url", &self.url.as_str())
            .field("apps", &self.apps)
            .field("priority", &self.priority)
            .finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct CreateMessage<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    title: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<u8>,
}

#[derive(Debug, Deserialize)]
struct CreatedMessage {
    id: u64,
}

impl Gotify {
    /// Creates a channel from its configuration.
    ///
    /// # Errors
    ///
    /// Returns a [`ConfigError`] that names the invalid key.
    pub fn new(config: GotifyConfig) -> Result<Self, ConfigError> {
        for (name, token) in &config.apps {
            secret_header(&format!("apps.{name}"), "", token)?;
        }
        let apps = NamedDestinations::new("apps", config.apps)?;
        if apps.is_empty() {
            return Err(ConfigError::at(
                "apps",
                "it must name at least one application",
            ));
        }
        if config.priority.is_some_and(|priority| priority > 10) {
            return Err(ConfigError::at("priority", "it must be from 0 to 10"));
        }
        Ok(Self {
            url: endpoint(&config.base_url, &["message"])?,
            apps,
            priority: config.priority,
            client: Client::new(Guard::open(), config.timeout, &config.http)?,
        })
    }
}

#[async_trait]
impl Channel for Gotify {
    fn kind(&self) -> ChannelKind {
        ChannelKind::parse("gotify").expect("it is a legal kind")
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            subject: true,
            ..Capabilities::default()
        }
    }

    fn parse_address(&self, raw: &str) -> Result<Address, AddressError> {
        parse_name(raw)
    }

    /// Each application's token is revoked on its own.
    fn host<'a>(&self, address: &'a Address) -> Option<Cow<'a, str>> {
        Some(address.as_str().into())
    }

    async fn send(&self, message: &OutboundMessage) -> Result<Accepted, SendError> {
        let token = secret_header("apps", "", self.apps.secret(&message.to)?);
        let token = token.expect("every token was checked");
        let document = CreateMessage {
            title: &message.subject,
            message: &message.body,
            priority: self.priority,
        };
        let request = Request::json(self.url.clone(), &document, message.at).header(KEY, token);
        let answer = self.client.send(request).await?;
        if !answer.status.is_success() {
            return Err(account_refusal_by_403(&answer));
        }
        match answer.json::<CreatedMessage>() {
            Some(created) => Ok(Accepted {
                detail: "pushed".to_owned(),
                ..Accepted::new(Some(created.id.to_string()))
            }),
            None => Err(SendError::Unknown(answer.detail().into())),
        }
    }
}
