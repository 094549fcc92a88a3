//! A new password: typed twice at a terminal that does not show it, or one line of standard input.

use std::fmt::Display;
use std::io::{self, IsTerminal, Read};

use redflash_core::PasswordHash;
use redflash_http::{PasswordError, hash_password};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use secrecy::{ExposeSecret, SecretString};
use tokio::task::spawn_blocking;

use crate::error::{CliError, Exit};

/// How much of standard input is read at most: more than any password has.
const LONGEST: u64 = 1 << 16;

/// A password that is typed, or given, now.
///
/// # Errors
///
/// Says how to give one.
pub(crate) async fn ask() -> Result<SecretString, CliError> {
    if io::stdin().is_terminal() {
        return typed().await;
    }
    given(io::stdin().lock())
}

/// The hash of a password.
///
/// # Errors
///
/// Says what is wrong with the password.
pub(crate) async fn hash(password: &SecretString) -> Result<PasswordHash, CliError> {
    hash_password(password).await.map_err(|error| {
        let exit = match error {
            PasswordError::Failed => Exit::TryAgain,
            _ => Exit::Usage,
        };
        CliError::new(exit, error.to_string())
    })
}

async fn typed() -> Result<SecretString, CliError> {
    let silence = Silence::begin().map_err(|error| unreadable(&error))?;
    let twice = spawn_blocking(|| -> io::Result<_> {
        Ok((line("Password: ")?, line("The same again: ")?))
    });
    let lines = tokio::select! {
        lines = twice => lines.map_err(|error| unreadable(&error))?,
        // Otherwise the terminal would stay silent.
        _ = tokio::signal::ctrl_c() => {
            eprintln!();
            return Err(CliError::new(Exit::Failed, "given up: nothing was changed"));
        }
    };
    drop(silence);
    let (password, again) = lines.map_err(|error| unreadable(&error))?;
    if password.expose_secret() != again.expose_secret() {
        let message = "the two passwords are not the same: nothing was changed";
        return Err(CliError::usage(message));
    }
    Ok(password)
}

fn line(prompt: &str) -> io::Result<SecretString> {
    eprint!("{prompt}");
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).into())
}

fn given(input: impl Read) -> Result<SecretString, CliError> {
    let mut text = String::new();
    let read = input.take(LONGEST).read_to_string(&mut text);
    read.map_err(|error| unreadable(&error))?;
    let line = text.trim_end_matches(['\r', '\n']);
    if line.is_empty() {
        return Err(unreadable(&"the password is wanted there, on one line"));
    }
    if line.contains(['\r', '\n']) {
        return Err(unreadable(&"a password is one line, and there are more"));
    }
    Ok(line.into())
}

fn unreadable(reason: &dyn Display) -> CliError {
    CliError::usage(format!("standard input: {reason}"))
}

/// A terminal that does not show what is typed, until this is dropped.
struct Silence {
    before: Termios,
}

impl Silence {
    fn begin() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        silent.local_modes.insert(LocalModes::ECHONL);
        tcsetattr(io::stdin(), OptionalActions::Flush, &silent)?;
        Ok(Self { before })
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        // A terminal that is gone shows nothing either.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_given_password_is_one_line() {
        for text in ["two words", "two words\n", "two words\r\n"] {
            let password = given(text.as_bytes()).unwrap();
            assert_eq!(password.expose_secret(), "two words");
        }
        assert_eq!(given(" x ".as_bytes()).unwrap().expose_secret(), " x ");
        for bad in ["", "\n", "one\ntwo\n", "one\rtwo"] {
            let error = given(bad.as_bytes()).unwrap_err().message;
            assert!(error.contains("one line"), "{bad:?}: {error}");
        }
    }

    #[test]
    fn what_is_no_text_or_does_not_end_is_no_password() {
        let error = given(&b"canary\xff"[..]).unwrap_err().message;
        assert!(error.starts_with("standard input:"), "{error}");
        assert!(!error.contains("canary"), "{error}");
        let endless = given(io::repeat(b'a')).unwrap();
        assert_eq!(endless.expose_secret().len() as u64, LONGEST);
    }
}
