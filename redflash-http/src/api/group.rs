//! `/api/v1/groups`.

use std::collections::BTreeSet;

use redflash_core::Engine;
use redflash_core::engine::EditError;
use redflash_core::model::{Group, Name, Slug};
use redflash_core::store::{Store, StoreError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::crud;
use crate::api::crud::{Editable, Resource};
use crate::api::extract::json_body::{Optional, enabled};
use crate::api::openapi::value;
use crate::api::page::Listed;
use crate::route::Route;

pub(super) fn routes() -> Vec<Route> {
    crud::routes::<Group>("/api/v1/groups", "/api/v1/groups/{slug}")
}

/// Contacts that are notified together.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Group", deny_unknown_fields)]
pub(super) struct GroupView {
    #[schemars(with = "value::Slug")]
    slug: Slug,
    #[schemars(with = "value::Name")]
    name: Name,
    /// False if raising to the group is rejected, and events skip it.
    enabled: bool,
    /// Members, in the order in which they were added.
    #[schemars(with = "BTreeSet<value::Slug>")]
    contacts: Vec<Slug>,
}

/// A group to create.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewGroup {
    #[schemars(with = "value::Slug")]
    slug: Slug,
    #[schemars(with = "value::Name")]
    name: Name,
    /// False if raising to the group is rejected, and events skip it.
    #[serde(default = "enabled")]
    enabled: bool,
    /// Members.
    #[serde(default)]
    #[schemars(with = "BTreeSet<value::Slug>")]
    contacts: Vec<Slug>,
}

/// All fields of a group, to replace it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GroupReplacement {
    /// Must be the slug in the path.
    #[serde(default)]
    #[schemars(with = "value::Slug")]
    slug: Optional<Slug>,
    #[schemars(with = "value::Name")]
    name: Name,
    /// False if raising to the group is rejected, and events skip it.
    enabled: bool,
    /// Members.
    #[schemars(with = "BTreeSet<value::Slug>")]
    contacts: Vec<Slug>,
}

/// Fields of a group to change.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct GroupPatch {
    /// Must be the slug in the path.
    #[schemars(with = "value::Slug")]
    slug: Optional<Slug>,
    #[schemars(with = "value::Name")]
    name: Optional<Name>,
    /// False if raising to the group is rejected, and events skip it.
    enabled: Optional<bool>,
    /// Members.
    #[schemars(with = "BTreeSet<value::Slug>")]
    contacts: Optional<Vec<Slug>>,
}

impl Listed for GroupView {
    const LIST: &'static str = "groups";
    const PAGE: &'static str = "GroupPage";
}

impl From<&Group> for GroupView {
    fn from(group: &Group) -> Self {
        Self {
            slug: group.slug.clone(),
            name: group.name.clone(),
            enabled: group.enabled,
            contacts: group.contacts.clone(),
        }
    }
}

impl From<NewGroup> for Group {
    fn from(new: NewGroup) -> Self {
        Self {
            slug: new.slug,
            name: new.name,
            enabled: new.enabled,
            contacts: new.contacts,
        }
    }
}

impl From<GroupReplacement> for GroupPatch {
    fn from(replacement: GroupReplacement) -> Self {
        Self {
            slug: replacement.slug,
            name: replacement.name.into(),
            enabled: replacement.enabled.into(),
            contacts: replacement.contacts.into(),
        }
    }
}

impl Resource for Group {
    type View = GroupView;

    async fn all(store: &dyn Store) -> Result<Vec<Self>, StoreError> {
        store.groups().await
    }

    fn slug(&self) -> &Slug {
        &self.slug
    }

    fn texts(&self) -> Vec<&str> {
        vec![self.slug.as_str(), self.name.as_str()]
    }

    fn view(&self, _: Vec<String>) -> GroupView {
        self.into()
    }
}

impl Editable for Group {
    const NOUN: &'static str = "Group";
    const ONE: &'static str = "a group";
    const TAG: &'static str = "Groups";
    const REMOVAL: &'static str = "Delete a group, but not its contacts";

    type New = NewGroup;
    type Replacement = GroupReplacement;
    type Patch = GroupPatch;

    fn create(new: NewGroup, _: &Engine) -> Result<Self, EditError> {
        Ok(new.into())
    }

    fn slug_of(patch: &GroupPatch) -> Option<&Slug> {
        patch.slug.0.as_ref()
    }

    fn apply(&mut self, patch: &GroupPatch, _: &Engine) -> Result<(), EditError> {
        patch.name.set(&mut self.name);
        patch.enabled.set(&mut self.enabled);
        patch.contacts.set(&mut self.contacts);
        Ok(())
    }
}
