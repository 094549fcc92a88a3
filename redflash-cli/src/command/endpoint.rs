//! `redflash endpoint`: the addresses of contacts.

use clap::Subcommand;
use redflash_core::model::{ChannelKind, Contact, Endpoint, Slug};
use serde_json::json;

use super::reachability::warn_if_unreachable;
use crate::backend::Backend;
use crate::error::{CliError, Exit};
use crate::format::{endpoint_switch, switch};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Add an address to a contact
    #[command(after_help = "Examples:\n  redflash endpoint add ann email ann@example.org")]
    Add {
        /// Slug of the contact
        contact: Slug,
        /// Channel, such as email, sms or webhook
        channel: ChannelKind,
        /// Address on the channel
        #[arg(allow_hyphen_values = true)]
        address: String,
    },
    /// Remove an address from a contact
    #[command(after_help = "Examples:\n  redflash endpoint remove ann email ann@example.org")]
    Remove {
        /// Slug of the contact
        contact: Slug,
        /// Channel, such as email, sms or webhook
        channel: ChannelKind,
        /// Address on the channel
        #[arg(allow_hyphen_values = true)]
        address: String,
    },
    /// Switch an address on
    #[command(after_help = "Examples:\n  redflash endpoint on ann sms +447700900123")]
    On {
        /// Slug of the contact
        contact: Slug,
        /// Channel, such as email, sms or webhook
        channel: ChannelKind,
        /// Address on the channel
        #[arg(allow_hyphen_values = true)]
        address: String,
    },
    /// Switch an address off and cancel its queued deliveries
    #[command(after_help = "Examples:\n  redflash endpoint off ann sms +447700900123")]
    Off {
        /// Slug of the contact
        contact: Slug,
        /// Channel, such as email, sms or webhook
        channel: ChannelKind,
        /// Address on the channel
        #[arg(allow_hyphen_values = true)]
        address: String,
    },
    /// List addresses
    #[command(after_help = "Examples:\n  redflash endpoint list\n  redflash endpoint list ann")]
    List {
        /// Contact whose addresses to list [default: all contacts]
        contact: Option<Slug>,
    },
}

/// A change to an endpoint.
#[derive(Clone, Copy)]
enum EndpointAction {
    Add,
    Remove,
    Switch(bool),
}

pub(crate) async fn run(backend: &Backend, command: Command) -> Result<(), CliError> {
    let (action, contact, channel, address) = match command {
        Command::List { contact } => return list(backend, contact).await,
        Command::Add {
            contact,
            channel,
            address,
        } => (EndpointAction::Add, contact, channel, address),
        Command::Remove {
            contact,
            channel,
            address,
        } => (EndpointAction::Remove, contact, channel, address),
        Command::On {
            contact,
            channel,
            address,
        } => (EndpointAction::Switch(true), contact, channel, address),
        Command::Off {
            contact,
            channel,
            address,
        } => (EndpointAction::Switch(false), contact, channel, address),
    };
    let found: Contact = backend.find(&contact).await?;
    let is_same =
        |known: &&Endpoint| known.channel == channel && known.address.is_written(address.trim());
    let new = match found.endpoints.iter().find(is_same) {
        // An invalid address can still be removed.
        Some(known) => known.clone(),
        None => backend.endpoint(channel, &address).await?,
    };
    let Endpoint {
        channel, address, ..
    } = &new;
    // A server masks passwords.
    let same =
        |known: &&Endpoint| known.channel == *channel && known.address.masked() == address.masked();
    let endpoint = match (action, found.endpoints.iter().find(same)) {
        (EndpointAction::Add, Some(_)) => {
            let message = format!("contact/{contact} already has {channel} {address}");
            return Err(CliError::new(Exit::Failed, message));
        }
        (EndpointAction::Add, None) => &new,
        (EndpointAction::Remove | EndpointAction::Switch(_), Some(known)) => known,
        (EndpointAction::Remove | EndpointAction::Switch(_), None) => {
            let message = format!(
                "contact/{contact} has no {channel} {address}: see `redflash contact show {contact}`"
            );
            return Err(CliError::new(Exit::Refused, message));
        }
    };
    let apply = |contact: &mut Contact| action.apply(contact, endpoint);
    let change = Box::pin(async {
        match action {
            EndpointAction::Add => backend.change_warned(&contact, apply).await?,
            EndpointAction::Remove | EndpointAction::Switch(_) => {
                backend.change(&contact, apply).await?
            }
        };
        backend.output.remark(match action {
            EndpointAction::Add => format!("added {channel} {address} to contact/{contact}"),
            EndpointAction::Remove => format!("removed {channel} {address} from contact/{contact}"),
            EndpointAction::Switch(on) => {
                format!("{channel} {address} of contact/{contact} is {}", switch(on))
            }
        })
    });
    match action {
        EndpointAction::Remove | EndpointAction::Switch(false) => {
            warn_if_unreachable(backend, change, |directory| {
                directory.contact(&contact, apply);
            })
            .await
        }
        EndpointAction::Add | EndpointAction::Switch(true) => change.await,
    }
}

impl EndpointAction {
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

async fn list(backend: &Backend, contact: Option<Slug>) -> Result<(), CliError> {
    let contacts: Vec<Contact> = match &contact {
        Some(slug) => vec![backend.find(slug).await?],
        None => backend.list().await?,
    };
    let all = contacts.iter().flat_map(|contact| {
        contact
            .endpoints
            .iter()
            .map(move |endpoint| (contact, endpoint))
    });
    if backend.output.json {
        let shown = all.map(|(contact, endpoint)| {
            json!({
                "contact": contact.slug, "id": endpoint.id, "channel": endpoint.channel,
                "address": endpoint.address, "enabled": endpoint.enabled,
                "opted_out": endpoint.opted_out,
            })
        });
        return backend.output.json(&shown.collect::<Vec<_>>());
    }
    let rows = all.map(|(contact, endpoint)| {
        [
            contact.slug.to_string(),
            endpoint.channel.to_string(),
            endpoint.address.to_string(),
            endpoint_switch(endpoint),
        ]
    });
    backend.output.table(
        ["contact", "channel", "address", "state"],
        rows.collect(),
        "no endpoints yet: `redflash endpoint add CONTACT CHANNEL ADDRESS`",
    )
}
