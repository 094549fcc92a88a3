//! `redflash group`: sets of contacts.

use clap::Subcommand;
use redflash_core::{Group, Name, Slug};

use super::reach::warn_of_losses;
use crate::failure::Failure;
use crate::output::{harmless, one_line};
use crate::place::Place;
use crate::words::{count, switch};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Add a group
    Add {
        slug: Slug,
        /// How it is called among people
        #[arg(long, allow_hyphen_values = true)]
        name: Name,
        /// A member; may be given often
        #[arg(long = "contact", value_name = "CONTACT")]
        contacts: Vec<Slug>,
    },
    /// List groups
    List,
    /// Show one group
    Show { slug: Slug },
    /// Change a group's name or members
    Edit {
        slug: Slug,
        #[arg(long, allow_hyphen_values = true)]
        name: Option<Name>,
        /// A new member; may be given often
        #[arg(long, value_name = "CONTACT")]
        add: Vec<Slug>,
        /// Somebody who is a member no more; may be given often
        #[arg(long, value_name = "CONTACT")]
        remove: Vec<Slug>,
    },
    /// Remove a group; its members stay
    Remove { slug: Slug },
    /// Switch a group on
    On { slug: Slug },
    /// Switch a group off: nobody is told through it any more, not even what is queued
    Off { slug: Slug },
}

pub(crate) async fn run(place: &Place, command: Command) -> Result<(), Failure> {
    match command {
        Command::Add {
            slug,
            name,
            contacts,
        } => {
            let group = Group::new(slug, name, unique(contacts));
            place.create(&group).await
        }
        Command::List => list(place).await,
        Command::Show { slug } => show(place, &slug).await,
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
            let change = Box::pin(change(place, &slug, edit));
            warn_of_losses(place, change, |reach| reach.group(&slug, edit)).await
        }
        Command::Remove { slug } => {
            let remove = Box::pin(place.remove::<Group>(&slug));
            let is_other = |group: &Group| group.slug != slug;
            warn_of_losses(place, remove, |reach| reach.groups.retain(is_other)).await
        }
        Command::On { slug } => change(place, &slug, |group| group.enabled = true).await,
        Command::Off { slug } => {
            let off = |group: &mut Group| group.enabled = false;
            let change = Box::pin(change(place, &slug, off));
            warn_of_losses(place, change, |reach| reach.group(&slug, off)).await
        }
    }
}

/// Each of several slugs once, in the order of their first mention.
pub(super) fn unique(slugs: Vec<Slug>) -> Vec<Slug> {
    let mut members = Vec::with_capacity(slugs.len());
    edit_members(&mut members, slugs, &[]);
    members
}

/// Takes some members out of a list and puts others in, each once.
pub(super) fn edit_members(members: &mut Vec<Slug>, add: Vec<Slug>, remove: &[Slug]) {
    members.retain(|member| !remove.contains(member));
    for member in add {
        if !members.contains(&member) {
            members.push(member);
        }
    }
}

async fn list(place: &Place) -> Result<(), Failure> {
    let groups: Vec<Group> = place.list().await?;
    if place.output.json {
        return place.output.json(&groups);
    }
    let row = |group: &Group| {
        [
            group.slug.to_string(),
            one_line(group.name.as_str()),
            switch(group.enabled).to_owned(),
            count(group.contacts.len(), "contact"),
        ]
    };
    place.output.table(
        ["group", "name", "is", "members"],
        groups.iter().map(row).collect(),
        "no groups yet: `redflash group add SLUG --name NAME --contact CONTACT`",
    )
}

async fn show(place: &Place, slug: &Slug) -> Result<(), Failure> {
    let group: Group = place.find(slug).await?;
    let output = &place.output;
    if output.json {
        return output.json(&group);
    }
    output.line(format!(
        "group/{} {} ({})",
        group.slug,
        harmless(group.name.as_str()),
        switch(group.enabled)
    ))?;
    for contact in &group.contacts {
        output.line(format!("  contact/{contact}"))?;
    }
    Ok(())
}

async fn change(
    place: &Place,
    slug: &Slug,
    change: impl Fn(&mut Group) + Send + Sync,
) -> Result<(), Failure> {
    let group = place.change(slug, change).await?;
    let members = count(group.contacts.len(), "contact");
    let said = format!("group/{slug} is {}, with {members}", switch(group.enabled));
    place.output.remark(said)
}
