//! Errors of commands, with their exit codes.

use std::io::Write;
use std::process::ExitCode;

use redflash_channels::ConfigError;
use redflash_core::engine::{EditError, RaiseError, StartError};
use redflash_core::error_chain;
use redflash_core::store::StoreError;
use redflash_store::OpenError;

use crate::sanitize::sanitize;

/// The exit codes of failed commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The command failed.
    Failed = 1,
    /// The command line, the configuration or a document is invalid.
    Usage = 2,
    /// The server rejected the API key, or the key lacks the permission.
    NotAllowed = 3,
    /// Not found, or the alert was rejected: nothing was sent.
    Refused = 4,
    /// Some recipients were not reached.
    Partly = 5,
    /// The output could not be written (`EX_IOERR`); the command itself may have succeeded.
    NotPrinted = 74,
    /// A temporary failure (`EX_TEMPFAIL`).
    TryAgain = 75,
}

/// An error, described for the person who ran the command.
#[derive(Debug)]
pub(crate) struct CliError {
    pub(crate) exit: Exit,
    pub(crate) message: String,
}

impl CliError {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
        }
    }

    /// Creates the error of an invalid command line, configuration or document.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// Creates the error of a missing entry.
    pub(crate) fn missing(kind: &str, slug: &str) -> Self {
        let message = format!("there is no {kind} {slug}: see `redflash {kind} list`");
        Self::new(Exit::Refused, message)
    }

    /// Creates the error of a missing database.
    fn no_database(error: &impl std::fmt::Display) -> Self {
        let message = format!(
            "{error}: run `redflash serve` or `redflash migrate` to create it, or set another one with \
             --database, REDFLASH_DATABASE or the configuration"
        );
        Self::new(Exit::Refused, message)
    }

    /// Prints the error and returns its exit code.
    pub(crate) fn report(&self) -> ExitCode {
        let message = sanitize(&self.message);
        // A closed standard error has no reader; the exit code still reports the failure.
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
                format!("; run `redflash explain {kind} {slug}` to see why")
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
