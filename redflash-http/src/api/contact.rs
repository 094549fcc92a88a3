//! `/api/v1/contacts`: people and systems that can be told.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use redflash_core::{Contact, EditError, Engine, Name, Revision, Slug, Store, StoreError};
use serde::{Deserialize, Serialize};

use super::Caller;
use super::condition::Condition;
use super::endpoint::{self, Place};
use super::input::{Input, given, on};
use super::named::Named;
use super::operation::Operation;
use super::resource::{Resource, created, list, read, remove, shown};
use crate::front::App;
use crate::problem::Problem;
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
        Route::new(Method::POST, ALL, admin, create).described(
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
        Route::new(Method::PUT, ONE, admin, replace).described(
            Operation::new(
                "replaceContact",
                TAG,
                "Replaces all that is said of a contact",
            )
            .reads(&["If-Match"])
            .takes("WholeContact")
            .gives_revised("Contact")
            .refuses(&[409]),
        ),
        Route::new(Method::PATCH, ONE, admin, change).described(
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

/// A contact that is to be made.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    slug: Slug,
    name: Name,
    #[serde(default = "on")]
    enabled: bool,
    #[serde(default)]
    endpoints: Vec<Place>,
}

/// All that is said of a contact.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Whole {
    #[serde(default, deserialize_with = "given")]
    slug: Option<Slug>,
    name: Name,
    enabled: bool,
    endpoints: Vec<Place>,
}

/// Some of what is said of a contact.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Changes {
    #[serde(deserialize_with = "given")]
    name: Option<Name>,
    #[serde(deserialize_with = "given")]
    enabled: Option<bool>,
    #[serde(deserialize_with = "given")]
    endpoints: Option<Vec<Place>>,
}

impl Changes {
    fn apply(&self, engine: &Engine, contact: &mut Contact) -> Result<(), EditError> {
        if let Some(name) = &self.name {
            contact.name.clone_from(name);
        }
        if let Some(enabled) = self.enabled {
            contact.enabled = enabled;
        }
        if let Some(places) = &self.endpoints {
            contact.endpoints = endpoint::all(engine, &contact.endpoints, places)?;
        }
        Ok(())
    }
}

async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Input(new): Input<New>,
) -> Result<Response, Problem> {
    let mut contact = Contact::new(new.slug, new.name);
    contact.enabled = new.enabled;
    contact.endpoints = endpoint::all(&app.engine, &[], &new.endpoints)?;
    app.engine.create(&contact, &caller.actor()).await?;
    Ok(created(&contact))
}

async fn replace(
    State(app): State<Arc<App>>,
    Named(slug): Named,
    caller: Caller,
    condition: Condition,
    Input(whole): Input<Whole>,
) -> Result<Response, Problem> {
    let seen = condition.must_be_seen()?;
    if whole.slug.is_some_and(|said| said != slug) {
        return Err(Problem::other_slug(&slug));
    }
    let changes = Changes {
        name: Some(whole.name),
        enabled: Some(whole.enabled),
        endpoints: Some(whole.endpoints),
    };
    save(&app.engine, &slug, &caller, seen, &changes).await
}

async fn change(
    State(app): State<Arc<App>>,
    Named(slug): Named,
    caller: Caller,
    condition: Condition,
    Input(changes): Input<Changes>,
) -> Result<Response, Problem> {
    save(&app.engine, &slug, &caller, condition.seen(), &changes).await
}

async fn save(
    engine: &Engine,
    slug: &Slug,
    caller: &Caller,
    seen: Option<&Revision>,
    changes: &Changes,
) -> Result<Response, Problem> {
    let apply = |contact: &mut Contact| changes.apply(engine, contact);
    let contact = engine.change(slug, &caller.actor(), seen, apply).await?;
    Ok(shown(&contact))
}
