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
mod import_report;
pub(crate) mod inbound;
pub(crate) mod key;
pub(crate) mod log;
pub(crate) mod man;
pub(crate) mod migrate;
pub(crate) mod prune;
pub(crate) mod raise;
mod reach;
pub(crate) mod resend;
pub(crate) mod serve;
pub(crate) mod user;

use std::path::Path;

use redflash_channels::read_secret_file;
use secrecy::{ExposeSecret, SecretString};

use crate::args::{AnywhereCommand, Cli, Command, MachineCommand};
use crate::config::Overrides;
use crate::context::{Context, Missing};
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::place::{Place, Server};

pub(crate) async fn run(cli: Cli) -> Result<(), Failure> {
    let output = Output::new(cli.json);
    if cli.local {
        crate::words::use_local_time();
    }
    let server = server(&cli)?;
    let overrides = Overrides {
        config: cli.config,
        database: cli.database,
    };
    match (cli.command, server) {
        (Command::Machine(command), server) => {
            if let (Some(name), Some(_)) = (command.bound(), server) {
                return Err(Failure::usage(format!(
                    "`redflash {name}` works on this machine and its database, and not at a server: \
                     leave out --server, and unset REDFLASH_SERVER"
                )));
            }
            here(command, &overrides, output).await
        }
        (Command::Anywhere(command), Some(server)) => {
            anywhere(command, &Place::server(server, output)?).await
        }
        (Command::Anywhere(command), None) => {
            let context = Context::new(&overrides, output)?;
            let missing = if command.creates() {
                Missing::Create
            } else {
                Missing::Refuse
            };
            anywhere(command, &Place::here(context, missing)).await
        }
    }
}

/// The server that the command line or the environment names.
fn server(cli: &Cli) -> Result<Option<Server>, Failure> {
    let Some(url) = cli.server.clone().filter(|url| !url.is_empty()) else {
        return Ok(None);
    };
    let exported = ["REDFLASH_DATABASE", "REDFLASH_DATABASE_FILE"].map(crate::config::variable);
    let [url_of, file_of] = exported;
    if cli.database.is_some() || url_of?.or(file_of?).is_some() {
        return Err(Failure::usage(
            "--server and --database name two places: leave one out, in the environment too \
             (REDFLASH_SERVER, REDFLASH_DATABASE, REDFLASH_DATABASE_FILE)",
        ));
    }
    let is_visible = |key: &SecretString| {
        let key = key.expose_secret();
        !key.is_empty() && key.bytes().all(|b| b.is_ascii_graphic())
    };
    let given = match &cli.key {
        Some(key) => Some(key.clone()),
        None => exported_key()?,
    };
    let Some(key) = given.filter(is_visible) else {
        let message = "set REDFLASH_API_KEY to an API key of the server, or REDFLASH_API_KEY_FILE to a \
             file that holds one (`redflash key add NAME` makes one where the server runs)";
        return Err(Failure::new(Exit::NotAllowed, message));
    };
    Ok(Some(Server {
        url,
        key,
        plain_http: cli.plain_http,
    }))
}

/// The key that the environment holds or names the file of.
fn exported_key() -> Result<Option<SecretString>, Failure> {
    let key = crate::config::variable("REDFLASH_API_KEY")?;
    let path = crate::config::variable("REDFLASH_API_KEY_FILE")?;
    match (key, path) {
        (Some(_), Some(_)) => Err(Failure::usage(
            "REDFLASH_API_KEY and REDFLASH_API_KEY_FILE set the same: leave one out",
        )),
        (None, Some(path)) => {
            let key = read_secret_file(Path::new(&path));
            let wrong = |fault| format!("REDFLASH_API_KEY_FILE: {path} cannot be read: {fault}");
            Ok(Some(key.map_err(|fault| Failure::usage(wrong(fault)))?))
        }
        (key, None) => Ok(key.map(SecretString::from)),
    }
}

/// Some need no configuration, and must work where it is broken.
async fn here(
    command: MachineCommand,
    overrides: &Overrides,
    output: Output,
) -> Result<(), Failure> {
    let context = |output| Context::new(overrides, output);
    match command {
        MachineCommand::Completions(args) => completions::run(&args),
        MachineCommand::Man(args) => man::run(&args),
        MachineCommand::Config(command) => config::run(&command, overrides, &output),
        MachineCommand::Demo(args) => demo::run(&args, output).await,
        MachineCommand::Copy(args) => copy::run(&args, overrides, &output).await,
        MachineCommand::Serve(args) => serve::run(&context(output)?, args).await,
        MachineCommand::Prune(args) => prune::run(&context(output)?, args).await,
        MachineCommand::Import(args) => import::run(&context(output)?, args).await,
        MachineCommand::Migrate(args) => migrate::run(&context(output)?, args).await,
    }
}

async fn anywhere(command: AnywhereCommand, place: &Place) -> Result<(), Failure> {
    match command {
        AnywhereCommand::Contact(command) => contact::run(place, command).await,
        AnywhereCommand::Endpoint(command) => endpoint::run(place, command).await,
        AnywhereCommand::Group(command) => group::run(place, command).await,
        AnywhereCommand::Event(command) => event::run(place, command).await,
        AnywhereCommand::Key(command) => key::run(place, command).await,
        AnywhereCommand::User(command) => user::run(place, command).await,
        AnywhereCommand::Send(args) => raise::send(place, args).await,
        AnywhereCommand::Fire(args) => raise::fire(place, args).await,
        AnywhereCommand::Explain(args) => explain::run(place, args).await,
        AnywhereCommand::Log(args) => log::run(place, args).await,
        AnywhereCommand::Inbound(args) => inbound::run(place, args).await,
        AnywhereCommand::Change(command) => change::run(place, command).await,
        AnywhereCommand::Gateway(command) => gateway::run(place, command).await,
        AnywhereCommand::Resend(args) => resend::run(place, args).await,
        AnywhereCommand::Export(args) => export::run(place, args).await,
        AnywhereCommand::Doctor(args) => doctor::run(place, args).await,
    }
}
