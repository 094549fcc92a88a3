//! `/api/v1/contacts`: people and systems that can be told.

use redflash_core::{Contact, EditError, Engine, Name, Slug, Store, StoreError};
use serde::{Deserialize, Serialize};

use crate::api::edit;
use crate::api::edit::{Written, needed};
use crate::api::endpoint;
use crate::api::endpoint::Place;
use crate::api::extract::json_body::given;
use crate::api::resource::Resource;
use crate::route::Route;

pub(super) fn routes() -> Vec<Route> {
    edit::routes::<Contact>("/api/v1/contacts", "/api/v1/contacts/{slug}")
}

impl Resource for Contact {
    const PLURAL: &'static str = "contacts";

    async fn all(store: &dyn Store) -> Result<Vec<Self>, StoreError> {
        store.contacts().await
    }

    fn slug(&self) -> &Slug {
        &self.slug
    }

    fn texts(&self) -> Vec<&str> {
        let addresses = self
            .endpoints
            .iter()
            .map(|one| one.address.after_userinfo());
        [self.slug.as_str(), self.name.as_str()]
            .into_iter()
            .chain(addresses)
            .collect()
    }

    fn view(&self) -> impl Serialize + Send {
        self
    }
}

/// What a body says of a contact.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Said {
    #[serde(deserialize_with = "given")]
    slug: Option<Slug>,
    #[serde(deserialize_with = "given")]
    name: Option<Name>,
    #[serde(deserialize_with = "given")]
    enabled: Option<bool>,
    #[serde(deserialize_with = "given")]
    endpoints: Option<Vec<Place>>,
}

impl Written for Contact {
    const NOUN: &'static str = "Contact";
    const ONE: &'static str = "a contact";
    const TAG: &'static str = "Contacts";
    const REMOVAL: &'static str = "Removes a contact; the log keeps what was sent";

    type Said = Said;

    fn said_slug(said: &Said) -> Option<&Slug> {
        said.slug.as_ref()
    }

    fn new(said: &Said) -> Result<Self, EditError> {
        let slug = needed("slug", said.slug.as_ref())?.clone();
        Ok(Self::new(slug, needed("name", said.name.as_ref())?.clone()))
    }

    fn is_whole(said: &Said) -> Result<(), EditError> {
        needed("name", said.name.as_ref())?;
        needed("enabled", said.enabled.as_ref())?;
        needed("endpoints", said.endpoints.as_ref())?;
        Ok(())
    }

    fn warnings(&self, engine: &Engine) -> Vec<String> {
        engine.contact_warnings(self)
    }

    fn apply(&mut self, said: &Said, engine: &Engine) -> Result<(), EditError> {
        if let Some(name) = &said.name {
            self.name.clone_from(name);
        }
        if let Some(enabled) = said.enabled {
            self.enabled = enabled;
        }
        if let Some(places) = &said.endpoints {
            self.endpoints = endpoint::all(engine, &self.endpoints, places)?;
        }
        Ok(())
    }
}
