//! API keys.

use async_trait::async_trait;
use redflash_core::model::{ApiKey, KeyView, Scope, Slug};
use redflash_core::store::{Store, StoreError};
use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;

use super::local::LocalStore;
use super::{Backend, Location, Resource};
use crate::error::CliError;
use crate::operator::operator;

/// A key to create.
#[derive(Debug)]
pub(crate) struct NewKey {
    pub(crate) slug: Slug,
    pub(crate) inspect: bool,
    pub(crate) admin: bool,
    pub(crate) scope: Scope,
    /// An existing secret; `None` generates one.
    pub(crate) value: Option<SecretString>,
}

/// A created key, with its secret if it was generated.
#[derive(Debug, Deserialize)]
pub(crate) struct CreatedKey {
    #[serde(flatten)]
    pub(crate) key: KeyView,
    #[serde(default)]
    pub(crate) secret: Option<SecretString>,
}

#[async_trait]
impl Resource for KeyView {
    const KIND: &'static str = "key";

    async fn all(store: &dyn Store) -> Result<Vec<Self>, StoreError> {
        let mut uses = store.key_usage().await?;
        let keys = store.api_keys().await?.into_iter();
        let shown = keys.map(|key| {
            let last_used_at = uses.remove(&key.slug);
            Self::new(&key, last_used_at)
        });
        Ok(shown.collect())
    }

    async fn one(store: &dyn Store, slug: &Slug) -> Result<Option<Self>, StoreError> {
        let Some(key) = store.api_key(slug).await? else {
            return Ok(None);
        };
        let last_used_at = store.key_usage().await?.remove(slug);
        Ok(Some(Self::new(&key, last_used_at)))
    }
}

impl Backend {
    /// Creates a key.
    pub(crate) async fn add_key(&self, new: NewKey) -> Result<CreatedKey, CliError> {
        let api = match &self.location {
            Location::Local(local) => return local.add_key(new).await,
            Location::Remote(api) => api,
        };
        let mut body = json!({ "slug": new.slug, "inspect": new.inspect, "admin": new.admin });
        if let Scope::Only(targets) = &new.scope {
            body["only"] = json!(targets);
        }
        if let Some(value) = &new.value {
            body["value"] = json!(value.expose_secret());
        }
        let created: CreatedKey = api
            .read(api.request(Method::POST, &["keys"]).json(&body))
            .await?;
        let secret = created.secret.filter(|_| new.value.is_none());
        Ok(CreatedKey { secret, ..created })
    }

    /// Switches a key on or off.
    pub(crate) async fn set_key_enabled(&self, slug: &Slug, enabled: bool) -> Result<(), CliError> {
        match &self.location {
            Location::Local(local) => {
                let apply = |key: &mut ApiKey| key.enabled = enabled;
                local.change(slug, apply).await.map(drop)
            }
            Location::Remote(api) => api.edit("key", slug, &json!({ "enabled": enabled })).await,
        }
    }
}

impl LocalStore {
    async fn add_key(&self, new: NewKey) -> Result<CreatedKey, CliError> {
        let engine = self.engine().await?;
        let now = engine.now();
        let (key, secret) = match &new.value {
            None => {
                let (key, secret) = ApiKey::generate(new.slug, new.inspect, new.scope, now);
                (key, Some(secret))
            }
            Some(value) => {
                let key = ApiKey::import(new.slug, new.inspect, new.scope, now, value);
                let key = key.map_err(|error| CliError::usage(format!("--value: {error}")))?;
                (key, None)
            }
        };
        let key = if new.admin { key.with_admin() } else { key };
        engine.create(&key, &operator()).await?;
        Ok(CreatedKey {
            key: KeyView::new(&key, None),
            secret,
        })
    }
}
