//! `/api/v1/events`: named occurrences with words of their own.

use axum::http::{Method, StatusCode};
use redflash_core::{EditError, Engine, Event, Name, Slug, Store, StoreError};
use serde::{Deserialize, Serialize};

use super::edit::{Written, change, create, needed, replace};
use super::input::{OrNull, given};
use super::operation::Operation;
use super::resource::{Resource, list, read, remove};
use crate::route::{Door, Needs, Route};

const ALL: &str = "/api/v1/events";
const ONE: &str = "/api/v1/events/{slug}";
const TAG: &str = "Events";

pub(super) fn routes() -> Vec<Route> {
    let view = Door::Key(Needs::View);
    let admin = Door::Key(Needs::Admin);
    vec![
        Route::new(Method::GET, ALL, view, list::<Event>).described(
            Operation::new("listEvents", TAG, "Lists events")
                .asks(&["q", "limit", "cursor"])
                .gives("EventPage"),
        ),
        Route::new(Method::POST, ALL, admin, create::<Event>).described(
            Operation::new("createEvent", TAG, "Makes an event")
                .takes("NewEvent")
                .makes("Event")
                .refuses(&[409]),
        ),
        Route::new(Method::GET, ONE, view, read::<Event>).described(
            Operation::new("readEvent", TAG, "Shows an event")
                .reads(&["If-None-Match"])
                .gives_revised("Event")
                .answers(StatusCode::NOT_MODIFIED, None, &["ETag"]),
        ),
        Route::new(Method::PUT, ONE, admin, replace::<Event>).described(
            Operation::new("replaceEvent", TAG, "Replaces all that is said of an event")
                .reads(&["If-Match-Needed"])
                .takes("WholeEvent")
                .gives_revised("Event")
                .refuses(&[409]),
        ),
        Route::new(Method::PATCH, ONE, admin, change::<Event>).described(
            Operation::new(
                "changeEvent",
                TAG,
                "Changes some of what is said of an event",
            )
            .reads(&["If-Match"])
            .takes("EventChanges")
            .gives_revised("Event")
            .refuses(&[409]),
        ),
        Route::new(Method::DELETE, ONE, admin, remove::<Event>).described(
            Operation::new(
                "removeEvent",
                TAG,
                "Removes an event; who was told by it stays",
            )
            .reads(&["If-Match"])
            .ends(),
        ),
    ]
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
    contacts: Option<Vec<Slug>>,
    #[serde(deserialize_with = "given")]
    groups: Option<Vec<Slug>>,
}

impl Written for Event {
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
        needed("contacts", said.contacts.as_ref())?;
        needed("groups", said.groups.as_ref())?;
        Ok(())
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
        if let Some(contacts) = &said.contacts {
            self.contacts.clone_from(contacts);
        }
        if let Some(groups) = &said.groups {
            self.groups.clone_from(groups);
        }
        Ok(())
    }
}
