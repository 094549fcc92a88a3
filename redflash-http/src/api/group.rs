//! `/api/v1/groups`: contacts that are told together.

use axum::http::{Method, StatusCode};
use redflash_core::{EditError, Engine, Group, Name, Slug, Store, StoreError};
use serde::{Deserialize, Serialize};

use super::edit::{Written, change, create, needed, replace};
use super::input::given;
use super::operation::Operation;
use super::resource::{Resource, list, read, remove};
use crate::route::{Door, Needs, Route};

const ALL: &str = "/api/v1/groups";
const ONE: &str = "/api/v1/groups/{slug}";
const TAG: &str = "Groups";

pub(super) fn routes() -> Vec<Route> {
    let view = Door::Key(Needs::View);
    let admin = Door::Key(Needs::Admin);
    vec![
        Route::new(Method::GET, ALL, view, list::<Group>).described(
            Operation::new("listGroups", TAG, "Lists groups")
                .asks(&["q", "limit", "cursor"])
                .gives("GroupPage"),
        ),
        Route::new(Method::POST, ALL, admin, create::<Group>).described(
            Operation::new("createGroup", TAG, "Makes a group")
                .takes("NewGroup")
                .makes("Group")
                .refuses(&[409]),
        ),
        Route::new(Method::GET, ONE, view, read::<Group>).described(
            Operation::new("readGroup", TAG, "Shows a group")
                .reads(&["If-None-Match"])
                .gives_revised("Group")
                .answers(StatusCode::NOT_MODIFIED, None, &["ETag"]),
        ),
        Route::new(Method::PUT, ONE, admin, replace::<Group>).described(
            Operation::new("replaceGroup", TAG, "Replaces all that is said of a group")
                .reads(&["If-Match-Needed"])
                .takes("WholeGroup")
                .gives_revised("Group")
                .refuses(&[409]),
        ),
        Route::new(Method::PATCH, ONE, admin, change::<Group>).described(
            Operation::new(
                "changeGroup",
                TAG,
                "Changes some of what is said of a group",
            )
            .reads(&["If-Match"])
            .takes("GroupChanges")
            .gives_revised("Group")
            .refuses(&[409]),
        ),
        Route::new(Method::DELETE, ONE, admin, remove::<Group>).described(
            Operation::new("removeGroup", TAG, "Removes a group; its contacts stay")
                .reads(&["If-Match"])
                .ends(),
        ),
    ]
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
