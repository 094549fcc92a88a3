//! `redflash key`: what raising systems hold.

use clap::{Args, Subcommand};
use redflash_core::{ApiKey, KeyView, Scope, Slug, Target, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use crate::backend::{Backend, NewKey};
use crate::error::CliError;
use crate::format::{switch, time};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a key; it is shown once and not kept
    #[command(visible_alias = "create")]
    Add(Add),
    /// List keys by their names and last characters
    List,
    /// Show one key, but for its secret
    Show { slug: Slug },
    /// Remove a key
    Remove { slug: Slug },
    /// Switch a key on
    On { slug: Slug },
    /// Switch a key off: every request with it is refused
    Off { slug: Slug },
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    slug: Slug,
    /// It may look at contacts, groups and every notification
    #[arg(long)]
    inspect: bool,
    /// It may look at everything and change everything, through the API
    #[arg(long)]
    admin: bool,
    /// It may raise these and nothing else, such as contact/ann,event/disk-full
    #[arg(long, value_name = "TARGET", value_delimiter = ',')]
    only: Vec<Target>,
    /// A key that exists already, such as one of the old service; `-` reads it from standard input
    #[arg(long, value_name = "OLDKEY")]
    value: Option<SecretString>,
}

pub(crate) async fn run(backend: &Backend, command: Command) -> Result<(), CliError> {
    match command {
        Command::Add(add) => self::add(backend, add).await,
        Command::List => list(backend).await,
        Command::Show { slug } => show(backend, &slug).await,
        Command::Remove { slug } => backend.remove::<ApiKey>(&slug).await,
        Command::On { slug } => turn(backend, &slug, true).await,
        Command::Off { slug } => turn(backend, &slug, false).await,
    }
}

async fn add(backend: &Backend, add: Add) -> Result<(), CliError> {
    let new = NewKey {
        slug: add.slug,
        inspect: add.inspect,
        admin: add.admin,
        scope: match add.only {
            targets if targets.is_empty() => Scope::All,
            targets => Scope::Only(targets.into_iter().collect()),
        },
        value: add.value.map(given).transpose()?,
    };
    let made = backend.add_key(new).await?;
    let secret = made.secret.as_ref().map(ExposeSecret::expose_secret);
    if backend.output.json {
        let mut shown = json!(made.key);
        shown["secret"] = json!(secret);
        return backend.output.json(&shown);
    }
    backend
        .output
        .line(format!("added key {}", made.key.slug))?;
    match secret {
        Some(secret) => backend
            .output
            .line(format!("{secret}\nIt is not shown again.")),
        None => Ok(()),
    }
}

fn given(value: SecretString) -> Result<SecretString, CliError> {
    if value.expose_secret() != "-" {
        return Ok(value);
    }
    let line = std::io::read_to_string(std::io::stdin());
    let line = line.map_err(|error| CliError::usage(format!("standard input: {error}")))?;
    Ok(line.trim_end_matches(['\r', '\n']).into())
}

/// What a key may raise.
fn scope(key: &KeyView) -> String {
    match &key.scope {
        Scope::All => "everything".to_owned(),
        Scope::Only(targets) => {
            let targets: Vec<_> = targets.iter().map(ToString::to_string).collect();
            targets.join(", ")
        }
    }
}

/// What a key may do beside raising.
const fn right(key: &KeyView) -> &'static str {
    match (key.admin, key.inspect) {
        (true, _) => "look and change",
        (false, true) => "look",
        (false, false) => "nothing",
    }
}

fn used(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "never".to_owned(), time)
}

async fn list(backend: &Backend) -> Result<(), CliError> {
    let keys: Vec<KeyView> = backend.list().await?;
    if backend.output.json {
        return backend.output.json(&keys);
    }
    let row = |key: &KeyView| {
        [
            key.slug.to_string(),
            key.hint.clone(),
            switch(key.enabled).to_owned(),
            right(key).to_owned(),
            scope(key),
            used(key.last_used_at),
        ]
    };
    backend.output.table(
        ["key", "ends in", "is", "may also", "may raise", "last used"],
        keys.iter().map(row).collect(),
        "no keys yet: `redflash key add SLUG`",
    )
}

async fn show(backend: &Backend, slug: &Slug) -> Result<(), CliError> {
    let key: KeyView = backend.find(slug).await?;
    let output = &backend.output;
    if output.json {
        return output.json(&key);
    }
    output.line(format!("key/{slug} {} ({})", key.hint, switch(key.enabled)))?;
    output.line(format!("  may raise  {}", scope(&key)))?;
    output.line(format!("  may also   {}", right(&key)))?;
    output.line(format!("  made       {}", time(key.created_at)))?;
    output.line(format!("  last used  {}", used(key.last_used_at)))
}

async fn turn(backend: &Backend, slug: &Slug, on: bool) -> Result<(), CliError> {
    backend.turn_key(slug, on).await?;
    backend
        .output
        .remark(format!("key {slug} is {}", switch(on)))
}
