//! `redflash event`: named occurrences with words of their own.

use clap::{Args, Subcommand};
use redflash_core::{Event, MissingArguments, Name, Slug};

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
    List,
    /// Show one event
    Show { slug: Slug },
    /// Change an event
    Edit(Edit),
    /// Remove an event
    Remove { slug: Slug },
    /// Switch an event on
    On { slug: Slug },
    /// Switch an event off: raising it is refused
    Off { slug: Slug },
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    slug: Slug,
    /// How it is called among people
    #[arg(long, allow_hyphen_values = true)]
    name: Name,
    /// What is said, with {{arguments}}
    #[arg(long, value_name = "TEMPLATE", allow_hyphen_values = true)]
    message: String,
    /// The subject, with {{arguments}}, where there is one
    #[arg(long, value_name = "TEMPLATE", allow_hyphen_values = true)]
    subject: Option<String>,
    /// Somebody who is told; may be given often
    #[arg(long = "contact", value_name = "CONTACT")]
    contacts: Vec<Slug>,
    /// A group that is told; may be given often
    #[arg(long = "group", value_name = "GROUP")]
    groups: Vec<Slug>,
    /// Who it says it comes from, where the gateway allows that
    #[arg(long, allow_hyphen_values = true)]
    sender: Option<String>,
    /// What it is about, for those who look after it
    #[arg(long, default_value = "", allow_hyphen_values = true)]
    description: String,
    /// The action when a raise leaves out an argument: blank prints nothing, mark prints [host?],
    /// refuse refuses the raise
    #[arg(long, value_name = "blank|mark|refuse", default_value_t = MissingArguments::Mark)]
    missing_arguments: MissingArguments,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct Edit {
    slug: Slug,
    #[arg(long, allow_hyphen_values = true)]
    name: Option<Name>,
    #[arg(long, value_name = "TEMPLATE", allow_hyphen_values = true)]
    message: Option<String>,
    /// The subject; empty for the event's name
    #[arg(long, value_name = "TEMPLATE", allow_hyphen_values = true)]
    subject: Option<String>,
    /// The sender; empty for the gateway's own
    #[arg(long, allow_hyphen_values = true)]
    sender: Option<String>,
    #[arg(long, allow_hyphen_values = true)]
    description: Option<String>,
    /// The action when a raise leaves out an argument
    #[arg(long, value_name = "blank|mark|refuse")]
    missing_arguments: Option<MissingArguments>,
    #[arg(long, value_name = "CONTACT")]
    add_contact: Vec<Slug>,
    #[arg(long, value_name = "CONTACT")]
    remove_contact: Vec<Slug>,
    #[arg(long, value_name = "GROUP")]
    add_group: Vec<Slug>,
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
                tell_switch(backend, &event)
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
    let given = |text: String| (!text.is_empty()).then_some(text);
    if let Some(name) = edit.name {
        event.name = name;
    }
    if let Some(message) = edit.message {
        event.message = message;
    }
    if let Some(subject) = edit.subject {
        event.subject = given(subject);
    }
    if let Some(sender) = edit.sender {
        event.sender = given(sender);
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
            told(event).join(", "),
            one_line(&event.message),
        ]
    };
    backend.output.table(
        ["event", "name", "is", "tells", "message"],
        events.iter().map(row).collect(),
        "no events yet: `redflash event add SLUG --name NAME --message TEMPLATE --contact CONTACT`",
    )
}

fn told(event: &Event) -> Vec<String> {
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
        ("about", described),
        ("subject", event.subject.as_deref()),
        ("message", Some(&*event.message)),
        ("sender", event.sender.as_deref()),
        ("missing", Some(event.missing_arguments.as_str())),
    ] {
        if let Some(text) = text {
            output.line(format!("  {name:<8} {}", one_line(text)))?;
        }
    }
    output.line(format!("  tells    {}", told(&event).join(", ")))
}

async fn change(
    backend: &Backend,
    slug: &Slug,
    change: impl Fn(&mut Event) + Send + Sync,
) -> Result<(), CliError> {
    let event = backend.change(slug, change).await?;
    tell_switch(backend, &event)
}

fn tell_switch(backend: &Backend, event: &Event) -> Result<(), CliError> {
    let said = format!("event/{} is {}", event.slug, switch(event.enabled));
    backend.output.remark(said)
}
