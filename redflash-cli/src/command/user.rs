//! `redflash user`: who may log in to the web admin.

use clap::{Args, Subcommand};
use redflash_core::{Item, Name, Role, Slug, StoreError, User};
use serde_json::{Value, json};

use super::{change, create, discard, engine};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{harmless, one_line};
use crate::password;
use crate::words::{login, switch, time};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Add a user, whose password is asked for; where nobody sits at a terminal, it is read from
    /// standard input
    #[command(visible_alias = "create")]
    Add(Add),
    /// List users
    List,
    /// Show one user
    Show { slug: Slug },
    /// Change a user's name
    Edit {
        slug: Slug,
        #[arg(long)]
        name: Name,
    },
    /// Give a user another password, asked for as by `add`; the user's sessions end
    Passwd { slug: Slug },
    /// Give a user another role; the user's sessions end
    Role {
        slug: Slug,
        /// viewer looks at everything, admin changes everything
        role: Role,
    },
    /// Remove a user; the user's sessions end
    Remove { slug: Slug },
    /// Switch a user on
    On { slug: Slug },
    /// Switch a user off: the user's sessions end, and no other begins
    Off { slug: Slug },
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    /// What the user logs in as
    slug: Slug,
    /// How the user is called among people; otherwise as in logging in
    #[arg(long)]
    name: Option<Name>,
    /// viewer looks at everything, admin changes everything
    #[arg(long, default_value = "viewer")]
    role: Role,
    /// Without a password: the user logs in through the OpenID provider
    #[arg(long)]
    no_password: bool,
}

pub(crate) async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    match command {
        Command::Add(add) => self::add(context, add).await,
        Command::List => list(context).await,
        Command::Show { slug } => show(context, &slug).await,
        Command::Edit { slug, name } => {
            let user = change::<User>(context, &slug, |user| user.name = name.clone()).await?;
            said(context, &user, &format!("is called {}", user.name))
        }
        Command::Passwd { slug } => passwd(context, &slug).await,
        Command::Role { slug, role } => {
            let user = change::<User>(context, &slug, |user| user.role = role).await?;
            said(context, &user, &format!("has the role {role}"))
        }
        Command::Remove { slug } => discard::<User>(context, &slug).await,
        Command::On { slug } => turn(context, &slug, true).await,
        Command::Off { slug } => turn(context, &slug, false).await,
    }
}

async fn add(context: &Context, add: Add) -> Result<(), Failure> {
    let engine = engine(context).await?;
    // Nobody types a password twice to learn this.
    if engine.store().user(&add.slug).await?.is_some() {
        let what = User::named(add.slug).to_string();
        return Err(StoreError::Conflict { what }.into());
    }
    let name = add.name.map_or_else(|| add.slug.as_str().parse(), Ok);
    let name = name.map_err(|fault| Failure::usage(format!("--name: {fault}")))?;
    let mut user = User::new(add.slug, name, add.role, engine.now());
    if !add.no_password {
        user.password = Some(password::ask().await?);
    }
    let said = format!("added user/{}", user.slug);
    create(context, &engine, &user, said).await?;
    if context.output.json {
        return context.output.json(&shown(&user));
    }
    context.output.line(way_in(context, &user))
}

/// What a new user does next.
fn way_in(context: &Context, user: &User) -> String {
    let config = &context.loaded.config;
    let url = config.server.admin_url(&config.server.listen);
    match (&user.password, &config.admin.oidc) {
        (Some(_), _) => format!("Log in at {url}"),
        (None, Some(oidc)) => format!("Log in at {url} with the button {:?}", oidc.label),
        (None, None) => format!(
            "No OpenID provider is configured yet: see [admin.oidc] in `redflash config example`, \
             or give a password with `redflash user passwd {}`",
            user.slug
        ),
    }
}

/// A user without the hash of the password, which is nobody's business.
fn shown(user: &User) -> Value {
    let mut shown = json!(user);
    shown["has_password"] = user.password.is_some().into();
    shown
}

async fn list(context: &Context) -> Result<(), Failure> {
    let users = engine(context).await?.store().users().await?;
    if context.output.json {
        let shown: Vec<_> = users.iter().map(shown).collect();
        return context.output.json(&shown);
    }
    let row = |user: &User| {
        [
            user.slug.to_string(),
            one_line(user.name.as_str()),
            user.role.to_string(),
            switch(user.enabled).to_owned(),
            login(user).to_owned(),
            time(user.created_at),
        ]
    };
    context.output.table(
        ["user", "name", "role", "is", "logs in by", "made"],
        users.iter().map(row).collect(),
        "no users yet: `redflash user add SLUG --role admin`",
    )
}

async fn show(context: &Context, slug: &Slug) -> Result<(), Failure> {
    let found = engine(context).await?.store().user(slug).await?;
    let user = found.ok_or_else(|| Failure::missing("user", slug.as_str()))?;
    let output = &context.output;
    if output.json {
        return output.json(&shown(&user));
    }
    let name = harmless(user.name.as_str());
    output.line(format!("user/{slug} {name} ({})", switch(user.enabled)))?;
    output.line(format!("  role        {}", user.role))?;
    output.line(format!("  logs in by  {}", login(&user)))?;
    if let Some(subject) = &user.subject {
        output.line(format!("  subject     {}", one_line(subject)))?;
    }
    output.line(format!("  made        {}", time(user.created_at)))
}

async fn passwd(context: &Context, slug: &Slug) -> Result<(), Failure> {
    let found = engine(context).await?.store().user(slug).await?;
    found.ok_or_else(|| Failure::missing("user", slug.as_str()))?;
    let hash = password::ask().await?;
    change::<User>(context, slug, |user| user.password = Some(hash.clone())).await?;
    let said = format!("user/{slug} has another password, and no session any more");
    context.output.remark(said)
}

async fn turn(context: &Context, slug: &Slug, on: bool) -> Result<(), Failure> {
    let user = change::<User>(context, slug, |user| user.enabled = on).await?;
    said(context, &user, &format!("is {}", switch(on)))
}

/// Says how a user is now.
fn said(context: &Context, user: &User, state: &str) -> Result<(), Failure> {
    let said = format!("user/{} {}", user.slug, harmless(state));
    context.output.remark(said)
}
