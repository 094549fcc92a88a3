//! Gotify, a push server of one's own: the channel `gotify`.
//!
//! An address is the name of an application of the configuration, which stands for the token of an
//! application on the server; a message reaches every client of the application's owner.
//!
//! Facts are from the project's `docs/spec.json` of July 2026 (`POST /message`). A text is shown as it
//! is, unless `extras` say that it is Markdown. The answer says that the server keeps the message, not
//! that a telephone has it. Gotify has no limit of its own, neither of a text nor of a rate.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use redflash_core::{
    Accepted, Address, AddressError, Capabilities, Channel, ChannelKind, OutboundMessage, SendError,
};
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
    /// Where the server is.
    pub base_url: Url,
    /// The applications by the names that endpoints use, each with its token, which is a secret.
    pub apps: BTreeMap<String, SecretString>,
    /// How urgent messages are, from 0 to 10; the application's own choice by default.
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
struct Push<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    title: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<u8>,
}

#[derive(Debug, Deserialize)]
struct Pushed {
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
        let document = Push {
            title: &message.subject,
            message: &message.body,
            priority: self.priority,
        };
        let request = Request::json(self.url.clone(), &document, message.at).header(KEY, token);
        let answer = self.client.send(request).await?;
        if !answer.status.is_success() {
            return Err(account_refusal_by_403(&answer));
        }
        match answer.json::<Pushed>() {
            Some(pushed) => Ok(Accepted {
                detail: "pushed".to_owned(),
                ..Accepted::new(Some(pushed.id.to_string()))
            }),
            None => Err(SendError::Unknown(answer.detail().into())),
        }
    }
}
