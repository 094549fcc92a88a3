//! `/api/v1/events`: named occurrences with words of their own.

use redflash_core::{EditError, Engine, Event, MissingArguments, Name, Slug, Store, StoreError};
use serde::{Deserialize, Serialize};

use crate::api::edit;
use crate::api::edit::{Written, needed};
use crate::api::extract::json_body::{OrNull, given};
use crate::api::resource::Resource;
use crate::route::Route;

pub(super) fn routes() -> Vec<Route> {
    edit::routes::<Event>("/api/v1/events", "/api/v1/events/{slug}")
}

impl Resource for Event {
    const PLURAL: &'static str = "events";

    async fn all(store: &dyn Store) -> Result<Vec<Self>, StoreError> {
        store.events().await
    }

    fn slug(&self) -> &Slug {
        &self.slug
    }

    fn texts(&self) -> Vec<&str> {
        vec![
            self.slug.as_str(),
            self.name.as_str(),
            &self.description,
            &self.message,
        ]
    }

    fn view(&self) -> impl Serialize + Send {
        self
    }
}

/// What a body says of an event.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Said {
    #[serde(deserialize_with = "given")]
    slug: Option<Slug>,
    #[serde(deserialize_with = "given")]
    name: Option<Name>,
    #[serde(deserialize_with = "given")]
    description: Option<String>,
    #[serde(deserialize_with = "given")]
    enabled: Option<bool>,
    #[serde(deserialize_with = "given")]
    subject: Option<OrNull<String>>,
    #[serde(deserialize_with = "given")]
    message: Option<String>,
    #[serde(deserialize_with = "given")]
    sender: Option<OrNull<String>>,
    #[serde(deserialize_with = "given")]
    missing_arguments: Option<MissingArguments>,
    #[serde(deserialize_with = "given")]
    contacts: Option<Vec<Slug>>,
    #[serde(deserialize_with = "given")]
    groups: Option<Vec<Slug>>,
}

impl Written for Event {
    const NOUN: &'static str = "Event";
    const ONE: &'static str = "an event";
    const TAG: &'static str = "Events";
    const REMOVAL: &'static str = "Removes an event; who was told by it stays";

    type Said = Said;

    fn said_slug(said: &Said) -> Option<&Slug> {
        said.slug.as_ref()
    }

    fn new(said: &Said) -> Result<Self, EditError> {
        let slug = needed("slug", said.slug.as_ref())?.clone();
        let name = needed("name", said.name.as_ref())?.clone();
        Ok(Self::new(
            slug,
            name,
            needed("message", said.message.as_ref())?,
        ))
    }

    fn is_whole(said: &Said) -> Result<(), EditError> {
        needed("name", said.name.as_ref())?;
        needed("description", said.description.as_ref())?;
        needed("enabled", said.enabled.as_ref())?;
        needed("subject", said.subject.as_ref())?;
        needed("message", said.message.as_ref())?;
        needed("sender", said.sender.as_ref())?;
        needed("missing_arguments", said.missing_arguments.as_ref())?;
        needed("contacts", said.contacts.as_ref())?;
        needed("groups", said.groups.as_ref())?;
        Ok(())
    }

    fn warnings(&self, _: &Engine) -> Vec<String> {
        Self::warnings(self)
    }

    fn apply(&mut self, said: &Said, _: &Engine) -> Result<(), EditError> {
        if let Some(name) = &said.name {
            self.name.clone_from(name);
        }
        if let Some(description) = &said.description {
            self.description.clone_from(description);
        }
        if let Some(enabled) = &said.enabled {
            self.enabled.clone_from(enabled);
        }
        if let Some(subject) = &said.subject {
            self.subject.clone_from(&subject.0);
        }
        if let Some(message) = &said.message {
            self.message.clone_from(message);
        }
        if let Some(sender) = &said.sender {
            self.sender.clone_from(&sender.0);
        }
        if let Some(missing_arguments) = said.missing_arguments {
            self.missing_arguments = missing_arguments;
        }
        if let Some(contacts) = &said.contacts {
            self.contacts.clone_from(contacts);
        }
        if let Some(groups) = &said.groups {
            self.groups.clone_from(groups);
        }
        Ok(())
    }
}
