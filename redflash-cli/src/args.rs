//! The command line.

use std::path::PathBuf;

use clap::builder::{StringValueParser, TypedValueParser};
use clap::{Parser, Subcommand};
use secrecy::SecretString;

use crate::command::{
    audit, completions, config, contact, copy, demo, doctor, endpoint, event, explain, export,
    gateway, group, import, inbound, key, log, man, migrate, prune, raise, resend, serve, user,
};
use crate::error::EXIT_CODES;

/// Tells people the moment something happens.
#[derive(Debug, Parser)]
#[command(name = "redflash", version, after_help = EXIT_CODES, max_term_width = 100)]
pub(crate) struct Cli {
    /// The configuration; otherwise `REDFLASH_CONFIG`, ./redflash.toml, /etc/redflash/redflash.toml, or none
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The database: sqlite: and the path of a file, or the URL of a Postgres database; otherwise
    /// `REDFLASH_DATABASE`, or the database in the configuration
    #[arg(long, visible_alias = "db", global = true, value_name = "URL")]
    pub(crate) database: Option<String>,
    /// Work at a server over its API, with the key in `REDFLASH_API_KEY` or in the file that
    /// `REDFLASH_API_KEY_FILE` names, instead of on the database
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
    /// Answer in JSON, with times as in RFC 3339
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Show times in the zone of this machine instead of UTC
    #[arg(long, global = true)]
    pub(crate) local: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[command(flatten)]
    Backend(BackendCommand),
    #[command(flatten)]
    Local(LocalCommand),
}

/// What works on the database of this machine, and at a server.
#[derive(Debug, Subcommand)]
pub(crate) enum BackendCommand {
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
    Audit(audit::Command),
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

impl BackendCommand {
    /// Returns true if the command creates this machine's database when it is missing: it adds an entry
    /// that needs no others.
    pub(crate) const fn creates(&self) -> bool {
        matches!(
            self,
            Self::Contact(contact::Command::Add(_))
                | Self::Group(group::Command::Add { .. })
                | Self::Event(event::Command::Add(_))
                | Self::Key(key::Command::Add(_))
                | Self::User(user::Command::Add(_))
        )
    }
}

/// What works on this machine and its database alone.
#[derive(Debug, Subcommand)]
pub(crate) enum LocalCommand {
    /// Show everything at work on a throw-away store, with nothing to configure
    Demo(demo::Args),
    /// Run the server; SIGHUP makes it read its configuration again
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

impl LocalCommand {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &[&str]) -> String {
        let line = [&["redflash"], line].concat();
        let cli = Cli::try_parse_from(&line);
        format!(
            "{:?}",
            cli.unwrap_or_else(|error| panic!("{line:?}: {error}"))
        )
    }

    #[test]
    fn values_may_begin_with_a_dash() {
        let values = [
            "-5 degrees",
            "-100123456789",
            "-",
            "--- disk full ---",
            "-x",
            "--no such flag",
            "-help me",
        ];
        for value in values {
            for line in [
                &["send", "contact", "ann", value, "--wait", "--json"][..],
                &["send", "--wait", "contact", "ann", value, "--json"],
                &["--json", "send", "contact", "--wait", "ann", value],
                &["send", "contact", "ann", "--wait", "--json", value],
                &["send", "contact", "ann", "--wait", "--json", "--", value],
            ] {
                let parsed = parsed(line);
                let wanted = format!("message: {value:?}, wait: true");
                assert!(parsed.contains(&wanted), "{line:?}: {parsed}");
                assert!(parsed.contains("json: true"), "{line:?}: {parsed}");
            }
            for verb in ["add", "remove", "on", "off"] {
                let parsed = parsed(&["endpoint", verb, "ann", "telegram", value, "--json"]);
                assert!(parsed.contains(&format!("address: {value:?}")), "{parsed}");
                assert!(parsed.contains("json: true"), "{parsed}");
            }
            for line in [
                &[
                    "gateway",
                    "test",
                    "bot",
                    "--to",
                    value,
                    "--message",
                    value,
                    "--json",
                ][..],
                &[
                    "gateway",
                    "test",
                    "--to",
                    value,
                    "bot",
                    "--json",
                    "--message",
                    value,
                ],
            ] {
                let parsed = parsed(line);
                assert!(
                    parsed.contains(&format!("to: {value:?}, message: {value:?}")),
                    "{parsed}"
                );
                assert!(parsed.contains("json: true"), "{parsed}");
            }
            let parsed = parsed(&[
                "event",
                "add",
                "e",
                "--name",
                value,
                "--message",
                value,
                "--subject",
                value,
                "--description",
                value,
                "--json",
            ]);
            assert_eq!(parsed.matches(&format!("{value:?}")).count(), 4, "{parsed}");
            assert!(parsed.contains("json: true"), "{parsed}");
        }
    }

    #[test]
    fn help_and_unknown_flags_are_still_seen() {
        for (line, is_right) in [
            (&["send", "contact", "ann", "--help"][..], false),
            (&["send", "contact", "ann", "-h"], false),
            (&["send", "contact", "ann", "hi", "--wiat"], false),
            (&["endpoint", "add", "ann", "telegram", "-1", "-2"], false),
            (&["send", "contact", "ann", "--", "--help"], true),
        ] {
            let line = [&["redflash"], line].concat();
            assert_eq!(Cli::try_parse_from(&line).is_ok(), is_right, "{line:?}");
        }
    }
}
