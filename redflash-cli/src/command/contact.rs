//! `redflash contact`: people and systems that can be told.

use clap::{Args, Subcommand};
use redflash_core::{ChannelKind, Contact, Name, Slug};

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
    List,
    /// Show one contact
    Show { slug: Slug },
    /// Change a contact's name
    Edit {
        slug: Slug,
        #[arg(long, allow_hyphen_values = true)]
        name: Name,
    },
    /// Remove a contact; what was sent stays in the log
    Remove { slug: Slug },
    /// Switch a contact on
    On { slug: Slug },
    /// Switch a contact off: nothing is sent to it any more, not even what is queued
    Off { slug: Slug },
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    /// How it is called in commands and URLs
    slug: Slug,
    /// How it is called among people
    #[arg(long, allow_hyphen_values = true)]
    name: Name,
    /// A telephone number with its country, such as +447700900123
    #[arg(long, value_name = "NUMBER")]
    sms: Vec<String>,
    /// A mail address
    #[arg(long, value_name = "ADDRESS")]
    email: Vec<String>,
    /// A URL
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
                directory.contacts.retain(is_other)
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
        ["contact", "name", "is", "channels"],
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
    let row = |endpoint: &redflash_core::Endpoint| {
        [
            format!("  {}", endpoint.channel),
            endpoint.address.to_string(),
            endpoint_switch(endpoint),
        ]
    };
    output.table(
        ["  channel", "address", "is"],
        contact.endpoints.iter().map(row).collect(),
        "  no endpoint yet: `redflash endpoint add CONTACT CHANNEL ADDRESS`",
    )
}

async fn change(
    backend: &Backend,
    slug: &Slug,
    change: impl Fn(&mut Contact) + Send + Sync,
) -> Result<(), CliError> {
    let contact = backend.change(slug, change).await?;
    let said = format!("contact/{slug} is {}", switch(contact.enabled));
    backend.output.remark(said)
}
