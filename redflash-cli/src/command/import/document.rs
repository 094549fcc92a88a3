//! The document that `redflash export` writes and `redflash import` reads. It contains no keys, users or
//! ids. Addresses are unmasked, including passwords in webhook URLs.

use redflash_core::model::{ChannelKind, Contact, Event, Group, Name, Slug};
use serde::{Deserialize, Serialize};

/// The version of the format.
pub(in crate::command) const VERSION: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::command) struct Document {
    pub(in crate::command) version: u32,
    #[serde(default)]
    pub(in crate::command) contacts: Vec<ContactDocument>,
    #[serde(default)]
    pub(in crate::command) groups: Vec<Group>,
    #[serde(default)]
    pub(in crate::command) events: Vec<Event>,
}

/// A contact without the ids of its endpoints, which each installation creates itself.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::command) struct ContactDocument {
    pub(in crate::command) slug: Slug,
    pub(in crate::command) name: Name,
    #[serde(default = "on")]
    pub(in crate::command) enabled: bool,
    #[serde(default)]
    pub(in crate::command) endpoints: Vec<EndpointDocument>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::command) struct EndpointDocument {
    pub(in crate::command) channel: ChannelKind,
    pub(in crate::command) address: String,
    #[serde(default = "on")]
    pub(in crate::command) enabled: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::command) opted_out: Option<String>,
}

const fn on() -> bool {
    true
}

impl From<Contact> for ContactDocument {
    fn from(contact: Contact) -> Self {
        let document = |endpoint: redflash_core::model::Endpoint| EndpointDocument {
            channel: endpoint.channel,
            // Unmasked, since the importing store sends to it.
            address: endpoint.address.as_str().to_owned(),
            enabled: endpoint.enabled,
            opted_out: endpoint.opted_out,
        };
        Self {
            slug: contact.slug,
            name: contact.name,
            enabled: contact.enabled,
            endpoints: contact.endpoints.into_iter().map(document).collect(),
        }
    }
}
