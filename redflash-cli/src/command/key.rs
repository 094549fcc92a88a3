//! `redflash key`: what raising systems hold.

use clap::{Args, Subcommand};
use redflash_core::store::{Entry, EntryRef, Save};
use redflash_core::{ApiKey, Scope, Slug, Target};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::{engine, save};
use crate::context::Context;
use crate::failure::Failure;
use crate::words::{switch, time};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a key; it is shown once and not kept
    #[command(visible_alias = "create")]
    Add(Add),
    /// List keys by their names and last characters
    List,
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
    /// It may raise these and nothing else, such as contact/ann,event/disk-full
    #[arg(long, value_name = "TARGET", value_delimiter = ',')]
    only: Vec<Target>,
    /// A key that exists already, such as one of the old service; `-` reads it from standard input
    #[arg(long, value_name = "OLDKEY")]
    value: Option<SecretString>,
}

pub(crate) async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    match command {
        Command::Add(add) => self::add(context, add).await,
        Command::List => list(context).await,
        Command::Remove { slug } => {
            let key = EntryRef::ApiKey(slug.clone());
            if !engine(context).await?.store().remove(&key).await? {
                return Err(Failure::missing("key", slug.as_str()));
            }
            context.output.remark(format!("removed key {slug}"))
        }
        Command::On { slug } => turn(context, &slug, true).await,
        Command::Off { slug } => turn(context, &slug, false).await,
    }
}

async fn add(context: &Context, add: Add) -> Result<(), Failure> {
    let engine = engine(context).await?;
    let scope = match add.only {
        targets if targets.is_empty() => Scope::All,
        targets => Scope::Only(targets.into_iter().collect()),
    };
    let (key, made) = match add.value {
        None => {
            let (key, secret) = ApiKey::generate(add.slug, add.inspect, scope, engine.now());
            (key, Some(secret))
        }
        Some(value) => {
            let secret = given(value)?;
            let key = ApiKey::import(add.slug, add.inspect, scope, engine.now(), &secret);
            let key = key.map_err(|fault| Failure::usage(format!("--value: {fault}")))?;
            (key, None)
        }
    };
    let slug = key.slug.clone();
    let said = format!("added key {slug}");
    save(
        context,
        &engine,
        Entry::ApiKey(key.clone()),
        Save::Create,
        said,
    )
    .await?;
    let secret = made.as_ref().map(ExposeSecret::expose_secret);
    if context.output.json {
        let mut shown = shown(&key);
        shown["secret"] = json!(secret);
        return context.output.json(&shown);
    }
    match secret {
        Some(secret) => context
            .output
            .line(format!("{secret}\nIt is not shown again.")),
        None => Ok(()),
    }
}

fn given(value: SecretString) -> Result<SecretString, Failure> {
    if value.expose_secret() != "-" {
        return Ok(value);
    }
    let line = std::io::read_to_string(std::io::stdin());
    let line = line.map_err(|fault| Failure::usage(format!("standard input: {fault}")))?;
    Ok(line.trim_end_matches(['\r', '\n']).into())
}

/// A key without its hash, which is nobody's business.
fn shown(key: &ApiKey) -> Value {
    json!({
        "slug": key.slug, "enabled": key.enabled, "inspect": key.inspect, "scope": key.scope,
        "hint": key.hint, "created_at": key.created_at,
    })
}

async fn list(context: &Context) -> Result<(), Failure> {
    let keys = engine(context).await?.store().api_keys().await?;
    if context.output.json {
        return context
            .output
            .json(&keys.iter().map(shown).collect::<Vec<_>>());
    }
    let row = |key: &ApiKey| {
        let scope = match &key.scope {
            Scope::All => "everything".to_owned(),
            Scope::Only(targets) => {
                let targets: Vec<_> = targets.iter().map(ToString::to_string).collect();
                targets.join(", ")
            }
        };
        [
            key.slug.to_string(),
            key.hint.clone(),
            switch(key.enabled).to_owned(),
            if key.inspect { "yes" } else { "no" }.to_owned(),
            scope,
            time(key.created_at),
        ]
    };
    context.output.table(
        ["key", "ends in", "is", "may inspect", "may raise", "made"],
        keys.iter().map(row).collect(),
        "no keys yet: `redflash key add SLUG`",
    )
}

async fn turn(context: &Context, slug: &Slug, on: bool) -> Result<(), Failure> {
    let engine = engine(context).await?;
    let found = engine.store().api_key(slug).await?;
    let mut key = found.ok_or_else(|| Failure::missing("key", slug.as_str()))?;
    key.enabled = on;
    let said = format!("key {slug} is {}", switch(on));
    save(context, &engine, Entry::ApiKey(key), Save::Update, said).await
}
