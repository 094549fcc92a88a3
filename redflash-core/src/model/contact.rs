//! People and systems that can be told.

use serde::{Deserialize, Serialize};

use crate::{Address, ChannelKind, EndpointId, Name, Slug};

/// A person or system that can be told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// How the contact is called in URLs and commands.
    pub slug: Slug,
    /// How the contact is called among people.
    pub name: Name,
    /// Off: the contact is told nothing.
    pub enabled: bool,
    /// Where the contact can be told, in the order they were added.
    pub endpoints: Vec<Endpoint>,
}

/// One address of a contact on one channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Names the endpoint, whatever becomes of its address.
    pub id: EndpointId,
    /// The channel.
    pub channel: ChannelKind,
    /// The address in the channel's normal form.
    pub address: Address,
    /// Off: nothing is sent to this address.
    pub enabled: bool,
    /// Reason why the endpoint is off, if the person at the other end asked for that or if it was
    /// imported with an address that is not valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opted_out: Option<String>,
}

impl Contact {
    /// A contact that is on and cannot be reached yet.
    pub const fn new(slug: Slug, name: Name) -> Self {
        Self {
            slug,
            name,
            enabled: true,
            endpoints: Vec::new(),
        }
    }

    /// Gives endpoints that were there before under the same address the id that they had, so that what
    /// is queued for them is still sent.
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

    /// The contact with one more endpoint, which is on.
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
