//! `redflash user`: who may log in to the web admin.

use clap::{Args, Subcommand};
use redflash_core::{DirectoryItem, Name, Role, Slug, StoreError, User, UserView};

use crate::backend::{Backend, UserEdit};
use crate::error::CliError;
use crate::format::{switch, time};
use crate::password;
use crate::sanitize::{one_line, sanitize};

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
        #[arg(long, allow_hyphen_values = true)]
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
    #[arg(long, allow_hyphen_values = true)]
    name: Option<Name>,
    /// viewer looks at everything, admin changes everything
    #[arg(long, default_value = "viewer")]
    role: Role,
    /// Without a password: the user logs in through the OpenID provider
    #[arg(long)]
    no_password: bool,
}

pub(crate) async fn run(backend: &Backend, command: Command) -> Result<(), CliError> {
    match command {
        Command::Add(add) => self::add(backend, add).await,
        Command::List => list(backend).await,
        Command::Show { slug } => show(backend, &slug).await,
        Command::Edit { slug, name } => edit(backend, &slug, UserEdit::Name(name)).await,
        Command::Passwd { slug } => passwd(backend, &slug).await,
        Command::Role { slug, role } => edit(backend, &slug, UserEdit::Role(role)).await,
        Command::Remove { slug } => backend.remove::<User>(&slug).await,
        Command::On { slug } => edit(backend, &slug, UserEdit::Enabled(true)).await,
        Command::Off { slug } => edit(backend, &slug, UserEdit::Enabled(false)).await,
    }
}

async fn add(backend: &Backend, add: Add) -> Result<(), CliError> {
    let name = add.name.map_or_else(|| add.slug.as_str().parse(), Ok);
    let name = name.map_err(|error| CliError::usage(format!("--name: {error}")))?;
    // Nobody types a password twice to learn this.
    let users: Vec<UserView> = backend.list().await?;
    if users.iter().any(|user| user.slug == add.slug) {
        let what = User::named(add.slug).to_string();
        return Err(StoreError::Conflict { what }.into());
    }
    let password = if add.no_password {
        None
    } else {
        Some(password::ask().await?)
    };
    let user = backend.add_user(add.slug, name, add.role, password).await?;
    let output = &backend.output;
    if output.json {
        return output.json(&user);
    }
    output.line(format!("added user/{}", user.slug))?;
    output.line(way_in(backend, &user))
}

/// What a new user does next.
fn way_in(backend: &Backend, user: &UserView) -> String {
    let url = backend.admin_url();
    let oidc = backend
        .machine()
        .map(|local| &local.context.loaded.config.admin.oidc);
    match (user.has_password, oidc) {
        (true, _) => format!("Log in at {url}"),
        (false, None) => format!("Log in at {url} through the OpenID provider"),
        (false, Some(Some(oidc))) => format!("Log in at {url} with the button {:?}", oidc.label),
        (false, Some(None)) => format!(
            "No OpenID provider is configured yet: see [admin.oidc] in `redflash config example`, \
             or give a password with `redflash user passwd {}`",
            user.slug
        ),
    }
}

async fn list(backend: &Backend) -> Result<(), CliError> {
    let users: Vec<UserView> = backend.list().await?;
    if backend.output.json {
        return backend.output.json(&users);
    }
    let row = |user: &UserView| {
        [
            user.slug.to_string(),
            one_line(user.name.as_str()),
            user.role.to_string(),
            switch(user.enabled).to_owned(),
            user.logs_in_by().to_owned(),
            time(user.created_at),
        ]
    };
    backend.output.table(
        ["user", "name", "role", "is", "logs in by", "made"],
        users.iter().map(row).collect(),
        "no users yet: `redflash user add SLUG --role admin`",
    )
}

async fn show(backend: &Backend, slug: &Slug) -> Result<(), CliError> {
    let user: UserView = backend.find(slug).await?;
    let output = &backend.output;
    if output.json {
        return output.json(&user);
    }
    let name = sanitize(user.name.as_str());
    output.line(format!("user/{slug} {name} ({})", switch(user.enabled)))?;
    output.line(format!("  role        {}", user.role))?;
    output.line(format!("  logs in by  {}", user.logs_in_by()))?;
    if let Some(subject) = &user.subject {
        output.line(format!("  subject     {}", one_line(subject)))?;
    }
    output.line(format!("  made        {}", time(user.created_at)))
}

async fn passwd(backend: &Backend, slug: &Slug) -> Result<(), CliError> {
    // Nobody types a password twice to learn that there is no such user.
    backend.find::<UserView>(slug).await?;
    let password = password::ask().await?;
    backend.set_password(slug, &password).await?;
    let said = format!("user/{slug} has another password, and no session any more");
    backend.output.remark(said)
}

/// Changes a user, and says how the user is now.
async fn edit(backend: &Backend, slug: &Slug, edit: UserEdit) -> Result<(), CliError> {
    let state = match &edit {
        UserEdit::Name(name) => format!("is called {}", sanitize(name.as_str())),
        UserEdit::Role(role) => format!("has the role {role}"),
        UserEdit::Enabled(on) => format!("is {}", switch(*on)),
    };
    backend.edit_user(slug, edit).await?;
    backend.output.remark(format!("user/{slug} {state}"))
}
