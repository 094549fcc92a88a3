//! People and systems to notify.

use serde::{Deserialize, Serialize};

use crate::model::{Address, ChannelKind, EndpointId, Name, Slug};

/// A person or system to notify.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// Identifier in URLs and commands.
    pub slug: Slug,
    /// Display name.
    pub name: Name,
    /// True if the contact is notified.
    pub enabled: bool,
    /// Endpoints, in the order they were added.
    pub endpoints: Vec<Endpoint>,
}

/// One address of a contact on one channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Identifier of the endpoint; stays the same when its address changes.
    pub id: EndpointId,
    /// The channel.
    pub channel: ChannelKind,
    /// The address in the channel's normal form.
    pub address: Address,
    /// True if messages are sent to this address.
    pub enabled: bool,
    /// Reason why the endpoint is off, if the recipient opted out or if it was imported with an
    /// invalid address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opted_out: Option<String>,
}

impl Contact {
    /// Creates a contact that is on and has no endpoints.
    pub const fn new(slug: Slug, name: Name) -> Self {
        Self {
            slug,
            name,
            enabled: true,
            endpoints: Vec::new(),
        }
    }

    /// Gives each new endpoint with the address of an old one the old one's id, so that deliveries
    /// queued for it are still sent.
    pub(crate) fn keep_endpoint_ids(&mut self, old: &Self) {
        let has = |contact: &Self, id| contact.endpoints.iter().any(|one| one.id == id);
        for known in &old.endpoints {
            if has(self, known.id) {
                continue;
            }
            let is_same = |new: &&mut Endpoint| {
                (&new.channel, &new.address) == (&known.channel, &known.address)
                    && !has(old, new.id)
            };
            if let Some(same) = self.endpoints.iter_mut().find(is_same) {
                same.id = known.id;
            }
        }
    }

    /// Returns the contact with one more endpoint, which is on.
    #[must_use]
    pub fn with_endpoint(mut self, id: EndpointId, channel: ChannelKind, address: Address) -> Self {
        self.endpoints.push(Endpoint {
            id,
            channel,
            address,
            enabled: true,
            opted_out: None,
        });
        self
    }
}
