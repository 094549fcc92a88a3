//! `redflash contact`: people and systems that can be told.

use clap::{Args, Subcommand};
use redflash_core::{ChannelKind, Contact, EndpointId, Engine, Name, Slug};

use super::{create, discard, engine};
use crate::context::{Context, address as parse_address};
use crate::failure::Failure;
use crate::output::{harmless, one_line};
use crate::words::{endpoint_switch, switch};

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
        #[arg(long)]
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
    #[arg(long)]
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

pub(crate) async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    match command {
        Command::Add(add) => self::add(context, add).await,
        Command::List => list(context).await,
        Command::Show { slug } => show(context, &slug).await,
        Command::Edit { slug, name } => {
            change(context, &slug, |contact| contact.name = name.clone()).await
        }
        Command::Remove { slug } => discard::<Contact>(context, &slug).await,
        Command::On { slug } => change(context, &slug, |contact| contact.enabled = true).await,
        Command::Off { slug } => change(context, &slug, |contact| contact.enabled = false).await,
    }
}

async fn add(context: &Context, add: Add) -> Result<(), Failure> {
    let engine = engine(context).await?;
    let mut contact = Contact::new(add.slug, add.name);
    let given = [
        (ChannelKind::sms(), add.sms),
        (ChannelKind::email(), add.email),
        (ChannelKind::webhook(), add.webhook),
    ];
    for (channel, addresses) in given {
        for raw in addresses {
            let address = parse_address(&engine, &channel, &raw)?;
            let id = EndpointId::new(engine.now());
            contact = contact.with_endpoint(id, channel.clone(), address);
        }
    }
    let said = format!("added contact/{}", contact.slug);
    create(context, &engine, &contact, said).await
}

async fn list(context: &Context) -> Result<(), Failure> {
    let contacts = engine(context).await?.store().contacts().await?;
    if context.output.json {
        return context.output.json(&contacts);
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
    context.output.table(
        ["contact", "name", "is", "channels"],
        contacts.iter().map(row).collect(),
        "no contacts yet: `redflash contact add SLUG --name NAME --email ADDRESS`",
    )
}

async fn show(context: &Context, slug: &Slug) -> Result<(), Failure> {
    let contact = find(&engine(context).await?, slug).await?;
    let output = &context.output;
    if output.json {
        return output.json(&contact);
    }
    output.line(format!(
        "contact/{} {} ({})",
        contact.slug,
        harmless(contact.name.as_str()),
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

/// The contact of this slug.
pub(super) async fn find(engine: &Engine, slug: &Slug) -> Result<Contact, Failure> {
    let found = engine.store().contact(slug).await?;
    found.ok_or_else(|| Failure::missing("contact", slug.as_str()))
}

async fn change(
    context: &Context,
    slug: &Slug,
    change: impl Fn(&mut Contact) + Send + Sync,
) -> Result<(), Failure> {
    let contact = super::change(context, slug, change).await?;
    let said = format!("contact/{slug} is {}", switch(contact.enabled));
    context.output.remark(said)
}
