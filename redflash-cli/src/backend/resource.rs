//! The resources of the directory, with their names in commands and URLs.

use async_trait::async_trait;
use redflash_core::Engine;
use redflash_core::engine::DirectoryItem;
use redflash_core::model::{Contact, Event, Group, Slug};
use redflash_core::store::{Store, StoreError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// A resource of the directory.
#[async_trait]
pub(crate) trait Resource: Serialize + DeserializeOwned + Send + Sync {
    /// The singular name, as in `redflash contact`. The plural, as in `/api/v1/contacts`, adds an `s`.
    const KIND: &'static str;

    /// Returns all resources of this kind.
    async fn all(store: &dyn Store) -> Result<Vec<Self>, StoreError>;

    /// Returns the resource with this slug.
    async fn one(store: &dyn Store, slug: &Slug) -> Result<Option<Self>, StoreError>;
}

/// A resource that is created and changed as a whole.
pub(crate) trait EditableResource: Resource + DirectoryItem {
    /// Returns the slug.
    fn slug(&self) -> &Slug;

    /// Returns warnings about probable mistakes.
    fn warnings(&self, engine: &Engine) -> Vec<String> {
        let _ = engine;
        Vec::new()
    }

    /// Returns the request body for the API.
    ///
    /// * `old` - the previous state.
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

    /// Omits the ids of new endpoints, which the server assigns. Addresses are unmasked.
    fn body(&self, old: Option<&Self>) -> Value {
        let known = |endpoint: &&redflash_core::model::Endpoint| {
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
