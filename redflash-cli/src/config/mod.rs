//! The configuration: built-in defaults, under a file, under the environment, under options.

mod admin;
mod environment;
#[cfg(test)]
mod example;
mod fault;
mod load;
pub(crate) mod log_filter;
mod reason;
mod twin;

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use jiff::SignedDuration;
use redflash_channels::Configured;
use redflash_core::Slug;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, de::Error as _};

pub(crate) use admin::{Admin, Oidc};
pub(crate) use environment::variable;
pub(crate) use load::load;

/// A complete example, the same as what counts when nothing is configured.
pub(crate) const EXAMPLE: &str = include_str!("../../../redflash.example.toml");

/// Settings from the command line and `REDFLASH_CONFIG`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Overrides {
    pub(crate) config: Option<PathBuf>,
    pub(crate) database: Option<String>,
}

/// The configuration, and where it comes from.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) config: Config,
    pub(crate) gateways: Vec<Configured>,
    /// The file; `None` for the built-in defaults.
    pub(crate) file: Option<PathBuf>,
    /// What is no error, and still should be known.
    pub(crate) warnings: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) database: DatabaseUrl,
    pub(crate) database_file: Option<PathBuf>,
    pub(crate) postgres: Postgres,
    pub(crate) server: Server,
    pub(crate) delivery: Delivery,
    pub(crate) log: Log,
    pub(crate) callbacks: Callbacks,
    pub(crate) inbound: Inbound,
    pub(crate) alarm: Alarm,
    pub(crate) sms: Sms,
    pub(crate) admin: Admin,
}

/// Text messages, whichever gateway sends them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Sms {
    /// The beginnings of numbers of premium rate, which are refused.
    pub(crate) premium_prefixes: Vec<String>,
}

/// Where everything is kept. It may hold a password.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct DatabaseUrl(pub(crate) SecretString);

impl DatabaseUrl {
    /// The URL without who logs in, and how.
    pub(crate) fn shown(&self) -> String {
        let url = self.0.expose_secret();
        // Parameters can hold a password too.
        let url = url.split_once('?').map_or(url, |(place, _)| place);
        match (url.split_once("://"), url.rsplit_once('@')) {
            (Some((scheme, _)), Some((_, place))) => format!("{scheme}://…@{place}"),
            _ => url.to_owned(),
        }
    }
}

impl PartialEq for DatabaseUrl {
    fn eq(&self, other: &Self) -> bool {
        self.0.expose_secret() == other.0.expose_secret()
    }
}

impl Eq for DatabaseUrl {}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Postgres {
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) connections: usize,
    #[serde(deserialize_with = "duration")]
    pub(crate) timeout: Duration,
}

impl Default for Postgres {
    fn default() -> Self {
        let config = redflash_store::PostgresConfig::new("");
        Self {
            ca_file: config.ca_file,
            connections: config.connections,
            timeout: config.timeout,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Server {
    pub(crate) listen: String,
    pub(crate) public_url: Option<String>,
    pub(crate) metrics_listen: Option<String>,
    pub(crate) max_connections: usize,
    pub(crate) max_body: usize,
    pub(crate) rate_per_key: Option<NonZeroU32>,
    #[serde(deserialize_with = "duration")]
    pub(crate) header_timeout: Duration,
    #[serde(deserialize_with = "duration")]
    pub(crate) body_timeout: Duration,
    #[serde(deserialize_with = "duration")]
    pub(crate) connection_timeout: Duration,
    #[serde(deserialize_with = "duration")]
    pub(crate) drain: Duration,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Delivery {
    pub(crate) mode: Mode,
    #[serde(deserialize_with = "duration")]
    pub(crate) sync_wait: Duration,
    pub(crate) max_queued: u64,
    #[serde(deserialize_with = "duration")]
    pub(crate) lease: Duration,
    #[serde(deserialize_with = "age")]
    pub(crate) keep_log: Option<Duration>,
}

/// What gateways call us for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Callbacks {
    pub(crate) default_gateway: Option<Slug>,
}

/// What people send back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Inbound {
    pub(crate) event: Option<Slug>,
}

/// Who is told what happens to the gateways themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Alarm {
    pub(crate) contact: Option<Slug>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mode {
    Async,
    Sync,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Log {
    pub(crate) level: String,
    pub(crate) format: LogFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    Text,
    Json,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            database: DatabaseUrl("sqlite:redflash.db".into()),
            database_file: None,
            postgres: Postgres::default(),
            server: Server::default(),
            delivery: Delivery::default(),
            log: Log::default(),
            callbacks: Callbacks::default(),
            inbound: Inbound::default(),
            alarm: Alarm::default(),
            sms: Sms::default(),
            admin: Admin::default(),
        }
    }
}

impl Default for Server {
    fn default() -> Self {
        let http = redflash_http::HttpConfig::default();
        Self {
            listen: "127.0.0.1:8025".into(),
            public_url: None,
            metrics_listen: None,
            max_connections: http.max_connections,
            max_body: http.max_body,
            rate_per_key: None,
            header_timeout: http.header_timeout,
            body_timeout: http.body_timeout,
            connection_timeout: http.connection_timeout,
            drain: http.drain,
        }
    }
}

impl Server {
    /// The URL of the pages of notifications, to which an id is added.
    pub(crate) fn notification_pages(&self) -> Option<String> {
        let url = self.public_url.as_deref()?;
        Some(format!("{}/admin/log/", url.trim_end_matches('/')))
    }

    /// Where people look after everything in a browser.
    ///
    /// * `listen` - the address and port, should nothing say how others see the server.
    pub(crate) fn admin_url(&self, listen: &str) -> String {
        if let Some(url) = &self.public_url {
            return format!("{}/admin", url.trim_end_matches('/'));
        }
        // Browsers keep the cookie of a session only over TLS, or on this machine.
        let port = listen.rsplit_once(':').map_or("", |(_, port)| port);
        format!("http://localhost:{port}/admin")
    }
}

impl Default for Sms {
    fn default() -> Self {
        let prefixes = redflash_core::EngineBuilder::PREMIUM_PREFIXES;
        Self {
            premium_prefixes: prefixes.map(str::to_owned).to_vec(),
        }
    }
}

impl Default for Delivery {
    fn default() -> Self {
        Self {
            mode: Mode::Async,
            sync_wait: redflash_http::HttpConfig::default().sync_wait,
            max_queued: redflash_core::EngineBuilder::MAX_QUEUED,
            lease: redflash_core::EngineBuilder::LEASE,
            keep_log: None,
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self {
            level: "info".into(),
            format: LogFormat::Text,
        }
    }
}

/// An age in the configuration, in days and hours.
fn age<'de, D: Deserializer<'de>>(reader: D) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(reader)?;
    let parsed = crate::command::log::age(&text).map_err(D::Error::custom)?;
    Ok(Some(parsed))
}

/// A length of time in the configuration: from a millisecond to a day.
fn duration<'de, D: Deserializer<'de>>(reader: D) -> Result<Duration, D::Error> {
    const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
    let text = String::deserialize(reader)?;
    let wrong = || {
        let reason = format!("{text:?} is no length of time from 1ms to 24h, such as \"10s\"");
        D::Error::custom(reason)
    };
    let parsed: SignedDuration = text.parse().map_err(|_| wrong())?;
    let parsed = Duration::try_from(parsed).map_err(|_| wrong())?;
    if parsed.is_zero() || parsed > LONGEST {
        return Err(wrong());
    }
    Ok(parsed)
}
