//! The HTTP server.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use redflash_http::BasePath;
use serde::Deserialize;

use super::duration;
use super::source::Source;
use crate::error::CliError;

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Server {
    pub(crate) listen: String,
    pub(crate) public_url: Option<String>,
    pub(crate) metrics_listen: Option<String>,
    pub(crate) max_connections: usize,
    pub(crate) max_body: usize,
    pub(crate) rate_per_key: Option<NonZeroU32>,
    #[serde(deserialize_with = "duration::deserialize")]
    pub(crate) header_timeout: Duration,
    #[serde(deserialize_with = "duration::deserialize")]
    pub(crate) body_timeout: Duration,
    #[serde(deserialize_with = "duration::deserialize")]
    pub(crate) connection_timeout: Duration,
    #[serde(deserialize_with = "duration::deserialize")]
    pub(crate) drain: Duration,
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
    /// Returns the URL of notification pages, to which an id is appended.
    pub(crate) fn notification_pages(&self) -> Option<String> {
        let url = self.public_url.as_deref()?;
        Some(format!("{}/admin/log/", url.trim_end_matches('/')))
    }

    /// Returns the URL of the web admin.
    ///
    /// * `listen` - the address and port to use without a public URL.
    pub(crate) fn admin_url(&self, listen: &str) -> String {
        if let Some(url) = &self.public_url {
            return format!("{}/admin", url.trim_end_matches('/'));
        }
        // Browsers store the session cookie only over HTTPS or on localhost.
        let port = listen.rsplit_once(':').map_or("", |(_, port)| port);
        format!("http://localhost:{port}/admin")
    }

    /// Rejects values that have the right type but are out of range.
    pub(super) fn check(&self, source: &Source<'_>) -> Result<(), CliError> {
        let check_address = |key: &str, text: &str| {
            text.parse::<SocketAddr>().map(drop).map_err(|_| {
                let reason =
                    format!("{text:?} is not an address and port, such as \"127.0.0.1:8025\"");
                source.key(key, &reason)
            })
        };
        check_address("server.listen", &self.listen)?;
        if let Some(listen) = &self.metrics_listen {
            check_address("server.metrics_listen", listen)?;
        }
        let connections = self.max_connections as u64;
        source.check_range("server.max_connections", connections, 1..=100_000)?;
        let body = 1024..=64 * 1024 * 1024;
        source.check_range("server.max_body", self.max_body as u64, body)?;
        let Some(url) = &self.public_url else {
            return Ok(());
        };
        if !(url.starts_with("https://") || url.starts_with("http://")) {
            let reason = "it must start with https:// or http://";
            return Err(source.key("server.public_url", reason));
        }
        BasePath::of(url)
            .map(drop)
            .map_err(|error| source.key("server.public_url", &error.to_string()))
    }
}
