//! `redflash key`: API keys.

use clap::{Args, Subcommand};
use redflash_core::clock::Timestamp;
use redflash_core::model::{ApiKey, KeyView, Scope, Slug, Target};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use crate::backend::{Backend, NewKey};
use crate::error::CliError;
use crate::format::{switch, time};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Create a key and print its secret, which is shown only once
    #[command(visible_alias = "create")]
    Add(Add),
    /// List keys
    #[command(after_help = "Examples:\n  redflash key list")]
    List,
    /// Show a key without its secret
    #[command(after_help = "Examples:\n  redflash key show monitoring")]
    Show {
        /// Slug of the key
        #[arg(value_name = "KEY")]
        slug: Slug,
    },
    /// Remove a key
    #[command(after_help = "Examples:\n  redflash key remove monitoring")]
    Remove {
        /// Slug of the key
        #[arg(value_name = "KEY")]
        slug: Slug,
    },
    /// Switch a key on
    #[command(after_help = "Examples:\n  redflash key on monitoring")]
    On {
        /// Slug of the key
        #[arg(value_name = "KEY")]
        slug: Slug,
    },
    /// Switch a key off, so that requests with it are rejected
    #[command(after_help = "Examples:\n  redflash key off monitoring")]
    Off {
        /// Slug of the key
        #[arg(value_name = "KEY")]
        slug: Slug,
    },
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  redflash key add monitoring --only event/disk-full,group/on-call
  redflash key add ann-laptop --admin")]
pub(crate) struct Add {
    /// Slug of the key
    #[arg(value_name = "KEY")]
    slug: Slug,
    /// Allow reading contacts, groups and all notifications
    #[arg(long)]
    inspect: bool,
    /// Allow reading and changing everything through the API
    #[arg(long)]
    admin: bool,
    /// Allow raising alerts only at these targets, such as contact/ann,event/disk-full
    #[arg(long, value_name = "TARGET", value_delimiter = ',')]
    only: Vec<Target>,
    /// Existing secret to use, such as one of the old service; `-` for standard input
    #[arg(long, value_name = "SECRET")]
    value: Option<SecretString>,
}

pub(crate) async fn run(backend: &Backend, command: Command) -> Result<(), CliError> {
    match command {
        Command::Add(add) => self::add(backend, add).await,
        Command::List => list(backend).await,
        Command::Show { slug } => show(backend, &slug).await,
        Command::Remove { slug } => backend.remove::<ApiKey>(&slug).await,
        Command::On { slug } => set_enabled(backend, &slug, true).await,
        Command::Off { slug } => set_enabled(backend, &slug, false).await,
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
        value: add.value.map(read_value).transpose()?,
    };
    let created = backend.add_key(new).await?;
    let secret = created.secret.as_ref().map(ExposeSecret::expose_secret);
    if backend.output.json {
        let mut shown = json!(created.key);
        shown["secret"] = json!(secret);
        return backend.output.json(&shown);
    }
    backend
        .output
        .line(format!("added key {}", created.key.slug))?;
    match secret {
        Some(secret) => backend
            .output
            .line(format!("{secret}\nThis secret is not shown again.")),
        None => Ok(()),
    }
}

fn read_value(value: SecretString) -> Result<SecretString, CliError> {
    if value.expose_secret() != "-" {
        return Ok(value);
    }
    let line = std::io::read_to_string(std::io::stdin());
    let line = line.map_err(|error| CliError::usage(format!("standard input: {error}")))?;
    Ok(line.trim_end_matches(['\r', '\n']).into())
}

/// Describes the targets that a key may raise alerts at.
fn scope(key: &KeyView) -> String {
    match &key.scope {
        Scope::All => "everything".to_owned(),
        Scope::Only(targets) => {
            let targets: Vec<_> = targets.iter().map(ToString::to_string).collect();
            targets.join(", ")
        }
    }
}

/// Describes the permissions of a key other than raising alerts.
const fn permissions(key: &KeyView) -> &'static str {
    match (key.admin, key.inspect) {
        (true, _) => "read and change",
        (false, true) => "read",
        (false, false) => "none",
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
            permissions(key).to_owned(),
            scope(key),
            used(key.last_used_at),
        ]
    };
    backend.output.table(
        [
            "key",
            "ends in",
            "state",
            "permissions",
            "targets",
            "last used",
        ],
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
    output.line(format!("  targets      {}", scope(&key)))?;
    output.line(format!("  permissions  {}", permissions(&key)))?;
    output.line(format!("  created      {}", time(key.created_at)))?;
    output.line(format!("  last used    {}", used(key.last_used_at)))
}

async fn set_enabled(backend: &Backend, slug: &Slug, on: bool) -> Result<(), CliError> {
    backend.set_key_enabled(slug, on).await?;
    backend
        .output
        .remark(format!("key {slug} is {}", switch(on)))
}
