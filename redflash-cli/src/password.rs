//! New passwords, typed twice without echo or read as one line from standard input.

use std::fmt::Display;
use std::io::{self, IsTerminal, Read};

use redflash_core::model::PasswordHash;
use redflash_http::{PasswordError, hash_password};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use secrecy::{ExposeSecret, SecretString};
use tokio::task::spawn_blocking;

use crate::error::{CliError, Exit};

/// Maximum bytes read from standard input: longer than any password.
const LONGEST: u64 = 1 << 16;

/// Reads a password from the terminal or from standard input.
///
/// # Errors
///
/// Returns an error that describes the expected input.
pub(crate) async fn read() -> Result<SecretString, CliError> {
    if io::stdin().is_terminal() {
        return read_typed().await;
    }
    read_line_from(io::stdin().lock())
}

/// Hashes a password.
///
/// # Errors
///
/// Returns an error that describes why the password is rejected.
pub(crate) async fn hash(password: &SecretString) -> Result<PasswordHash, CliError> {
    hash_password(password).await.map_err(|error| {
        let exit = match error {
            PasswordError::Failed => Exit::TryAgain,
            _ => Exit::Usage,
        };
        CliError::new(exit, error.to_string())
    })
}

async fn read_typed() -> Result<SecretString, CliError> {
    let echo_off = EchoOff::begin().map_err(|error| unreadable(&error))?;
    let twice = spawn_blocking(|| -> io::Result<_> {
        Ok((
            prompt_line("Password: ")?,
            prompt_line("Repeat password: ")?,
        ))
    });
    let lines = tokio::select! {
        lines = twice => lines.map_err(|error| unreadable(&error))?,
        // Otherwise echo would stay off.
        _ = tokio::signal::ctrl_c() => {
            eprintln!();
            return Err(CliError::new(Exit::Failed, "cancelled: nothing was changed"));
        }
    };
    drop(echo_off);
    let (password, repeated) = lines.map_err(|error| unreadable(&error))?;
    if password.expose_secret() != repeated.expose_secret() {
        let message = "the passwords do not match: nothing was changed";
        return Err(CliError::usage(message));
    }
    Ok(password)
}

fn prompt_line(prompt: &str) -> io::Result<SecretString> {
    eprint!("{prompt}");
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).into())
}

fn read_line_from(input: impl Read) -> Result<SecretString, CliError> {
    let mut text = String::new();
    let read = input.take(LONGEST).read_to_string(&mut text);
    read.map_err(|error| unreadable(&error))?;
    let line = text.trim_end_matches(['\r', '\n']);
    if line.is_empty() {
        return Err(unreadable(&"expected a password on one line"));
    }
    if line.contains(['\r', '\n']) {
        return Err(unreadable(
            &"expected a password on one line, found several",
        ));
    }
    Ok(line.into())
}

fn unreadable(reason: &dyn Display) -> CliError {
    CliError::usage(format!("standard input: {reason}"))
}

/// Disables the echo of the terminal until it is dropped.
struct EchoOff {
    before: Termios,
}

impl EchoOff {
    fn begin() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        silent.local_modes.insert(LocalModes::ECHONL);
        tcsetattr(io::stdin(), OptionalActions::Flush, &silent)?;
        Ok(Self { before })
    }
}

impl Drop for EchoOff {
    fn drop(&mut self) {
        // A closed terminal needs no echo.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_one_line() {
        for text in ["two words", "two words\n", "two words\r\n"] {
            let password = read_line_from(text.as_bytes()).unwrap();
            assert_eq!(password.expose_secret(), "two words");
        }
        assert_eq!(
            read_line_from(" x ".as_bytes()).unwrap().expose_secret(),
            " x "
        );
        for bad in ["", "\n", "one\ntwo\n", "one\rtwo"] {
            let error = read_line_from(bad.as_bytes()).unwrap_err().message;
            assert!(error.contains("one line"), "{bad:?}: {error}");
        }
    }

    #[test]
    fn rejects_binary_and_bounds_endless_input() {
        let error = read_line_from(&b"canary\xff"[..]).unwrap_err().message;
        assert!(error.starts_with("standard input:"), "{error}");
        assert!(!error.contains("canary"), "{error}");
        let endless = read_line_from(io::repeat(b'a')).unwrap();
        assert_eq!(endless.expose_secret().len() as u64, LONGEST);
    }
}
