//! `redflash group`: sets of contacts.

use clap::Subcommand;
use redflash_core::{Engine, Group, Name, Slug};

use super::{create, discard, engine};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{harmless, one_line};
use crate::words::{count, switch};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Add a group
    Add {
        slug: Slug,
        /// How it is called among people
        #[arg(long)]
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
        #[arg(long)]
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

pub(crate) async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    match command {
        Command::Add {
            slug,
            name,
            contacts,
        } => {
            let said = format!("added group/{slug}");
            let group = Group::new(slug, name, unique(contacts));
            create(context, &engine(context).await?, &group, said).await
        }
        Command::List => list(context).await,
        Command::Show { slug } => show(context, &slug).await,
        Command::Edit {
            slug,
            name,
            add,
            remove,
        } => {
            change(context, &slug, |group| {
                if let Some(name) = &name {
                    group.name.clone_from(name);
                }
                edit_members(&mut group.contacts, add.clone(), &remove);
            })
            .await
        }
        Command::Remove { slug } => discard::<Group>(context, &slug).await,
        Command::On { slug } => change(context, &slug, |group| group.enabled = true).await,
        Command::Off { slug } => change(context, &slug, |group| group.enabled = false).await,
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

async fn list(context: &Context) -> Result<(), Failure> {
    let groups = engine(context).await?.store().groups().await?;
    if context.output.json {
        return context.output.json(&groups);
    }
    let row = |group: &Group| {
        [
            group.slug.to_string(),
            one_line(group.name.as_str()),
            switch(group.enabled).to_owned(),
            count(group.contacts.len(), "contact"),
        ]
    };
    context.output.table(
        ["group", "name", "is", "members"],
        groups.iter().map(row).collect(),
        "no groups yet: `redflash group add SLUG --name NAME --contact CONTACT`",
    )
}

async fn show(context: &Context, slug: &Slug) -> Result<(), Failure> {
    let group = find(&engine(context).await?, slug).await?;
    let output = &context.output;
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

async fn find(engine: &Engine, slug: &Slug) -> Result<Group, Failure> {
    let found = engine.store().group(slug).await?;
    found.ok_or_else(|| Failure::missing("group", slug.as_str()))
}

async fn change(
    context: &Context,
    slug: &Slug,
    change: impl Fn(&mut Group) + Send + Sync,
) -> Result<(), Failure> {
    let group = super::change(context, slug, change).await?;
    let members = count(group.contacts.len(), "contact");
    let said = format!("group/{slug} is {}, with {members}", switch(group.enabled));
    context.output.remark(said)
}
