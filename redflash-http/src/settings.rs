//! The part of the server's configuration that can change while it serves.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use ipnet::IpNet;
use redflash_core::model::Slug;
use secrecy::SecretString;

/// The part of the server's configuration that can change while it serves.
///
/// Each request reads it as one snapshot.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HttpSettings {
    /// The secrets in the path that authenticate each gateway's callbacks. A gateway without a secret
    /// accepts signed callbacks only.
    pub callback_secrets: BTreeMap<Slug, Vec<SecretString>>,
    /// The gateway of callbacks whose URL does not name one.
    pub default_gateway: Option<Slug>,
    /// Time until an unused session of the web admin ends.
    pub session_idle: Duration,
    /// Maximum length of a session of the web admin.
    pub session_length: Duration,
    /// The proxies whose `X-Forwarded-For` header is trusted.
    pub trusted_proxies: Vec<IpNet>,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            callback_secrets: BTreeMap::new(),
            default_gateway: None,
            session_idle: Duration::from_secs(12 * 60 * 60),
            session_length: Duration::from_secs(7 * 24 * 60 * 60),
            trusted_proxies: Vec::new(),
        }
    }
}

/// The settings that a server shares with the code that changes them. Clones share one value.
#[derive(Clone, Debug, Default)]
pub struct LiveSettings(Arc<ArcSwap<HttpSettings>>);

impl LiveSettings {
    /// Creates the settings with their first value.
    pub fn new(settings: HttpSettings) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(settings)))
    }

    /// Returns the current settings.
    pub fn get(&self) -> Arc<HttpSettings> {
        self.0.load_full()
    }

    /// Replaces the settings for all later requests.
    pub fn replace(&self, settings: HttpSettings) {
        self.0.store(Arc::new(settings));
    }
}

impl From<HttpSettings> for LiveSettings {
    fn from(settings: HttpSettings) -> Self {
        Self::new(settings)
    }
}
