//! How a command fails, and what the shell learns of it.

use std::io::Write;
use std::process::ExitCode;

use redflash_channels::ConfigError;
use redflash_core::{EditError, RaiseError, StartError, StoreError, error_chain};
use redflash_store::OpenError;

use crate::sanitize::sanitize;

/// The kinds of error, by exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It did not work.
    Failed = 1,
    /// The command line, the configuration or a document is wrong.
    Usage = 2,
    /// The server does not take the API key, or the key does not have the right.
    NotAllowed = 3,
    /// There is no such thing, or the alert was refused: nothing was sent.
    Refused = 4,
    /// Some were told, others not.
    Partly = 5,
    /// The answer could not be printed (`EX_IOERR`): what was asked for may have been done.
    NotPrinted = 74,
    /// It may work later (`EX_TEMPFAIL`).
    TryAgain = 75,
}

/// A failed command, in words for whoever typed it.
#[derive(Debug)]
pub(crate) struct CliError {
    pub(crate) exit: Exit,
    pub(crate) message: String,
}

/// What `--help` says of exit codes.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0   done
  1   it did not work
  2   the command line, the configuration or a document is wrong
  3   the server does not take the API key, or the key may not do this
  4   there is no such thing, or the alert was refused: nothing was sent
  5   some were told, others not
  74  the answer could not be printed: what was asked for may have been done
  75  the store or the server cannot be used now: try again";

impl CliError {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
        }
    }

    /// The command line, the configuration or a document is wrong.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// There is nothing of this name.
    pub(crate) fn missing(kind: &str, slug: &str) -> Self {
        let message = format!("there is no {kind} {slug}: see `redflash {kind} list`");
        Self::new(Exit::Refused, message)
    }

    /// The database does not exist.
    fn no_database(error: &impl std::fmt::Display) -> Self {
        let message = format!(
            "{error}: `redflash serve` and `redflash migrate` create it; name another one with \
             --database, REDFLASH_DATABASE or the configuration"
        );
        Self::new(Exit::Refused, message)
    }

    /// Tells the person, and the shell.
    pub(crate) fn report(&self) -> ExitCode {
        let message = sanitize(&self.message);
        // Nobody reads a standard error that is closed; the exit code says it all the same.
        let _ = writeln!(std::io::stderr(), "redflash: {message}");
        ExitCode::from(self.exit as u8)
    }
}

impl From<StoreError> for CliError {
    fn from(error: StoreError) -> Self {
        let exit = match error {
            StoreError::Missing { .. } | StoreError::Dangling { .. } => Exit::Refused,
            StoreError::Unavailable(_) | StoreError::Unknown(_) | StoreError::Outdated => {
                Exit::TryAgain
            }
            _ => Exit::Failed,
        };
        Self::new(exit, error_chain(&error))
    }
}

impl From<StartError> for CliError {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Store(error) => error.into(),
            error => Self::new(Exit::Failed, error_chain(&error)),
        }
    }
}

impl From<EditError> for CliError {
    fn from(error: EditError) -> Self {
        match error {
            // As `contact/ann`.
            EditError::Store(StoreError::Missing { what }) => {
                let (kind, slug) = what.split_once('/').unwrap_or((&what, ""));
                Self::missing(kind, slug)
            }
            EditError::Store(error) => error.into(),
            error @ (EditError::Invalid(_) | EditError::LastAdmin(_)) => {
                Self::usage(error.to_string())
            }
            error => Self::new(Exit::TryAgain, error.to_string()),
        }
    }
}

impl From<OpenError> for CliError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Missing { .. } => Self::no_database(&error),
            error => Self::new(Exit::Failed, error_chain(&error)),
        }
    }
}

impl From<redflash_store::postgres::OpenError> for CliError {
    fn from(error: redflash_store::postgres::OpenError) -> Self {
        use redflash_store::postgres::OpenError;
        let exit = match error {
            OpenError::Missing { .. } => return Self::no_database(&error),
            OpenError::Url { .. } | OpenError::CaFile { .. } => Exit::Usage,
            OpenError::Server(_) => Exit::TryAgain,
            _ => Exit::Failed,
        };
        Self::new(exit, error_chain(&error))
    }
}

impl From<RaiseError> for CliError {
    fn from(error: RaiseError) -> Self {
        let exit = match &error {
            RaiseError::Overloaded { .. } => Exit::TryAgain,
            RaiseError::Clock(_) => Exit::Failed,
            RaiseError::Store { source, .. } => match source {
                StoreError::Unavailable(_) | StoreError::Unknown(_) => Exit::TryAgain,
                _ => Exit::Failed,
            },
            _ => Exit::Refused,
        };
        let hint = match &error {
            RaiseError::NoRecipients(plan) => {
                let (kind, slug) = (plan.target.kind(), plan.target.slug());
                format!("; `redflash explain {kind} {slug}` says why")
            }
            _ => String::new(),
        };
        Self::new(exit, format!("{}{hint}", error_chain(&error)))
    }
}

impl From<ConfigError> for CliError {
    fn from(error: ConfigError) -> Self {
        Self::usage(error.to_string())
    }
}
