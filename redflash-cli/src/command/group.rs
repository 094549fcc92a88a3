//! `redflash group`: groups of contacts.

use clap::Subcommand;
use redflash_core::model::{Group, Name, Slug};

use super::reachability::warn_if_unreachable;
use crate::backend::Backend;
use crate::error::CliError;
use crate::format::{count, switch};
use crate::sanitize::{one_line, sanitize};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Add a group
    #[command(after_help = "\
Examples:
  redflash group add on-call --name 'On call' --contact ann --contact ben")]
    Add {
        /// Slug for commands and URLs
        #[arg(value_name = "GROUP")]
        slug: Slug,
        /// Display name
        #[arg(long, allow_hyphen_values = true)]
        name: Name,
        /// Member; repeatable
        #[arg(long = "contact", value_name = "CONTACT")]
        contacts: Vec<Slug>,
    },
    /// List groups
    #[command(after_help = "Examples:\n  redflash group list --json")]
    List,
    /// Show a group
    #[command(after_help = "Examples:\n  redflash group show on-call")]
    Show {
        /// Slug of the group
        #[arg(value_name = "GROUP")]
        slug: Slug,
    },
    /// Change the name or members of a group
    #[command(after_help = "Examples:\n  redflash group edit on-call --add ann --remove ben")]
    Edit {
        /// Slug of the group
        #[arg(value_name = "GROUP")]
        slug: Slug,
        /// New display name
        #[arg(long, allow_hyphen_values = true)]
        name: Option<Name>,
        /// Contact to add; repeatable
        #[arg(long, value_name = "CONTACT")]
        add: Vec<Slug>,
        /// Contact to remove; repeatable
        #[arg(long, value_name = "CONTACT")]
        remove: Vec<Slug>,
    },
    /// Remove a group, but not its members
    #[command(after_help = "Examples:\n  redflash group remove on-call")]
    Remove {
        /// Slug of the group
        #[arg(value_name = "GROUP")]
        slug: Slug,
    },
    /// Switch a group on
    #[command(after_help = "Examples:\n  redflash group on on-call")]
    On {
        /// Slug of the group
        #[arg(value_name = "GROUP")]
        slug: Slug,
    },
    /// Switch a group off and cancel deliveries queued through it
    #[command(after_help = "Examples:\n  redflash group off on-call")]
    Off {
        /// Slug of the group
        #[arg(value_name = "GROUP")]
        slug: Slug,
    },
}

pub(crate) async fn run(backend: &Backend, command: Command) -> Result<(), CliError> {
    match command {
        Command::Add {
            slug,
            name,
            contacts,
        } => {
            let group = Group::new(slug, name, unique(contacts));
            backend.create(&group).await
        }
        Command::List => list(backend).await,
        Command::Show { slug } => show(backend, &slug).await,
        Command::Edit {
            slug,
            name,
            add,
            remove,
        } => {
            let edit = |group: &mut Group| {
                if let Some(name) = &name {
                    group.name.clone_from(name);
                }
                edit_members(&mut group.contacts, add.clone(), &remove);
            };
            let change = Box::pin(change(backend, &slug, edit));
            warn_if_unreachable(backend, change, |directory| directory.group(&slug, edit)).await
        }
        Command::Remove { slug } => {
            let remove = Box::pin(backend.remove::<Group>(&slug));
            let is_other = |group: &Group| group.slug != slug;
            warn_if_unreachable(backend, remove, |directory| {
                directory.groups.retain(is_other);
            })
            .await
        }
        Command::On { slug } => change(backend, &slug, |group| group.enabled = true).await,
        Command::Off { slug } => {
            let off = |group: &mut Group| group.enabled = false;
            let change = Box::pin(change(backend, &slug, off));
            warn_if_unreachable(backend, change, |directory| directory.group(&slug, off)).await
        }
    }
}

/// Removes duplicates and keeps the order.
pub(super) fn unique(slugs: Vec<Slug>) -> Vec<Slug> {
    let mut members = Vec::with_capacity(slugs.len());
    edit_members(&mut members, slugs, &[]);
    members
}

/// Removes and adds members, without duplicates.
pub(super) fn edit_members(members: &mut Vec<Slug>, add: Vec<Slug>, remove: &[Slug]) {
    members.retain(|member| !remove.contains(member));
    for member in add {
        if !members.contains(&member) {
            members.push(member);
        }
    }
}

async fn list(backend: &Backend) -> Result<(), CliError> {
    let groups: Vec<Group> = backend.list().await?;
    if backend.output.json {
        return backend.output.json(&groups);
    }
    let row = |group: &Group| {
        [
            group.slug.to_string(),
            one_line(group.name.as_str()),
            switch(group.enabled).to_owned(),
            count(group.contacts.len(), "contact"),
        ]
    };
    backend.output.table(
        ["group", "name", "state", "members"],
        groups.iter().map(row).collect(),
        "no groups yet: `redflash group add SLUG --name NAME --contact CONTACT`",
    )
}

async fn show(backend: &Backend, slug: &Slug) -> Result<(), CliError> {
    let group: Group = backend.find(slug).await?;
    let output = &backend.output;
    if output.json {
        return output.json(&group);
    }
    output.line(format!(
        "group/{} {} ({})",
        group.slug,
        sanitize(group.name.as_str()),
        switch(group.enabled)
    ))?;
    for contact in &group.contacts {
        output.line(format!("  contact/{contact}"))?;
    }
    Ok(())
}

async fn change(
    backend: &Backend,
    slug: &Slug,
    change: impl Fn(&mut Group) + Send + Sync,
) -> Result<(), CliError> {
    let group = backend.change(slug, change).await?;
    let members = count(group.contacts.len(), "contact");
    let message = format!("group/{slug} is {}, with {members}", switch(group.enabled));
    backend.output.remark(message)
}
