//! The command line.

use std::path::PathBuf;

use clap::builder::{StringValueParser, TypedValueParser};
use clap::{Parser, Subcommand};
use secrecy::SecretString;

use crate::command::{
    change, completions, config, contact, copy, demo, doctor, endpoint, event, explain, export,
    gateway, group, import, inbound, key, log, man, migrate, prune, raise, resend, serve, user,
};
use crate::failure::EXIT_CODES;

/// Tells people the moment something happens.
#[derive(Debug, Parser)]
#[command(name = "redflash", version, after_help = EXIT_CODES, max_term_width = 100)]
pub(crate) struct Cli {
    /// The configuration; otherwise `REDFLASH_CONFIG`, ./redflash.toml, /etc/redflash/redflash.toml, or none
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Where everything is kept: sqlite: and a file, or the URL of a Postgres database; otherwise
    /// `REDFLASH_DATABASE`, or what the configuration names
    #[arg(long, visible_alias = "db", global = true, value_name = "URL")]
    pub(crate) database: Option<String>,
    /// Work at a server over its API, with the key in `REDFLASH_API_KEY`, instead of on the database
    #[arg(
        long,
        alias = "url",
        global = true,
        env = "REDFLASH_SERVER",
        value_name = "URL"
    )]
    pub(crate) server: Option<String>,
    /// The key, for a first try: whoever else is on the machine sees what a command is given, so that
    /// `REDFLASH_API_KEY` is the place for it
    #[arg(long, hide = true, global = true, value_name = "KEY", value_parser = StringValueParser::new().map(SecretString::from))]
    pub(crate) key: Option<SecretString>,
    /// Send the key to the server unencrypted, where the network itself is trusted
    #[arg(long, global = true)]
    pub(crate) plain_http: bool,
    /// Answer in JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[command(flatten)]
    Anywhere(AnywhereCommand),
    #[command(flatten)]
    Machine(MachineCommand),
}

/// What works on the database of this machine, and at a server.
#[derive(Debug, Subcommand)]
pub(crate) enum AnywhereCommand {
    /// People and systems that can be told
    #[command(subcommand)]
    Contact(contact::Command),
    /// The addresses of contacts
    #[command(subcommand)]
    Endpoint(endpoint::Command),
    /// Sets of contacts
    #[command(subcommand)]
    Group(group::Command),
    /// Named occurrences with words of their own
    #[command(subcommand)]
    Event(event::Command),
    /// What raising systems hold
    #[command(subcommand)]
    Key(key::Command),
    /// Who may log in to the web admin
    #[command(subcommand)]
    User(user::Command),
    /// Tell a contact or a group something
    Send(raise::SendArgs),
    /// Raise an event
    Fire(raise::FireArgs),
    /// Say who would be told, through what, in which words; who not, and why
    Explain(explain::Args),
    /// Show what was raised, and what became of it
    Log(log::Args),
    /// Show what people sent back
    Inbound(inbound::Args),
    /// Show who changed what, and when
    #[command(subcommand)]
    Change(change::Command),
    /// What messages go through
    #[command(subcommand)]
    Gateway(gateway::Command),
    /// Send again what failed, was cancelled, suppressed or set aside
    Resend(resend::Args),
    /// Write contacts, groups and events to a file
    Export(export::Args),
    /// Look for what is wrong
    Doctor(doctor::Args),
}

/// What works on this machine and its database alone.
#[derive(Debug, Subcommand)]
pub(crate) enum MachineCommand {
    /// Show everything at work on a throw-away store, with nothing to configure
    Demo(demo::Args),
    /// Run the server
    Serve(serve::Args),
    /// Remove finished notifications from the log
    Prune(prune::Args),
    /// Read contacts, groups and events from a file, or from a dump of the old service
    Import(import::Args),
    /// Move everything from an SQLite file to a Postgres database
    Copy(copy::Args),
    /// Check the configuration, or print an example
    #[command(subcommand)]
    Config(config::Command),
    /// Bring the store's tables up to date
    Migrate(migrate::Args),
    /// Print a script that completes commands in a shell
    Completions(completions::Args),
    /// Write manual pages
    Man(man::Args),
}

impl MachineCommand {
    /// Its name, if it needs the database or the configuration of this machine.
    pub(crate) const fn bound(&self) -> Option<&'static str> {
        match self {
            Self::Demo(_) => Some("demo"),
            Self::Serve(_) => Some("serve"),
            Self::Prune(_) => Some("prune"),
            Self::Import(_) => Some("import"),
            Self::Copy(_) => Some("copy"),
            Self::Config(_) => Some("config"),
            Self::Migrate(_) => Some("migrate"),
            Self::Completions(_) | Self::Man(_) => None,
        }
    }
}
