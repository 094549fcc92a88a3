//! `redflash endpoint`: the addresses of contacts.

use clap::Subcommand;
use redflash_core::{Address, ChannelKind, Contact, Endpoint, EndpointId, Slug};
use serde_json::json;

use super::contact::find;
use super::{change, engine};
use crate::context::{Context, address as parse_address};
use crate::failure::{Exit, Failure};
use crate::words::{endpoint_switch, switch};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Add an address to a contact
    Add {
        contact: Slug,
        channel: ChannelKind,
        address: String,
    },
    /// Remove an address from a contact
    Remove {
        contact: Slug,
        channel: ChannelKind,
        address: String,
    },
    /// Switch an address on
    On {
        contact: Slug,
        channel: ChannelKind,
        address: String,
    },
    /// Switch an address off: nothing is sent to it any more, not even what is queued
    Off {
        contact: Slug,
        channel: ChannelKind,
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

pub(crate) async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    let (deed, contact, channel, address) = match command {
        Command::List { contact } => return list(context, contact).await,
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
    let engine = engine(context).await?;
    let address = parse_address(&engine, &channel, &address)?;
    let same = |endpoint: &Endpoint| endpoint.channel == channel && endpoint.address == address;
    let found = find(&engine, &contact).await?;
    let id = match (deed, found.endpoints.iter().find(|known| same(known))) {
        (Deed::Add, Some(_)) => {
            let message = format!("contact/{contact} has {channel} {address} already");
            return Err(Failure::new(Exit::Failed, message));
        }
        (Deed::Add, None) => EndpointId::new(engine.now()),
        (Deed::Remove | Deed::Switch(_), Some(known)) => known.id,
        (Deed::Remove | Deed::Switch(_), None) => {
            let message = format!(
                "contact/{contact} has no {channel} {address}: see `redflash contact show {contact}`"
            );
            return Err(Failure::new(Exit::Refused, message));
        }
    };
    let (channel, address) = (&channel, &address);
    change::<Contact>(context, &contact, |contact| {
        deed.apply(contact, id, channel, address);
    })
    .await?;
    context.output.remark(match deed {
        Deed::Add => format!("added {channel} {address} to contact/{contact}"),
        Deed::Remove => format!("removed {channel} {address} from contact/{contact}"),
        Deed::Switch(on) => format!("{channel} {address} of contact/{contact} is {}", switch(on)),
    })
}

impl Deed {
    fn apply(
        self,
        contact: &mut Contact,
        id: EndpointId,
        channel: &ChannelKind,
        address: &Address,
    ) {
        match self {
            Self::Add => {
                *contact = contact
                    .clone()
                    .with_endpoint(id, channel.clone(), address.clone());
            }
            Self::Remove => contact.endpoints.retain(|known| known.id != id),
            Self::Switch(on) => {
                for known in contact.endpoints.iter_mut().filter(|known| known.id == id) {
                    known.enabled = on;
                    known.opted_out = None;
                }
            }
        }
    }
}

async fn list(context: &Context, contact: Option<Slug>) -> Result<(), Failure> {
    let engine = engine(context).await?;
    let contacts: Vec<Contact> = match &contact {
        Some(slug) => vec![find(&engine, slug).await?],
        None => engine.store().contacts().await?,
    };
    let all = contacts.iter().flat_map(|contact| {
        contact
            .endpoints
            .iter()
            .map(move |endpoint| (contact, endpoint))
    });
    if context.output.json {
        let shown = all.map(|(contact, endpoint)| {
            json!({
                "contact": contact.slug, "id": endpoint.id, "channel": endpoint.channel,
                "address": endpoint.address, "enabled": endpoint.enabled,
                "opted_out": endpoint.opted_out,
            })
        });
        return context.output.json(&shown.collect::<Vec<_>>());
    }
    let rows = all.map(|(contact, endpoint)| {
        [
            contact.slug.to_string(),
            endpoint.channel.to_string(),
            endpoint.address.to_string(),
            endpoint_switch(endpoint),
        ]
    });
    context.output.table(
        ["contact", "channel", "address", "is"],
        rows.collect(),
        "no endpoints yet: `redflash endpoint add CONTACT CHANNEL ADDRESS`",
    )
}
