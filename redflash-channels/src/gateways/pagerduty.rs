//! PagerDuty, Events API v2: the channel `pagerduty`.
//!
//! An address is the name of a service in the configuration, which maps to the routing key of an
//! integration of that service, or such a key itself: 32 letters and digits. If a key is the address,
//! every user who may read the directory can raise alerts there.
//!
//! Facts are from the vendor's `OpenAPI` description of the Events API v2 and its developer documentation
//! ("Send an Alert Event"). A message is an event that triggers an alert; its `dedup_key` is the
//! delivery's id, so that a repeat joins the existing alert. The answer 202 means that the event was
//! accepted, not that anyone was notified. A summary has up to 1024 characters, a `dedup_key` up to 255.
//! The rate limit applies to each routing key. The description does not cover the refusal of a wrong
//! routing key; its text is as observed.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use redflash_core::gateway::{Capabilities, Channel};
use redflash_core::message::{Accepted, OutboundMessage, SendError};
use redflash_core::model::{Address, AddressError, ChannelKind};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::json;
use url::Url;

use crate::ConfigError;
use crate::http::{Answer, Client, Guard, HttpOptions, Request, endpoint, room_refusal, short};
use crate::named_destinations::{NamedDestinations, parse_name};
use crate::text::truncate::{cut, one_line};

/// Configuration of PagerDuty.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PagerDutyConfig {
    /// The services by the names that endpoints use, each with its routing key, which is a secret;
    /// none by default.
    #[serde(default)]
    pub services: BTreeMap<String, SecretString>,
    /// The severity of alerts: `critical`, by default, `error`, `warning` or `info`.
    #[serde(default)]
    pub severity: Severity,
    /// The affected source that alerts name; `RedFlash` by default.
    #[serde(default = "source")]
    pub source: String,
    /// The base URL of the API; `https://events.pagerduty.com/v2` by default, and in the European region
    /// `https://events.eu.pagerduty.com/v2`.
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

/// The severity of an alert.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Critical.
    #[default]
    Critical,
    /// An error.
    Error,
    /// A warning.
    Warning,
    /// For information.
    Info,
}

fn source() -> String {
    "RedFlash".to_owned()
}

fn base_url() -> Url {
    Url::parse("https://events.pagerduty.com/v2").expect("it is a URL")
}

/// Maximum number of characters of a summary.
const LONGEST_SUMMARY: usize = 1024;

/// Raises alerts with PagerDuty.
pub struct PagerDuty {
    services: NamedDestinations,
    severity: Severity,
    source: String,
    url: Url,
    client: Client,
}

impl fmt::Debug for PagerDuty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PagerDuty")
            .field("url", &self.url.as_str())
            .field("services", &self.services)
            .field("severity", &self.severity)
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

/// The answer to an event.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct EventResponse {
    status: String,
    message: String,
    dedup_key: Option<String>,
    errors: Vec<String>,
}

impl PagerDuty {
    /// Creates a channel from its configuration.
    ///
    /// # Errors
    ///
    /// Returns a [`ConfigError`] that names the invalid key.
    pub fn new(config: PagerDutyConfig) -> Result<Self, ConfigError> {
        for (name, key) in &config.services {
            let at = format!("services.{name}");
            if is_key(name) {
                let reason = "a service's name must not look like a routing key";
                return Err(ConfigError::at(at, reason));
            }
            if !is_key(key.expose_secret()) {
                return Err(ConfigError::at(at, KEYS));
            }
        }
        if config.source.trim().is_empty() {
            return Err(ConfigError::at("source", "it must not be empty"));
        }
        Ok(Self {
            services: NamedDestinations::new("services", config.services)?,
            severity: config.severity,
            source: config.source,
            url: endpoint(&config.base_url, &["enqueue"])?,
            client: Client::new(Guard::open(), config.timeout, &config.http)?,
        })
    }

    fn routing_key<'a>(&'a self, to: &'a Address) -> Result<&'a str, SendError> {
        if is_key(to.as_str()) {
            return Ok(to.as_str());
        }
        Ok(self.services.secret(to)?.expose_secret())
    }
}

#[async_trait]
impl Channel for PagerDuty {
    fn kind(&self) -> ChannelKind {
        ChannelKind::parse("pagerduty").expect("it is a legal kind")
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            subject: true,
            idempotent: true,
            ..Capabilities::default()
        }
    }

    fn parse_address(&self, raw: &str) -> Result<Address, AddressError> {
        parse_address(raw)
    }

    /// Each integration has a limit of its own, and its key is revoked on its own.
    fn host<'a>(&self, address: &'a Address) -> Option<Cow<'a, str>> {
        (!is_key(address.as_str())).then(|| address.as_str().into())
    }

    async fn send(&self, message: &OutboundMessage) -> Result<Accepted, SendError> {
        let summary = one_line(&format!("{}: {}", message.subject, message.body));
        let document = json!({
            "routing_key": self.routing_key(&message.to)?,
            "event_action": "trigger",
            "dedup_key": message.delivery.to_string(),
            "client": "RedFlash",
            "payload": {
                "summary": cut(summary.trim_start_matches([':', ' ']), LONGEST_SUMMARY),
                "source": self.source,
                "severity": self.severity,
                "custom_details": { "subject": message.subject, "message": message.body },
            },
        });
        let request = Request::json(self.url.clone(), &document, message.at);
        let answer = self.client.send(request).await?;
        let response = answer.json::<EventResponse>().unwrap_or_default();
        if !answer.status.is_success() {
            return Err(refused(&response, &answer, &message.to));
        }
        if response.status != "success" {
            return Err(SendError::Unknown(answer.detail().into()));
        }
        Ok(Accepted {
            detail: short(&response.message),
            ..Accepted::new(response.dedup_key)
        })
    }
}

const KEYS: &str = "a routing key has 32 letters and digits";

fn is_key(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// Normalizes a routing key or the name of a service.
pub(crate) fn parse_address(raw: &str) -> Result<Address, AddressError> {
    let raw = raw.trim();
    if is_key(raw) {
        return Address::new(raw);
    }
    parse_name(raw)
}

/// Maps an error response to a send error.
fn refused(response: &EventResponse, answer: &Answer, to: &Address) -> SendError {
    let status = answer.status.as_u16();
    let errors = response.errors.join("; ");
    let words = errors.to_ascii_lowercase().replace('_', " ");
    if status != 400 || !words.contains("routing key") {
        return room_refusal(answer);
    }
    let reason = format!("answered {status}: {}", short(&errors));
    if is_key(to.as_str()) {
        SendError::InvalidAddress { reason }
    } else {
        SendError::Unauthorized { reason }
    }
}
