//! `/api/v1/groups`: contacts that are told together.

use redflash_core::{EditError, Engine, Group, Name, Slug, Store, StoreError};
use serde::{Deserialize, Serialize};

use crate::api::edit;
use crate::api::edit::{Written, needed};
use crate::api::extract::json_body::given;
use crate::api::resource::Resource;
use crate::route::Route;

pub(super) fn routes() -> Vec<Route> {
    edit::routes::<Group>("/api/v1/groups", "/api/v1/groups/{slug}")
}

impl Resource for Group {
    const PLURAL: &'static str = "groups";

    async fn all(store: &dyn Store) -> Result<Vec<Self>, StoreError> {
        store.groups().await
    }

    fn slug(&self) -> &Slug {
        &self.slug
    }

    fn texts(&self) -> Vec<&str> {
        vec![self.slug.as_str(), self.name.as_str()]
    }

    fn view(&self) -> impl Serialize + Send {
        self
    }
}

/// What a body says of a group.
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
    contacts: Option<Vec<Slug>>,
}

impl Written for Group {
    const NOUN: &'static str = "Group";
    const ONE: &'static str = "a group";
    const TAG: &'static str = "Groups";
    const REMOVAL: &'static str = "Removes a group; its contacts stay";

    type Said = Said;

    fn said_slug(said: &Said) -> Option<&Slug> {
        said.slug.as_ref()
    }

    fn new(said: &Said) -> Result<Self, EditError> {
        let slug = needed("slug", said.slug.as_ref())?.clone();
        let name = needed("name", said.name.as_ref())?.clone();
        Ok(Self::new(slug, name, Vec::new()))
    }

    fn is_whole(said: &Said) -> Result<(), EditError> {
        needed("name", said.name.as_ref())?;
        needed("enabled", said.enabled.as_ref())?;
        needed("contacts", said.contacts.as_ref())?;
        Ok(())
    }

    fn apply(&mut self, said: &Said, _: &Engine) -> Result<(), EditError> {
        if let Some(name) = &said.name {
            self.name.clone_from(name);
        }
        if let Some(enabled) = &said.enabled {
            self.enabled.clone_from(enabled);
        }
        if let Some(contacts) = &said.contacts {
            self.contacts.clone_from(contacts);
        }
        Ok(())
    }
}
