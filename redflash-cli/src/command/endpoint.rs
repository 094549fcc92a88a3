//! `redflash endpoint`: the addresses of contacts.

use clap::Subcommand;
use redflash_core::{ChannelKind, Contact, Endpoint, Slug};
use serde_json::json;

use super::reach::warn_of_losses;
use crate::failure::{Exit, Failure};
use crate::place::Place;
use crate::words::{endpoint_switch, switch};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Add an address to a contact
    Add {
        contact: Slug,
        channel: ChannelKind,
        #[arg(allow_hyphen_values = true)]
        address: String,
    },
    /// Remove an address from a contact
    Remove {
        contact: Slug,
        channel: ChannelKind,
        #[arg(allow_hyphen_values = true)]
        address: String,
    },
    /// Switch an address on
    On {
        contact: Slug,
        channel: ChannelKind,
        #[arg(allow_hyphen_values = true)]
        address: String,
    },
    /// Switch an address off: nothing is sent to it any more, not even what is queued
    Off {
        contact: Slug,
        channel: ChannelKind,
        #[arg(allow_hyphen_values = true)]
        address: String,
    },
    /// List addresses, of all contacts or of one
    List { contact: Option<Slug> },
}

/// What is done to an endpoint.
#[derive(Clone, Copy)]
enum Deed {
    Add,
    Remove,
    Switch(bool),
}

pub(crate) async fn run(place: &Place, command: Command) -> Result<(), Failure> {
    let (deed, contact, channel, address) = match command {
        Command::List { contact } => return list(place, contact).await,
        Command::Add {
            contact,
            channel,
            address,
        } => (Deed::Add, contact, channel, address),
        Command::Remove {
            contact,
            channel,
            address,
        } => (Deed::Remove, contact, channel, address),
        Command::On {
            contact,
            channel,
            address,
        } => (Deed::Switch(true), contact, channel, address),
        Command::Off {
            contact,
            channel,
            address,
        } => (Deed::Switch(false), contact, channel, address),
    };
    let found: Contact = place.find(&contact).await?;
    let as_it_is =
        |known: &&Endpoint| known.channel == channel && known.address.is_written(address.trim());
    let new = match found.endpoints.iter().find(as_it_is) {
        // It may be one that is not valid, and is to go.
        Some(known) => known.clone(),
        None => place.endpoint(channel, &address).await?,
    };
    let Endpoint {
        channel, address, ..
    } = &new;
    // A server shows no passwords.
    let same =
        |known: &&Endpoint| known.channel == *channel && known.address.masked() == address.masked();
    let endpoint = match (deed, found.endpoints.iter().find(same)) {
        (Deed::Add, Some(_)) => {
            let message = format!("contact/{contact} has {channel} {address} already");
            return Err(Failure::new(Exit::Failed, message));
        }
        (Deed::Add, None) => &new,
        (Deed::Remove | Deed::Switch(_), Some(known)) => known,
        (Deed::Remove | Deed::Switch(_), None) => {
            let message = format!(
                "contact/{contact} has no {channel} {address}: see `redflash contact show {contact}`"
            );
            return Err(Failure::new(Exit::Refused, message));
        }
    };
    let apply = |contact: &mut Contact| deed.apply(contact, endpoint);
    let change = Box::pin(async {
        match deed {
            Deed::Add => place.change_warned(&contact, apply).await?,
            Deed::Remove | Deed::Switch(_) => place.change(&contact, apply).await?,
        };
        place.output.remark(match deed {
            Deed::Add => format!("added {channel} {address} to contact/{contact}"),
            Deed::Remove => format!("removed {channel} {address} from contact/{contact}"),
            Deed::Switch(on) => {
                format!("{channel} {address} of contact/{contact} is {}", switch(on))
            }
        })
    });
    match deed {
        Deed::Remove | Deed::Switch(false) => {
            warn_of_losses(place, change, |reach| reach.contact(&contact, apply)).await
        }
        Deed::Add | Deed::Switch(true) => change.await,
    }
}

impl Deed {
    fn apply(self, contact: &mut Contact, endpoint: &Endpoint) {
        let endpoints = &mut contact.endpoints;
        match self {
            Self::Add => endpoints.push(endpoint.clone()),
            Self::Remove => endpoints.retain(|known| known.id != endpoint.id),
            Self::Switch(on) => {
                for known in endpoints.iter_mut().filter(|known| known.id == endpoint.id) {
                    known.enabled = on;
                    known.opted_out = None;
                }
            }
        }
    }
}

async fn list(place: &Place, contact: Option<Slug>) -> Result<(), Failure> {
    let contacts: Vec<Contact> = match &contact {
        Some(slug) => vec![place.find(slug).await?],
        None => place.list().await?,
    };
    let all = contacts.iter().flat_map(|contact| {
        contact
            .endpoints
            .iter()
            .map(move |endpoint| (contact, endpoint))
    });
    if place.output.json {
        let shown = all.map(|(contact, endpoint)| {
            json!({
                "contact": contact.slug, "id": endpoint.id, "channel": endpoint.channel,
                "address": endpoint.address, "enabled": endpoint.enabled,
                "opted_out": endpoint.opted_out,
            })
        });
        return place.output.json(&shown.collect::<Vec<_>>());
    }
    let rows = all.map(|(contact, endpoint)| {
        [
            contact.slug.to_string(),
            endpoint.channel.to_string(),
            endpoint.address.to_string(),
            endpoint_switch(endpoint),
        ]
    });
    place.output.table(
        ["contact", "channel", "address", "is"],
        rows.collect(),
        "no endpoints yet: `redflash endpoint add CONTACT CHANNEL ADDRESS`",
    )
}
