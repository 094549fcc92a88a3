//! Runs the command that the command line names.

use std::path::Path;

use clap::CommandFactory;
use redflash_channels::read_secret_file;
use secrecy::{ExposeSecret, SecretString};

use crate::args::{BackendCommand, Cli, Command, LocalCommand};
use crate::backend::{Backend, RemoteServer};
use crate::command::{
    audit, completions, config, contact, copy, demo, doctor, endpoint, event, explain, export,
    gateway, group, import, inbound, key, log, man, migrate, prune, raise, resend, serve, user,
};
use crate::config::Overrides;
use crate::context::{Context, Missing};
use crate::error::{CliError, Exit};
use crate::output::Output;

pub(crate) async fn run(cli: Cli) -> Result<(), CliError> {
    let output = Output::new(cli.json);
    if cli.local {
        crate::format::use_local_time();
    }
    let server = remote_server(&cli)?;
    let overrides = Overrides {
        config: cli.config,
        database: cli.database,
    };
    match (cli.command, server) {
        (Command::Local(command), server) => {
            if let (Some(name), Some(_)) = (command.name_if_bound(), server) {
                return Err(CliError::usage(format!(
                    "`redflash {name}` works only on the local machine, not on a server: omit --server \
                     and unset REDFLASH_SERVER"
                )));
            }
            run_local(command, &overrides, output).await
        }
        (Command::Backend(command), Some(server)) => {
            run_backend(command, &Backend::remote(server, output)?).await
        }
        (Command::Backend(command), None) => {
            let context = Context::new(&overrides, output)?;
            let missing = if command.creates_database() {
                Missing::Create
            } else {
                Missing::Refuse
            };
            run_backend(command, &Backend::local(context, missing)).await
        }
    }
}

/// Returns the server that the command line or the environment names.
fn remote_server(cli: &Cli) -> Result<Option<RemoteServer>, CliError> {
    let Some(url) = cli.server.clone().filter(|url| !url.is_empty()) else {
        return Ok(None);
    };
    let exported = ["REDFLASH_DATABASE", "REDFLASH_DATABASE_FILE"].map(crate::config::variable);
    let [url_variable, file_variable] = exported;
    if cli.database.is_some() || url_variable?.or(file_variable?).is_some() {
        return Err(CliError::usage(
            "--server and --database exclude each other: omit one, also in the environment \
             (REDFLASH_SERVER, REDFLASH_DATABASE, REDFLASH_DATABASE_FILE)",
        ));
    }
    let is_valid = |key: &SecretString| {
        let key = key.expose_secret();
        !key.is_empty() && key.bytes().all(|b| b.is_ascii_graphic())
    };
    let key = match &cli.key {
        Some(key) => Some(key.clone()),
        None => exported_key()?,
    };
    let Some(key) = key.filter(is_valid) else {
        let message = "set REDFLASH_API_KEY to an API key of the server, or REDFLASH_API_KEY_FILE to a \
             file that contains one (create it with `redflash key add NAME` on the server)";
        return Err(CliError::new(Exit::NotAllowed, message));
    };
    Ok(Some(RemoteServer {
        url,
        key,
        plain_http: cli.plain_http,
    }))
}

/// Returns the API key from the environment, directly or from the file it names.
fn exported_key() -> Result<Option<SecretString>, CliError> {
    let key = crate::config::variable("REDFLASH_API_KEY")?;
    let path = crate::config::variable("REDFLASH_API_KEY_FILE")?;
    match (key, path) {
        (Some(_), Some(_)) => Err(CliError::usage(
            "REDFLASH_API_KEY and REDFLASH_API_KEY_FILE are both set: unset one",
        )),
        (None, Some(path)) => {
            let key = read_secret_file(Path::new(&path));
            let message = |error| format!("REDFLASH_API_KEY_FILE: cannot read {path}: {error}");
            Ok(Some(key.map_err(|error| CliError::usage(message(error)))?))
        }
        (key, None) => Ok(key.map(SecretString::from)),
    }
}

/// Runs a local command. Those that need no configuration also work when it is invalid.
async fn run_local(
    command: LocalCommand,
    overrides: &Overrides,
    output: Output,
) -> Result<(), CliError> {
    let context = |output| Context::new(overrides, output);
    match command {
        LocalCommand::Completions(args) => completions::run(&args, &mut Cli::command()),
        LocalCommand::Man(args) => man::run(&args, Cli::command()),
        LocalCommand::Config(command) => config::run(&command, overrides, &output),
        LocalCommand::Demo(args) => demo::run(&args, output).await,
        LocalCommand::Copy(args) => copy::run(&args, overrides, &output).await,
        LocalCommand::Serve(args) => serve::run(&context(output)?, args).await,
        LocalCommand::Prune(args) => prune::run(&context(output)?, args).await,
        LocalCommand::Import(args) => import::run(&context(output)?, args).await,
        LocalCommand::Migrate(args) => migrate::run(&context(output)?, args).await,
    }
}

async fn run_backend(command: BackendCommand, backend: &Backend) -> Result<(), CliError> {
    match command {
        BackendCommand::Contact(command) => contact::run(backend, command).await,
        BackendCommand::Endpoint(command) => endpoint::run(backend, command).await,
        BackendCommand::Group(command) => group::run(backend, command).await,
        BackendCommand::Event(command) => event::run(backend, command).await,
        BackendCommand::Key(command) => key::run(backend, command).await,
        BackendCommand::User(command) => user::run(backend, command).await,
        BackendCommand::Send(args) => raise::send(backend, args).await,
        BackendCommand::Fire(args) => raise::fire(backend, args).await,
        BackendCommand::Explain(args) => explain::run(backend, args).await,
        BackendCommand::Log(args) => log::run(backend, args).await,
        BackendCommand::Inbound(args) => inbound::run(backend, args).await,
        BackendCommand::Audit(command) => audit::run(backend, command).await,
        BackendCommand::Gateway(command) => gateway::run(backend, command).await,
        BackendCommand::Resend(args) => resend::run(backend, args).await,
        BackendCommand::Export(args) => export::run(backend, args).await,
        BackendCommand::Doctor(args) => doctor::run(backend, args).await,
    }
}
