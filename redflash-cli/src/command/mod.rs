//! One command a file.

pub(crate) mod change;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod contact;
pub(crate) mod copy;
pub(crate) mod demo;
mod django;
pub(crate) mod doctor;
mod document;
pub(crate) mod endpoint;
pub(crate) mod event;
pub(crate) mod explain;
pub(crate) mod export;
pub(crate) mod gateway;
pub(crate) mod group;
pub(crate) mod import;
pub(crate) mod inbound;
pub(crate) mod key;
pub(crate) mod log;
pub(crate) mod man;
pub(crate) mod migrate;
pub(crate) mod prune;
pub(crate) mod raise;
pub(crate) mod resend;
pub(crate) mod serve;
pub(crate) mod user;

use redflash_core::{Engine, Item, Slug};
use redflash_store::Access;

use crate::args::{Cli, Command};
use crate::config::Overrides;
use crate::context::{Context, operator};
use crate::failure::Failure;
use crate::output::Output;

pub(crate) async fn run(cli: Cli) -> Result<(), Failure> {
    let output = Output::new(cli.json);
    let overrides = Overrides {
        config: cli.config,
        database: cli.database,
    };
    // These need no configuration, and must work where it is broken.
    match &cli.command {
        Command::Completions(args) => return completions::run(args),
        Command::Man(args) => return man::run(args),
        Command::Config(command) => return config::run(command, &overrides, &output),
        Command::Demo(args) => return demo::run(args, output).await,
        Command::Copy(args) => return copy::run(args, &overrides, &output).await,
        _ => {}
    }
    let context = Context::new(&overrides, output)?;
    match cli.command {
        Command::Serve(args) => serve::run(&context, args).await,
        Command::Contact(command) => contact::run(&context, command).await,
        Command::Endpoint(command) => endpoint::run(&context, command).await,
        Command::Group(command) => group::run(&context, command).await,
        Command::Event(command) => event::run(&context, command).await,
        Command::Key(command) => key::run(&context, command).await,
        Command::User(command) => user::run(&context, command).await,
        Command::Send(args) => raise::send(&context, args).await,
        Command::Fire(args) => raise::fire(&context, args).await,
        Command::Explain(args) => explain::run(&context, args).await,
        Command::Log(args) => log::run(&context, args).await,
        Command::Inbound(args) => inbound::run(&context, args).await,
        Command::Change(command) => change::run(&context, command).await,
        Command::Gateway(command) => gateway::run(&context, command).await,
        Command::Resend(args) => resend::run(&context, args).await,
        Command::Prune(args) => prune::run(&context, args).await,
        Command::Export(args) => export::run(&context, args).await,
        Command::Import(args) => import::run(&context, args).await,
        Command::Doctor(args) => doctor::run(&context, args).await,
        Command::Migrate(args) => migrate::run(&context, args).await,
        Command::Completions(_)
        | Command::Man(_)
        | Command::Config(_)
        | Command::Demo(_)
        | Command::Copy(_) => Ok(()),
    }
}

/// An engine beside the server, or without one.
async fn engine(context: &Context) -> Result<Engine, Failure> {
    context.engine(Access::Shared).await
}

/// Makes something, and says so.
async fn create<T: Item>(
    context: &Context,
    engine: &Engine,
    item: &T,
    said: String,
) -> Result<(), Failure> {
    engine.create(item, &operator()).await?;
    context.output.remark(said)
}

/// Changes something. Returns it as it is now.
async fn change<T: Item>(
    context: &Context,
    slug: &Slug,
    change: impl Fn(&mut T) + Send + Sync,
) -> Result<T, Failure> {
    let engine = engine(context).await?;
    let apply = |item: &mut T| {
        change(item);
        Ok(())
    };
    Ok(engine.change(slug, &operator(), None, apply).await?)
}

/// Removes something, and says so.
async fn discard<T: Item>(context: &Context, slug: &Slug) -> Result<(), Failure> {
    let engine = engine(context).await?;
    engine.discard::<T>(slug, &operator(), None).await?;
    context
        .output
        .remark(format!("removed {}", T::named(slug.clone())))
}
