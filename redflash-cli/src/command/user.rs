//! `redflash user`: users of the web admin.

use clap::{Args, Subcommand};
use redflash_core::engine::DirectoryItem;
use redflash_core::model::{Name, Role, Slug, User, UserView};
use redflash_core::store::StoreError;

use crate::backend::{Backend, UserEdit};
use crate::error::CliError;
use crate::format::{switch, time};
use crate::password;
use crate::sanitize::{one_line, sanitize};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Add a user; the password is prompted for, or read from standard input
    #[command(visible_alias = "create")]
    Add(Add),
    /// List users
    #[command(after_help = "Examples:\n  redflash user list")]
    List,
    /// Show a user
    #[command(after_help = "Examples:\n  redflash user show ann")]
    Show {
        /// User name
        #[arg(value_name = "USER")]
        slug: Slug,
    },
    /// Change the display name of a user
    #[command(after_help = "Examples:\n  redflash user edit ann --name 'Ann Example'")]
    Edit {
        /// User name
        #[arg(value_name = "USER")]
        slug: Slug,
        /// New display name
        #[arg(long, allow_hyphen_values = true)]
        name: Name,
    },
    /// Change the password of a user and end the user's sessions
    #[command(
        after_help = "Examples:\n  redflash user passwd ann\n  redflash user passwd ann < new-password"
    )]
    Passwd {
        /// User name
        #[arg(value_name = "USER")]
        slug: Slug,
    },
    /// Change the role of a user and end the user's sessions
    #[command(after_help = "Examples:\n  redflash user role ann admin")]
    Role {
        /// User name
        #[arg(value_name = "USER")]
        slug: Slug,
        /// Role: viewer reads everything, admin also changes everything
        role: Role,
    },
    /// Remove a user and end the user's sessions
    #[command(after_help = "Examples:\n  redflash user remove ann")]
    Remove {
        /// User name
        #[arg(value_name = "USER")]
        slug: Slug,
    },
    /// Switch a user on
    #[command(after_help = "Examples:\n  redflash user on ann")]
    On {
        /// User name
        #[arg(value_name = "USER")]
        slug: Slug,
    },
    /// Switch a user off, end the user's sessions and prevent logins
    #[command(after_help = "Examples:\n  redflash user off ann")]
    Off {
        /// User name
        #[arg(value_name = "USER")]
        slug: Slug,
    },
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  redflash user add ann --name 'Ann Example' --role admin
  redflash user add ben --no-password")]
pub(crate) struct Add {
    /// User name, for logging in
    #[arg(value_name = "USER")]
    slug: Slug,
    /// Display name [default: the user name]
    #[arg(long, allow_hyphen_values = true)]
    name: Option<Name>,
    /// Role: viewer reads everything, admin also changes everything
    #[arg(long, default_value = "viewer")]
    role: Role,
    /// Create the user without a password, to log in through the OpenID provider
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
    // Checked before anyone has to type a password.
    let users: Vec<UserView> = backend.list().await?;
    if users.iter().any(|user| user.slug == add.slug) {
        let what = User::named(add.slug).to_string();
        return Err(StoreError::Conflict { what }.into());
    }
    let password = if add.no_password {
        None
    } else {
        Some(password::read().await?)
    };
    let user = backend.add_user(add.slug, name, add.role, password).await?;
    let output = &backend.output;
    if output.json {
        return output.json(&user);
    }
    output.line(format!("added user/{}", user.slug))?;
    output.line(login_hint(backend, &user))
}

/// Describes how a new user logs in.
fn login_hint(backend: &Backend, user: &UserView) -> String {
    let url = backend.admin_url();
    let oidc = backend
        .local_store()
        .map(|local| &local.context.loaded.config.admin.oidc);
    match (user.has_password, oidc) {
        (true, _) => format!("Log in at {url}"),
        (false, None) => format!("Log in at {url} through the OpenID provider"),
        (false, Some(Some(oidc))) => format!("Log in at {url} with the button {:?}", oidc.label),
        (false, Some(None)) => format!(
            "No OpenID provider is configured yet: see [admin.oidc] in `redflash config example`, \
             or set a password with `redflash user passwd {}`",
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
        ["user", "name", "role", "state", "login", "created"],
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
    output.line(format!("  role     {}", user.role))?;
    output.line(format!("  login    {}", user.logs_in_by()))?;
    if let Some(subject) = &user.subject {
        output.line(format!("  subject  {}", one_line(subject)))?;
    }
    output.line(format!("  created  {}", time(user.created_at)))
}

async fn passwd(backend: &Backend, slug: &Slug) -> Result<(), CliError> {
    // Checked before anyone has to type a password.
    backend.find::<UserView>(slug).await?;
    let password = password::read().await?;
    backend.set_password(slug, &password).await?;
    let message = format!("changed the password of user/{slug} and ended all sessions");
    backend.output.remark(message)
}

/// Changes a user and prints the new state.
async fn edit(backend: &Backend, slug: &Slug, edit: UserEdit) -> Result<(), CliError> {
    let state = match &edit {
        UserEdit::Name(name) => format!("is named {}", sanitize(name.as_str())),
        UserEdit::Role(role) => format!("has the role {role}"),
        UserEdit::Enabled(on) => format!("is {}", switch(*on)),
    };
    backend.edit_user(slug, edit).await?;
    backend.output.remark(format!("user/{slug} {state}"))
}
