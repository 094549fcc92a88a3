//! `/api/v1/contacts`: people and systems that can be told.

use axum::http::{Method, StatusCode};
use redflash_core::{Contact, EditError, Engine, Name, Slug, Store, StoreError};
use serde::{Deserialize, Serialize};

use super::edit::{Written, change, create, needed, replace};
use super::endpoint::{self, Place};
use super::input::given;
use super::operation::Operation;
use super::resource::{Resource, list, read, remove};
use crate::route::{Door, Needs, Route};

const ALL: &str = "/api/v1/contacts";
const ONE: &str = "/api/v1/contacts/{slug}";
const TAG: &str = "Contacts";

pub(super) fn routes() -> Vec<Route> {
    let view = Door::Key(Needs::View);
    let admin = Door::Key(Needs::Admin);
    vec![
        Route::new(Method::GET, ALL, view, list::<Contact>).described(
            Operation::new("listContacts", TAG, "Lists contacts")
                .asks(&["q", "limit", "cursor"])
                .gives("ContactPage"),
        ),
        Route::new(Method::POST, ALL, admin, create::<Contact>).described(
            Operation::new("createContact", TAG, "Makes a contact")
                .takes("NewContact")
                .makes("Contact")
                .refuses(&[409]),
        ),
        Route::new(Method::GET, ONE, view, read::<Contact>).described(
            Operation::new("readContact", TAG, "Shows a contact")
                .reads(&["If-None-Match"])
                .gives_revised("Contact")
                .answers(StatusCode::NOT_MODIFIED, None, &["ETag"]),
        ),
        Route::new(Method::PUT, ONE, admin, replace::<Contact>).described(
            Operation::new(
                "replaceContact",
                TAG,
                "Replaces all that is said of a contact",
            )
            .reads(&["If-Match-Needed"])
            .takes("WholeContact")
            .gives_revised("Contact")
            .refuses(&[409]),
        ),
        Route::new(Method::PATCH, ONE, admin, change::<Contact>).described(
            Operation::new(
                "changeContact",
                TAG,
                "Changes some of what is said of a contact",
            )
            .reads(&["If-Match"])
            .takes("ContactChanges")
            .gives_revised("Contact")
            .refuses(&[409]),
        ),
        Route::new(Method::DELETE, ONE, admin, remove::<Contact>).described(
            Operation::new(
                "removeContact",
                TAG,
                "Removes a contact; the log keeps what was sent",
            )
            .reads(&["If-Match"])
            .ends(),
        ),
    ]
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
        let addresses = self.endpoints.iter().map(|one| one.address.as_str());
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
