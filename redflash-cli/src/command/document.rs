//! The document that `redflash export` writes and `redflash import` reads: no keys, no users, no ids.
//! Addresses are whole: a webhook's URL with a password is written with it.

use redflash_core::{ChannelKind, Contact, Event, Group, Name, Slug};
use serde::{Deserialize, Serialize};

/// The version of the document's form.
pub(super) const VERSION: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    pub(super) version: u32,
    #[serde(default)]
    pub(super) contacts: Vec<Person>,
    #[serde(default)]
    pub(super) groups: Vec<Group>,
    #[serde(default)]
    pub(super) events: Vec<Event>,
}

/// A contact without the ids of its endpoints, which are made anew elsewhere.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Person {
    pub(super) slug: Slug,
    pub(super) name: Name,
    #[serde(default = "on")]
    pub(super) enabled: bool,
    #[serde(default)]
    pub(super) endpoints: Vec<Place>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Place {
    pub(super) channel: ChannelKind,
    pub(super) address: String,
    #[serde(default = "on")]
    pub(super) enabled: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) opted_out: Option<String>,
}

const fn on() -> bool {
    true
}

impl From<Contact> for Person {
    fn from(contact: Contact) -> Self {
        let place = |endpoint: redflash_core::Endpoint| Place {
            channel: endpoint.channel,
            // In full, since another store is to send there.
            address: endpoint.address.as_str().to_owned(),
            enabled: endpoint.enabled,
            opted_out: endpoint.opted_out,
        };
        Self {
            slug: contact.slug,
            name: contact.name,
            enabled: contact.enabled,
            endpoints: contact.endpoints.into_iter().map(place).collect(),
        }
    }
}
