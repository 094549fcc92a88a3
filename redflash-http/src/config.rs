//! The configuration of the HTTP server.

use std::num::NonZeroU32;
use std::time::Duration;

use redflash_core::gateway::Callbacks;
use redflash_core::message::Raise;
use redflash_core::model::Slug;

use crate::{LiveSettings, Metrics};

/// The configuration of the HTTP server. The defaults suit a small installation.
#[derive(Clone, Debug)]
pub struct HttpConfig {
    /// Time at which a raise is answered.
    pub mode: Mode,
    /// Maximum wait for the first attempts in [`Mode::Sync`].
    pub sync_wait: Duration,
    /// Maximum wait that a request may ask for with `?wait=`.
    pub max_wait: Duration,
    /// Maximum size of a body whose request has a valid key in its header or query, in bytes. Other
    /// bodies, and forms of the web admin, have at most 256 KiB.
    pub max_body: usize,
    /// Time limit for the head of a request, and for the start of the next one.
    pub header_timeout: Duration,
    /// Time limit for the body of a request.
    pub body_timeout: Duration,
    /// Maximum age of a connection, which closes after the request in progress at that time.
    pub connection_timeout: Duration,
    /// Maximum number of open connections; more wait to be accepted.
    pub max_connections: usize,
    /// Maximum number of alerts per key and second; `None` for no limit.
    pub rate_per_key: Option<NonZeroU32>,
    /// Time limit for requests in progress at shutdown.
    pub drain: Duration,
    /// Settings that can change while the server runs.
    pub settings: LiveSettings,
    /// The public URL of this server, over which vendors sign their callbacks. If it has a path, every
    /// URL is served both below that path and at the root.
    pub public_url: Option<String>,
    /// The metrics that `/metrics` shows.
    pub metrics: Option<Metrics>,
    /// The configuration of the web admin.
    pub admin: AdminConfig,
}

/// The configuration of the web admin.
#[derive(Clone, Debug, Default)]
pub struct AdminConfig {
    /// The OpenID provider through which users can log in.
    #[cfg(feature = "oidc")]
    pub oidc: Option<crate::OidcConfig>,
}

impl HttpConfig {
    /// Returns the means by which the callbacks of a gateway are authenticated.
    pub(crate) fn callbacks(&self, gateway: &Slug) -> Callbacks<'_> {
        let settings = self.settings.get();
        let secrets = settings.callback_secrets.get(gateway);
        Callbacks {
            public_url: self.public_url.as_deref(),
            has_secret: secrets.is_some_and(|secrets| !secrets.is_empty()),
        }
    }
}

/// The time at which a raise is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// As soon as the alert is on disk.
    #[default]
    Async,
    /// After the first attempt of every delivery.
    Sync,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            mode: Mode::Async,
            sync_wait: Duration::from_secs(10),
            max_wait: Duration::from_secs(60),
            max_body: Raise::MAX_CONTENT,
            header_timeout: Duration::from_secs(8),
            body_timeout: Duration::from_secs(15),
            connection_timeout: Duration::from_secs(300),
            max_connections: 1024,
            rate_per_key: None,
            drain: Duration::from_secs(10),
            settings: LiveSettings::default(),
            public_url: None,
            metrics: None,
            admin: AdminConfig::default(),
        }
    }
}
