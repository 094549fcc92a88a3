//! `redflash contact`: the people and systems that receive alerts.

use clap::{Args, Subcommand};
use redflash_core::model::{ChannelKind, Contact, Name, Slug};

use super::reachability::warn_if_unreachable;
use crate::backend::Backend;
use crate::error::CliError;
use crate::format::{endpoint_switch, switch};
use crate::sanitize::{one_line, sanitize};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Add a contact
    Add(Add),
    /// List contacts
    #[command(after_help = "Examples:\n  redflash contact list --json")]
    List,
    /// Show a contact
    #[command(after_help = "Examples:\n  redflash contact show ann")]
    Show {
        /// Slug of the contact
        #[arg(value_name = "CONTACT")]
        slug: Slug,
    },
    /// Rename a contact
    #[command(after_help = "Examples:\n  redflash contact edit ann --name 'Ann Example'")]
    Edit {
        /// Slug of the contact
        #[arg(value_name = "CONTACT")]
        slug: Slug,
        /// New display name
        #[arg(long, allow_hyphen_values = true)]
        name: Name,
    },
    /// Remove a contact; its deliveries stay in the log
    #[command(after_help = "Examples:\n  redflash contact remove ann")]
    Remove {
        /// Slug of the contact
        #[arg(value_name = "CONTACT")]
        slug: Slug,
    },
    /// Switch a contact on
    #[command(after_help = "Examples:\n  redflash contact on ann")]
    On {
        /// Slug of the contact
        #[arg(value_name = "CONTACT")]
        slug: Slug,
    },
    /// Switch a contact off and cancel its queued deliveries
    #[command(after_help = "Examples:\n  redflash contact off ann")]
    Off {
        /// Slug of the contact
        #[arg(value_name = "CONTACT")]
        slug: Slug,
    },
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  redflash contact add ann --name Ann --email ann@example.org
  redflash contact add bot --name Bot --webhook https://hooks.example.org/a")]
pub(crate) struct Add {
    /// Slug for commands and URLs
    #[arg(value_name = "CONTACT")]
    slug: Slug,
    /// Display name
    #[arg(long, allow_hyphen_values = true)]
    name: Name,
    /// Phone number in international format, such as +447700900123; repeatable
    #[arg(long, value_name = "NUMBER")]
    sms: Vec<String>,
    /// Email address; repeatable
    #[arg(long, value_name = "ADDRESS")]
    email: Vec<String>,
    /// Webhook URL; repeatable
    #[arg(long, value_name = "URL")]
    webhook: Vec<String>,
}

pub(crate) async fn run(backend: &Backend, command: Command) -> Result<(), CliError> {
    match command {
        Command::Add(add) => self::add(backend, add).await,
        Command::List => list(backend).await,
        Command::Show { slug } => show(backend, &slug).await,
        Command::Edit { slug, name } => {
            change(backend, &slug, |contact| contact.name = name.clone()).await
        }
        Command::Remove { slug } => {
            let remove = Box::pin(backend.remove::<Contact>(&slug));
            let is_other = |contact: &Contact| contact.slug != slug;
            warn_if_unreachable(backend, remove, |directory| {
                directory.contacts.retain(is_other);
            })
            .await
        }
        Command::On { slug } => change(backend, &slug, |contact| contact.enabled = true).await,
        Command::Off { slug } => {
            let off = |contact: &mut Contact| contact.enabled = false;
            let change = Box::pin(change(backend, &slug, off));
            warn_if_unreachable(backend, change, |directory| directory.contact(&slug, off)).await
        }
    }
}

async fn add(backend: &Backend, add: Add) -> Result<(), CliError> {
    let mut contact = Contact::new(add.slug, add.name);
    let given = [
        (ChannelKind::sms(), add.sms),
        (ChannelKind::email(), add.email),
        (ChannelKind::webhook(), add.webhook),
    ];
    for (channel, addresses) in given {
        for raw in addresses {
            let endpoint = backend.endpoint(channel.clone(), &raw).await?;
            contact.endpoints.push(endpoint);
        }
    }
    backend.create(&contact).await
}

async fn list(backend: &Backend) -> Result<(), CliError> {
    let contacts: Vec<Contact> = backend.list().await?;
    if backend.output.json {
        return backend.output.json(&contacts);
    }
    let row = |contact: &Contact| {
        let channels: Vec<_> = contact
            .endpoints
            .iter()
            .map(|endpoint| {
                let off = if endpoint.enabled { "" } else { " (off)" };
                format!("{}{off}", endpoint.channel)
            })
            .collect();
        [
            contact.slug.to_string(),
            one_line(contact.name.as_str()),
            switch(contact.enabled).to_owned(),
            channels.join(", "),
        ]
    };
    backend.output.table(
        ["contact", "name", "state", "channels"],
        contacts.iter().map(row).collect(),
        "no contacts yet: `redflash contact add SLUG --name NAME --email ADDRESS`",
    )
}

async fn show(backend: &Backend, slug: &Slug) -> Result<(), CliError> {
    let contact: Contact = backend.find(slug).await?;
    let output = &backend.output;
    if output.json {
        return output.json(&contact);
    }
    output.line(format!(
        "contact/{} {} ({})",
        contact.slug,
        sanitize(contact.name.as_str()),
        switch(contact.enabled)
    ))?;
    let row = |endpoint: &redflash_core::model::Endpoint| {
        [
            format!("  {}", endpoint.channel),
            endpoint.address.to_string(),
            endpoint_switch(endpoint),
        ]
    };
    output.table(
        ["  channel", "address", "state"],
        contact.endpoints.iter().map(row).collect(),
        "  no endpoints yet: `redflash endpoint add CONTACT CHANNEL ADDRESS`",
    )
}

async fn change(
    backend: &Backend,
    slug: &Slug,
    change: impl Fn(&mut Contact) + Send + Sync,
) -> Result<(), CliError> {
    let contact = backend.change(slug, change).await?;
    let message = format!("contact/{slug} is {}", switch(contact.enabled));
    backend.output.remark(message)
}
