//! What the directory holds, and what each kind is called in commands and URLs.

use async_trait::async_trait;
use redflash_core::{Contact, DirectoryItem, Engine, Event, Group, Slug, Store, StoreError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Something of the directory, as it is shown.
#[async_trait]
pub(crate) trait Resource: Serialize + DeserializeOwned + Send + Sync {
    /// One of them, as in `redflash contact`; several have an `s` more, as in `/api/v1/contacts`.
    const KIND: &'static str;

    /// Every one of them.
    async fn all(store: &dyn Store) -> Result<Vec<Self>, StoreError>;

    /// The one of this slug.
    async fn one(store: &dyn Store, slug: &Slug) -> Result<Option<Self>, StoreError>;
}

/// Something of the directory that is made and changed whole.
pub(crate) trait EditableResource: Resource + DirectoryItem {
    /// How it is called in commands and URLs.
    fn slug(&self) -> &Slug;

    /// Names what may not be meant so, though it can be saved.
    fn warnings(&self, engine: &Engine) -> Vec<String> {
        let _ = engine;
        Vec::new()
    }

    /// How the API wants it.
    ///
    /// * `old` - what it was before.
    fn body(&self, old: Option<&Self>) -> Value {
        let _ = old;
        json!(self)
    }
}

#[async_trait]
impl Resource for Contact {
    const KIND: &'static str = "contact";

    async fn all(store: &dyn Store) -> Result<Vec<Self>, StoreError> {
        store.contacts().await
    }

    async fn one(store: &dyn Store, slug: &Slug) -> Result<Option<Self>, StoreError> {
        store.contact(slug).await
    }
}

impl EditableResource for Contact {
    fn slug(&self) -> &Slug {
        &self.slug
    }

    fn warnings(&self, engine: &Engine) -> Vec<String> {
        engine.contact_warnings(self)
    }

    /// The server names new endpoints. Passwords within their addresses are sent in full.
    fn body(&self, old: Option<&Self>) -> Value {
        let known = |endpoint: &&redflash_core::Endpoint| {
            let endpoints = old.map(|old| &old.endpoints).into_iter().flatten();
            endpoints.clone().any(|known| known.id == endpoint.id)
        };
        let endpoints = self.endpoints.iter().map(|endpoint| {
            let mut body = json!({
                "channel": endpoint.channel, "address": endpoint.address.as_str(), "enabled": endpoint.enabled,
            });
            if known(&endpoint) {
                body["id"] = json!(endpoint.id);
            }
            body
        });
        let endpoints: Vec<_> = endpoints.collect();
        json!({
            "slug": self.slug, "name": self.name, "enabled": self.enabled, "endpoints": endpoints,
        })
    }
}

#[async_trait]
impl Resource for Group {
    const KIND: &'static str = "group";

    async fn all(store: &dyn Store) -> Result<Vec<Self>, StoreError> {
        store.groups().await
    }

    async fn one(store: &dyn Store, slug: &Slug) -> Result<Option<Self>, StoreError> {
        store.group(slug).await
    }
}

impl EditableResource for Group {
    fn slug(&self) -> &Slug {
        &self.slug
    }
}

#[async_trait]
impl Resource for Event {
    const KIND: &'static str = "event";

    async fn all(store: &dyn Store) -> Result<Vec<Self>, StoreError> {
        store.events().await
    }

    async fn one(store: &dyn Store, slug: &Slug) -> Result<Option<Self>, StoreError> {
        store.event(slug).await
    }
}

impl EditableResource for Event {
    fn slug(&self) -> &Slug {
        &self.slug
    }

    fn warnings(&self, _: &Engine) -> Vec<String> {
        Self::warnings(self)
    }
}
