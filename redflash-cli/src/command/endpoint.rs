//! `redflash endpoint`: the addresses of contacts.

use clap::Subcommand;
use redflash_core::store::{Entry, Save};
use redflash_core::{ChannelKind, Contact, EndpointId, Slug};
use serde_json::json;

use super::contact::find;
use super::{engine, save};
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
    let mut found = find(&engine, &contact).await?;
    let address = parse_address(&engine, &channel, &address)?;
    let same = |endpoint: &redflash_core::Endpoint| {
        endpoint.channel == channel && endpoint.address == address
    };
    let known = found.endpoints.iter().position(same);
    let absent = || {
        let message = format!(
            "contact/{contact} has no {channel} {address}: see `redflash contact show {contact}`"
        );
        Failure::new(Exit::Refused, message)
    };
    let said = match (deed, known) {
        (Deed::Add, Some(_)) => {
            let message = format!("contact/{contact} has {channel} {address} already");
            return Err(Failure::new(Exit::Failed, message));
        }
        (Deed::Add, None) => {
            let id = EndpointId::new(engine.now());
            found = found.with_endpoint(id, channel.clone(), address.clone());
            format!("added {channel} {address} to contact/{contact}")
        }
        (Deed::Remove | Deed::Switch(_), None) => return Err(absent()),
        (Deed::Remove, Some(place)) => {
            found.endpoints.remove(place);
            format!("removed {channel} {address} from contact/{contact}")
        }
        (Deed::Switch(on), Some(place)) => {
            found.endpoints[place].enabled = on;
            found.endpoints[place].opted_out = None;
            format!("{channel} {address} of contact/{contact} is {}", switch(on))
        }
    };
    save(context, &engine, Entry::Contact(found), Save::Update, said).await
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
