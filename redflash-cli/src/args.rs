//! The command line.

use std::path::PathBuf;

use clap::builder::{StringValueParser, TypedValueParser};
use clap::{Parser, Subcommand};
use secrecy::SecretString;

use crate::command::{
    audit, completions, config, contact, copy, demo, doctor, endpoint, event, explain, export,
    gateway, group, import, inbound, key, log, man, migrate, prune, raise, resend, serve, user,
};

/// Examples of the command as a whole, and the exit codes.
const AFTER_HELP: &str = "\
Examples:
  redflash demo
  redflash contact add ann --name Ann --email ann@example.org
  redflash send contact ann 'The disk of db1 is full.' --wait
  redflash --server https://alerts.example.org log --state failed

Exit codes:
  0   success
  1   the command failed
  2   invalid command line, configuration or document
  3   the server rejected the API key, or the key lacks the permission
  4   not found, or the alert was rejected: nothing was sent
  5   some recipients were not reached
  74  the output could not be written: the command itself may have succeeded
  75  the store or the server is temporarily unavailable: try again";

/// The heading of the options that every command accepts.
const GLOBAL: &str = "Global options";

/// Send alerts to people over mail, SMS, chat and webhooks
#[derive(Debug, Parser)]
#[command(name = "redflash", version, after_help = AFTER_HELP, max_term_width = 100)]
pub(crate) struct Cli {
    /// Configuration file [default: `REDFLASH_CONFIG`, else ./redflash.toml, else
    /// /etc/redflash/redflash.toml, else none]
    #[arg(long, global = true, value_name = "FILE", help_heading = GLOBAL)]
    pub(crate) config: Option<PathBuf>,
    /// Database: sqlite:PATH, or the URL of a Postgres database [default: `REDFLASH_DATABASE`, else
    /// the database in the configuration]
    #[arg(long, visible_alias = "db", global = true, value_name = "URL", help_heading = GLOBAL)]
    pub(crate) database: Option<String>,
    /// Use the API of this server instead of the database, with the API key in `REDFLASH_API_KEY` or
    /// in the file named by `REDFLASH_API_KEY_FILE`
    #[arg(
        long,
        alias = "url",
        global = true,
        env = "REDFLASH_SERVER",
        value_name = "URL",
        help_heading = GLOBAL
    )]
    pub(crate) server: Option<String>,
    /// API key, visible to other users of the machine: prefer `REDFLASH_API_KEY`
    #[arg(
        long,
        hide = true,
        global = true,
        value_name = "KEY",
        help_heading = GLOBAL,
        value_parser = StringValueParser::new().map(SecretString::from)
    )]
    pub(crate) key: Option<SecretString>,
    /// Allow sending the API key unencrypted, for trusted networks
    #[arg(long, global = true, help_heading = GLOBAL)]
    pub(crate) plain_http: bool,
    /// Print JSON, with RFC 3339 timestamps
    #[arg(long, global = true, help_heading = GLOBAL)]
    pub(crate) json: bool,
    /// Print times in the local time zone instead of UTC
    #[arg(long, global = true, help_heading = GLOBAL)]
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

/// Commands that work on the local database and through a server's API.
#[derive(Debug, Subcommand)]
pub(crate) enum BackendCommand {
    /// Manage contacts: the people and systems that receive alerts
    #[command(subcommand)]
    Contact(contact::Command),
    /// Manage the addresses of contacts
    #[command(subcommand)]
    Endpoint(endpoint::Command),
    /// Manage groups of contacts
    #[command(subcommand)]
    Group(group::Command),
    /// Manage events: message templates with their recipients
    #[command(subcommand)]
    Event(event::Command),
    /// Manage API keys
    #[command(subcommand)]
    Key(key::Command),
    /// Manage users of the web admin
    #[command(subcommand)]
    User(user::Command),
    /// Send a message to a contact or a group
    Send(raise::SendArgs),
    /// Raise an event
    Fire(raise::FireArgs),
    /// Show who an alert would reach, and who not, without sending it
    Explain(explain::Args),
    /// Show alerts and their deliveries
    Log(log::Args),
    /// Show messages that people sent back
    Inbound(inbound::Args),
    /// Show the audit log
    #[command(subcommand)]
    Audit(audit::Command),
    /// Show and test gateways
    #[command(subcommand)]
    Gateway(gateway::Command),
    /// Resend failed, cancelled, suppressed or quarantined deliveries
    Resend(resend::Args),
    /// Export contacts, groups and events to a file
    Export(export::Args),
    /// Check the installation for problems
    Doctor(doctor::Args),
}

impl BackendCommand {
    /// Returns true if the command creates a missing local database: it adds an entry that needs no
    /// others.
    pub(crate) const fn creates_database(&self) -> bool {
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

/// Commands that work on the local machine only.
#[derive(Debug, Subcommand)]
pub(crate) enum LocalCommand {
    /// Demonstrate RedFlash on a temporary store, without configuration
    Demo(demo::Args),
    /// Run the server; SIGHUP reloads its configuration
    Serve(serve::Args),
    /// Delete old entries of the log and the audit log
    Prune(prune::Args),
    /// Import contacts, groups and events from a file or a dump of the old service
    Import(import::Args),
    /// Copy an SQLite database to an empty Postgres database
    Copy(copy::Args),
    /// Check the configuration, or print an example
    #[command(subcommand)]
    Config(config::Command),
    /// Create or update the tables of the database
    Migrate(migrate::Args),
    /// Print a shell completion script
    Completions(completions::Args),
    /// Write manual pages
    Man(man::Args),
}

impl LocalCommand {
    /// Returns the name of a command that needs the local database or configuration.
    pub(crate) const fn name_if_bound(&self) -> Option<&'static str> {
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
    use clap::CommandFactory;

    use super::*;

    /// Words that the help does not use: each has a plainer one.
    const BANNED: [&str; 15] = [
        "told",
        "tells",
        "said",
        "says",
        "stands",
        "whoever",
        "somebody",
        "so many",
        "anew",
        "comes of",
        "gives word",
        "by hand",
        "the way of",
        "became of",
        "it is called",
    ];

    /// Returns the faults in the help of a command and its subcommands.
    fn help_faults(path: &str, command: &clap::Command, faults: &mut Vec<String>) {
        let help = command.clone().render_long_help().to_string();
        let lower = help.to_lowercase();
        let words = |text: &str| format!(" {} ", text.replace(|c: char| !c.is_alphanumeric(), " "));
        for word in BANNED {
            if words(&lower).contains(&format!(" {word} ")) {
                faults.push(format!("{path}: {word:?} is in the help"));
            }
        }
        if command
            .get_about()
            .is_none_or(|about| about.to_string().contains('\n'))
        {
            faults.push(format!("{path}: has no summary of one line"));
        }
        for argument in command.get_arguments() {
            if argument.get_help().is_none() {
                faults.push(format!("{path}: {} has no help", argument.get_id()));
            }
        }
        let mut inner = command.get_subcommands().peekable();
        let example = format!("Examples:\n  {path}");
        if inner.peek().is_none() && !help.contains(&example) {
            faults.push(format!("{path}: has no example"));
        }
        for inner in inner.filter(|inner| inner.get_name() != "help") {
            help_faults(&format!("{path} {}", inner.get_name()), inner, faults);
        }
    }

    #[test]
    fn documents_every_command_and_argument() {
        let mut command = Cli::command();
        command.build();
        let mut faults = Vec::new();
        help_faults("redflash", &command, &mut faults);
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }

    /// Splits a line at spaces outside of single quotes.
    fn shell_words(line: &str) -> Vec<String> {
        let mut words = vec![String::new()];
        let mut is_quoted = false;
        for character in line.chars() {
            match character {
                '\'' => is_quoted = !is_quoted,
                ' ' if !is_quoted => words.push(String::new()),
                _ => words.last_mut().unwrap().push(character),
            }
        }
        words
    }

    #[test]
    fn accepts_every_example() {
        let mut examples = Vec::new();
        let mut commands = vec![Cli::command()];
        while let Some(command) = commands.pop() {
            commands.extend(command.get_subcommands().cloned());
            let help = command.get_after_help().map(ToString::to_string);
            let lines = help.as_deref().unwrap_or_default().lines();
            let lines = lines.filter_map(|line| line.strip_prefix("  redflash "));
            examples.extend(lines.map(str::to_owned));
        }
        assert!(examples.len() > 40, "{examples:?}");
        for example in examples {
            assert!(example.len() <= 69, "longer than 80 columns: {example}");
            // Redirections belong to the shell.
            let line = example.split(" < ").next().unwrap_or_default();
            let words = std::iter::once("redflash".to_owned()).chain(shell_words(line));
            if let Err(error) = Cli::try_parse_from(words) {
                panic!("{example}: {error}");
            }
        }
    }

    fn parsed(line: &[&str]) -> String {
        let line = [&["redflash"], line].concat();
        let cli = Cli::try_parse_from(&line);
        format!(
            "{:?}",
            cli.unwrap_or_else(|error| panic!("{line:?}: {error}"))
        )
    }

    #[test]
    fn accepts_values_that_begin_with_a_dash() {
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
            for action in ["add", "remove", "on", "off"] {
                let parsed = parsed(&["endpoint", action, "ann", "telegram", value, "--json"]);
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
    fn recognizes_help_and_unknown_flags() {
        for (line, is_valid) in [
            (&["send", "contact", "ann", "--help"][..], false),
            (&["send", "contact", "ann", "-h"], false),
            (&["send", "contact", "ann", "hi", "--wiat"], false),
            (&["endpoint", "add", "ann", "telegram", "-1", "-2"], false),
            (&["send", "contact", "ann", "--", "--help"], true),
        ] {
            let line = [&["redflash"], line].concat();
            assert_eq!(Cli::try_parse_from(&line).is_ok(), is_valid, "{line:?}");
        }
    }
}
