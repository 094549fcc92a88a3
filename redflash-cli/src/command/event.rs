//! `redflash event`: message templates with their recipients.

use clap::{Args, Subcommand};
use redflash_core::model::{Event, MissingArguments, Name, Slug};

use super::group::{edit_members, unique};
use super::reachability::warn_if_unreachable;
use crate::backend::Backend;
use crate::error::CliError;
use crate::format::switch;
use crate::sanitize::{one_line, sanitize};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Add an event
    Add(Add),
    /// List events
    #[command(after_help = "Examples:\n  redflash event list --json")]
    List,
    /// Show an event
    #[command(after_help = "Examples:\n  redflash event show disk-full")]
    Show {
        /// Slug of the event
        #[arg(value_name = "EVENT")]
        slug: Slug,
    },
    /// Change an event
    Edit(Edit),
    /// Remove an event
    #[command(after_help = "Examples:\n  redflash event remove disk-full")]
    Remove {
        /// Slug of the event
        #[arg(value_name = "EVENT")]
        slug: Slug,
    },
    /// Switch an event on
    #[command(after_help = "Examples:\n  redflash event on disk-full")]
    On {
        /// Slug of the event
        #[arg(value_name = "EVENT")]
        slug: Slug,
    },
    /// Switch an event off, so that it cannot be raised
    #[command(after_help = "Examples:\n  redflash event off disk-full")]
    Off {
        /// Slug of the event
        #[arg(value_name = "EVENT")]
        slug: Slug,
    },
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  redflash event add disk --name Disk --message '{{host}} is full' --group ops")]
pub(crate) struct Add {
    /// Slug for commands and URLs
    #[arg(value_name = "EVENT")]
    slug: Slug,
    /// Display name
    #[arg(long, allow_hyphen_values = true)]
    name: Name,
    /// Template of the message, with {{arguments}}
    #[arg(long, value_name = "TEMPLATE", allow_hyphen_values = true)]
    message: String,
    /// Template of the subject, for channels that have one [default: the event's name]
    #[arg(long, value_name = "TEMPLATE", allow_hyphen_values = true)]
    subject: Option<String>,
    /// Contact to notify; repeatable
    #[arg(long = "contact", value_name = "CONTACT")]
    contacts: Vec<Slug>,
    /// Group to notify; repeatable
    #[arg(long = "group", value_name = "GROUP")]
    groups: Vec<Slug>,
    /// Sender of the message, if the gateway allows it
    #[arg(long, allow_hyphen_values = true)]
    sender: Option<String>,
    /// Description for operators
    #[arg(
        long,
        default_value = "",
        hide_default_value = true,
        allow_hyphen_values = true
    )]
    description: String,
    /// Handling of missing arguments: blank inserts nothing, mark inserts a marker such as [host?],
    /// refuse rejects the alert
    #[arg(long, value_name = "ACTION", default_value_t = MissingArguments::Mark)]
    missing_arguments: MissingArguments,
}

#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  redflash event edit disk-full --subject '[{{host}}]' --add-contact ann")]
pub(crate) struct Edit {
    /// Slug of the event
    #[arg(value_name = "EVENT")]
    slug: Slug,
    /// New display name
    #[arg(long, allow_hyphen_values = true)]
    name: Option<Name>,
    /// New template of the message
    #[arg(long, value_name = "TEMPLATE", allow_hyphen_values = true)]
    message: Option<String>,
    /// New template of the subject; empty for the event's name
    #[arg(long, value_name = "TEMPLATE", allow_hyphen_values = true)]
    subject: Option<String>,
    /// New sender; empty for the gateway's default
    #[arg(long, allow_hyphen_values = true)]
    sender: Option<String>,
    /// New description
    #[arg(long, allow_hyphen_values = true)]
    description: Option<String>,
    /// New handling of missing arguments: blank, mark or refuse
    #[arg(long, value_name = "ACTION")]
    missing_arguments: Option<MissingArguments>,
    /// Contact to add; repeatable
    #[arg(long, value_name = "CONTACT")]
    add_contact: Vec<Slug>,
    /// Contact to remove; repeatable
    #[arg(long, value_name = "CONTACT")]
    remove_contact: Vec<Slug>,
    /// Group to add; repeatable
    #[arg(long, value_name = "GROUP")]
    add_group: Vec<Slug>,
    /// Group to remove; repeatable
    #[arg(long, value_name = "GROUP")]
    remove_group: Vec<Slug>,
}

pub(crate) async fn run(backend: &Backend, command: Command) -> Result<(), CliError> {
    match command {
        Command::Add(add) => self::add(backend, add).await,
        Command::List => list(backend).await,
        Command::Show { slug } => show(backend, &slug).await,
        Command::Edit(edit) => {
            let slug = edit.slug.clone();
            let edit = |event: &mut Event| apply(event, edit.clone());
            let change = Box::pin(async {
                let event = backend.change_warned(&slug, edit).await?;
                print_state(backend, &event)
            });
            warn_if_unreachable(backend, change, |directory| directory.event(&slug, edit)).await
        }
        Command::Remove { slug } => backend.remove::<Event>(&slug).await,
        Command::On { slug } => change(backend, &slug, |event| event.enabled = true).await,
        Command::Off { slug } => change(backend, &slug, |event| event.enabled = false).await,
    }
}

async fn add(backend: &Backend, add: Add) -> Result<(), CliError> {
    let mut event = Event::new(add.slug, add.name, add.message);
    event.subject = add.subject;
    event.sender = add.sender;
    event.description = add.description;
    event.missing_arguments = add.missing_arguments;
    event.contacts = unique(add.contacts);
    event.groups = unique(add.groups);
    backend.create(&event).await
}

fn apply(event: &mut Event, edit: Edit) {
    let non_empty = |text: String| (!text.is_empty()).then_some(text);
    if let Some(name) = edit.name {
        event.name = name;
    }
    if let Some(message) = edit.message {
        event.message = message;
    }
    if let Some(subject) = edit.subject {
        event.subject = non_empty(subject);
    }
    if let Some(sender) = edit.sender {
        event.sender = non_empty(sender);
    }
    if let Some(description) = edit.description {
        event.description = description;
    }
    if let Some(missing_arguments) = edit.missing_arguments {
        event.missing_arguments = missing_arguments;
    }
    edit_members(&mut event.contacts, edit.add_contact, &edit.remove_contact);
    edit_members(&mut event.groups, edit.add_group, &edit.remove_group);
}

async fn list(backend: &Backend) -> Result<(), CliError> {
    let events: Vec<Event> = backend.list().await?;
    if backend.output.json {
        return backend.output.json(&events);
    }
    let row = |event: &Event| {
        [
            event.slug.to_string(),
            one_line(event.name.as_str()),
            switch(event.enabled).to_owned(),
            recipients(event).join(", "),
            one_line(&event.message),
        ]
    };
    backend.output.table(
        ["event", "name", "state", "recipients", "message"],
        events.iter().map(row).collect(),
        "no events yet: `redflash event add SLUG --name NAME --message TEMPLATE --contact CONTACT`",
    )
}

fn recipients(event: &Event) -> Vec<String> {
    let contacts = event.contacts.iter().map(|slug| format!("contact/{slug}"));
    let groups = event.groups.iter().map(|slug| format!("group/{slug}"));
    contacts.chain(groups).collect()
}

async fn show(backend: &Backend, slug: &Slug) -> Result<(), CliError> {
    let event: Event = backend.find(slug).await?;
    let output = &backend.output;
    if output.json {
        return output.json(&event);
    }
    output.line(format!(
        "event/{} {} ({})",
        event.slug,
        sanitize(event.name.as_str()),
        switch(event.enabled)
    ))?;
    let described = (!event.description.is_empty()).then_some(&*event.description);
    for (name, text) in [
        ("description", described),
        ("subject", event.subject.as_deref()),
        ("message", Some(&*event.message)),
        ("sender", event.sender.as_deref()),
        ("missing", Some(event.missing_arguments.as_str())),
    ] {
        if let Some(text) = text {
            output.line(format!("  {name:<11} {}", one_line(text)))?;
        }
    }
    output.line(format!("  recipients  {}", recipients(&event).join(", ")))
}

async fn change(
    backend: &Backend,
    slug: &Slug,
    change: impl Fn(&mut Event) + Send + Sync,
) -> Result<(), CliError> {
    let event = backend.change(slug, change).await?;
    print_state(backend, &event)
}

fn print_state(backend: &Backend, event: &Event) -> Result<(), CliError> {
    let message = format!("event/{} is {}", event.slug, switch(event.enabled));
    backend.output.remark(message)
}
