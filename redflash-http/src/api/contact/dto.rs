//! Contacts as the API reads and writes them.

use redflash_core::model::{Name, Slug};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::endpoint::dto::{Endpoint, Endpoints};
use crate::api::extract::json_body::{Optional, enabled};
use crate::api::openapi::value;

/// A person or system to notify.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct Contact {
    #[schemars(with = "value::Slug")]
    slug: Slug,
    #[schemars(with = "value::Name")]
    name: Name,
    /// False if the contact is not notified.
    enabled: bool,
    /// Endpoints, in the order in which they were added.
    endpoints: Vec<Endpoint>,
    /// Likely mistakes in what was saved. Only in responses to changes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

/// A contact to create.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewContact {
    #[schemars(with = "value::Slug")]
    pub(super) slug: Slug,
    #[schemars(with = "value::Name")]
    pub(super) name: Name,
    /// False if the contact is not notified.
    #[serde(default = "enabled")]
    pub(super) enabled: bool,
    #[serde(default)]
    pub(super) endpoints: Endpoints,
}

/// All fields of a contact, to replace it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ContactReplacement {
    /// Must be the slug in the path.
    #[serde(default)]
    #[schemars(with = "value::Slug")]
    slug: Optional<Slug>,
    #[schemars(with = "value::Name")]
    name: Name,
    /// False if the contact is not notified.
    enabled: bool,
    endpoints: Endpoints,
}

/// Fields of a contact to change.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ContactPatch {
    /// Must be the slug in the path.
    #[schemars(with = "value::Slug")]
    pub(super) slug: Optional<Slug>,
    #[schemars(with = "value::Name")]
    pub(super) name: Optional<Name>,
    /// False if the contact is not notified.
    pub(super) enabled: Optional<bool>,
    pub(super) endpoints: Optional<Endpoints>,
}

impl Contact {
    pub(super) fn new(contact: &redflash_core::model::Contact, warnings: Vec<String>) -> Self {
        let endpoints = contact.endpoints.iter().cloned();
        Self {
            slug: contact.slug.clone(),
            name: contact.name.clone(),
            enabled: contact.enabled,
            endpoints: endpoints.map(Endpoint::from).collect(),
            warnings,
        }
    }
}

impl From<ContactReplacement> for ContactPatch {
    fn from(replacement: ContactReplacement) -> Self {
        Self {
            slug: replacement.slug,
            name: replacement.name.into(),
            enabled: replacement.enabled.into(),
            endpoints: replacement.endpoints.into(),
        }
    }
}
