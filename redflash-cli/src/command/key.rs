//! `redflash key`: what raising systems hold.

use clap::{Args, Subcommand};
use redflash_core::{ApiKey, Scope, Slug, Target, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::{change, create, discard, engine};
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

pub(crate) async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    match command {
        Command::Add(add) => self::add(context, add).await,
        Command::List => list(context).await,
        Command::Show { slug } => show(context, &slug).await,
        Command::Remove { slug } => discard::<ApiKey>(context, &slug).await,
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
    let key = if add.admin { key.with_admin() } else { key };
    let said = format!("added key {}", key.slug);
    create(context, &engine, &key, said).await?;
    let secret = made.as_ref().map(ExposeSecret::expose_secret);
    if context.output.json {
        let mut shown = shown(&key, None);
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
fn shown(key: &ApiKey, used_at: Option<Timestamp>) -> Value {
    json!({
        "slug": key.slug, "enabled": key.enabled, "inspect": key.inspect, "admin": key.admin,
        "scope": key.scope, "hint": key.hint, "created_at": key.created_at,
        "last_used_at": used_at,
    })
}

/// What a key may raise.
fn scope(key: &ApiKey) -> String {
    match &key.scope {
        Scope::All => "everything".to_owned(),
        Scope::Only(targets) => {
            let targets: Vec<_> = targets.iter().map(ToString::to_string).collect();
            targets.join(", ")
        }
    }
}

/// What a key may do beside raising.
const fn right(key: &ApiKey) -> &'static str {
    match (key.admin, key.inspect) {
        (true, _) => "look and change",
        (false, true) => "look",
        (false, false) => "nothing",
    }
}

fn used(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "never".to_owned(), time)
}

async fn list(context: &Context) -> Result<(), Failure> {
    let engine = engine(context).await?;
    let keys = engine.store().api_keys().await?;
    let uses = engine.store().key_uses().await?;
    let used_at = |key: &ApiKey| uses.get(&key.slug).copied();
    if context.output.json {
        let shown = keys.iter().map(|key| shown(key, used_at(key)));
        return context.output.json(&shown.collect::<Vec<_>>());
    }
    let row = |key: &ApiKey| {
        [
            key.slug.to_string(),
            key.hint.clone(),
            switch(key.enabled).to_owned(),
            right(key).to_owned(),
            scope(key),
            used(used_at(key)),
        ]
    };
    context.output.table(
        ["key", "ends in", "is", "may also", "may raise", "last used"],
        keys.iter().map(row).collect(),
        "no keys yet: `redflash key add SLUG`",
    )
}

async fn show(context: &Context, slug: &Slug) -> Result<(), Failure> {
    let engine = engine(context).await?;
    let found = engine.store().api_key(slug).await?;
    let key = found.ok_or_else(|| Failure::missing("key", slug.as_str()))?;
    let used_at = engine.store().key_uses().await?.get(slug).copied();
    let output = &context.output;
    if output.json {
        return output.json(&shown(&key, used_at));
    }
    output.line(format!("key/{slug} {} ({})", key.hint, switch(key.enabled)))?;
    output.line(format!("  may raise  {}", scope(&key)))?;
    output.line(format!("  may also   {}", right(&key)))?;
    output.line(format!("  made       {}", time(key.created_at)))?;
    output.line(format!("  last used  {}", used(used_at)))
}

async fn turn(context: &Context, slug: &Slug, on: bool) -> Result<(), Failure> {
    change::<ApiKey>(context, slug, |key| key.enabled = on).await?;
    context
        .output
        .remark(format!("key {slug} is {}", switch(on)))
}
