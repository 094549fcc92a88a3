//! How the server behaves.

use std::num::NonZeroU32;
use std::time::Duration;

use redflash_core::{Callbacks, Raise, Slug};

use crate::{LiveSettings, Metrics};

/// How the server behaves. Every bound has a default that suits a small installation.
#[derive(Clone, Debug)]
pub struct HttpConfig {
    /// Whether an answer waits for the first attempts.
    pub mode: Mode,
    /// How long an answer waits in [`Mode::Sync`].
    pub sync_wait: Duration,
    /// The longest wait that a request may ask for with `?wait=`.
    pub max_wait: Duration,
    /// The largest body of a request with a valid key in its header or query, in bytes. Of others,
    /// and of forms of the web admin, at most 256 KiB are read.
    pub max_body: usize,
    /// How long a client may take to send a request's head, or to begin its next request.
    pub header_timeout: Duration,
    /// How long a client may take to send a request's body.
    pub body_timeout: Duration,
    /// How long a connection may last; it ends after the request that is then under way.
    pub connection_timeout: Duration,
    /// How many connections may be open at once; more wait to be accepted.
    pub max_connections: usize,
    /// How many alerts each key may raise in a second; `None` for no bound.
    pub rate_per_key: Option<NonZeroU32>,
    /// How long requests that are under way may take to end once the server is to stop.
    pub drain: Duration,
    /// Settings that can change while the server runs.
    pub settings: LiveSettings,
    /// The URL of this server as others see it, over which vendors sign their callbacks. With a path,
    /// all is served below it, and without it too.
    pub public_url: Option<String>,
    /// What `/metrics` shows.
    pub metrics: Option<Metrics>,
    /// How the web admin behaves.
    pub admin: AdminConfig,
}

/// How the web admin behaves.
#[derive(Clone, Debug, Default)]
pub struct AdminConfig {
    /// The OpenID provider through which users can log in.
    #[cfg(feature = "oidc")]
    pub oidc: Option<crate::OidcConfig>,
}

impl HttpConfig {
    /// What lets the callbacks of a gateway in.
    pub(crate) fn callbacks(&self, gateway: &Slug) -> Callbacks<'_> {
        let settings = self.settings.get();
        let secrets = settings.callback_secrets.get(gateway);
        Callbacks {
            public_url: self.public_url.as_deref(),
            has_secret: secrets.is_some_and(|secrets| !secrets.is_empty()),
        }
    }
}

/// When a raise is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Once the alert is on disk.
    #[default]
    Async,
    /// Once every delivery was attempted.
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
