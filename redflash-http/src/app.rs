//! The state that all handlers share.

use std::sync::Arc;

use redflash_core::Engine;
use redflash_core::model::ApiKey;
use tracing::warn;

use crate::HttpConfig;
#[cfg(feature = "oidc")]
use crate::admin::auth::login_state::OpenId;
use crate::admin::auth::throttle::LoginThrottle;
use crate::admin::log::stream_slots::StreamSlots;
use crate::admin::ui::templates::Templates;
use crate::base_path::{BasePath, BasePathError};
use crate::callback::forgery_limit::ForgeryLimit;
use crate::error::RequestError;
use crate::extract::body;
use crate::extract::body::BodyLimits;
use crate::extract::body_memory::BodyMemory;
use crate::middleware::key_usage::KeyUsage;
use crate::middleware::rate_limit::KeyRateLimit;
use crate::ops::readiness::Readiness;

/// The state that all handlers share.
pub(crate) struct App {
    pub(crate) engine: Engine,
    pub(crate) config: HttpConfig,
    /// The path below which clients reach the server.
    pub(crate) base: BasePath,
    pub(crate) readiness: Readiness,
    pub(crate) forgery_limit: ForgeryLimit,
    pub(crate) templates: Templates,
    pub(crate) login_throttle: LoginThrottle,
    #[cfg(feature = "oidc")]
    pub(crate) openid: Option<OpenId>,
    pub(crate) stream_slots: StreamSlots,
    body_memory: BodyMemory,
    key_usage: Arc<KeyUsage>,
    rate_limit: Option<KeyRateLimit>,
}

impl App {
    /// # Panics
    ///
    /// If a page template is broken, which the tests rule out.
    pub(crate) fn new(engine: Engine, config: HttpConfig) -> Self {
        Self {
            base: base_path(&config),
            readiness: Readiness::default(),
            forgery_limit: ForgeryLimit::default(),
            templates: Templates::new().expect("the templates are those that the tests compile"),
            login_throttle: LoginThrottle::default(),
            #[cfg(feature = "oidc")]
            openid: config.admin.oidc.clone().map(OpenId::new),
            stream_slots: StreamSlots::default(),
            body_memory: BodyMemory::default(),
            key_usage: Arc::default(),
            rate_limit: config.rate_per_key.map(KeyRateLimit::new),
            engine,
            config,
        }
    }

    /// Records that a key was used.
    pub(crate) fn note_use(&self, key: &ApiKey) {
        self.key_usage.note(&self.engine, &key.slug);
    }

    /// Returns the bounds of a body.
    ///
    /// * `is_known` - True if its sender has shown a valid key; others may send less.
    pub(crate) fn body_limits(&self, is_known: bool) -> BodyLimits {
        let most = self.config.max_body;
        BodyLimits {
            bytes: if is_known {
                most
            } else {
                most.min(body::MAX_ANONYMOUS_BODY)
            },
            time: self.config.body_timeout,
            memory: self.body_memory.reservation(is_known),
        }
    }

    /// Fails if a key raises too many alerts.
    pub(crate) fn check_rate(&self, key: &ApiKey) -> Result<(), RequestError> {
        match &self.rate_limit {
            Some(limit) => limit.check(key, self.engine.nodes()),
            None => Ok(()),
        }
    }
}

fn base_path(config: &HttpConfig) -> BasePath {
    let public_url = config.public_url.as_deref();
    let base = public_url.map(BasePath::of).transpose();
    let unused = |error: BasePathError| {
        warn!(%error, "the path of the public URL is not used");
        BasePath::default()
    };
    base.map_or_else(unused, Option::unwrap_or_default)
}
