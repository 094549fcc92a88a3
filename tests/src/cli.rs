//! A command of `redflash` other than the server.

use std::process::Stdio;

use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::time::timeout;

use crate::{PATIENCE, Terminal};

/// A command about to be run.
#[derive(Debug)]
pub struct Cli {
    command: Command,
    input: Vec<u8>,
    line: String,
}

/// The output of a command and its exit code.
#[derive(Clone, Debug)]
pub struct Output {
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
    line: String,
}

impl Cli {
    /// A command that is about to be run.
    ///
    /// * `line` - the command as a user would type it, for messages.
    pub(crate) const fn new(command: Command, line: String) -> Self {
        Self {
            command,
            input: Vec::new(),
            line,
        }
    }

    /// A program that belongs to no installation.
    pub(crate) fn program(command: std::process::Command) -> Self {
        let line = command.get_program().display().to_string();
        let mut command = Command::from(command);
        command.kill_on_drop(true);
        Self::new(command, line)
    }

    /// With another argument, of any bytes.
    #[must_use]
    pub fn argument(mut self, argument: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    /// With a variable in its environment.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// With this on its standard input, which is empty otherwise.
    #[must_use]
    pub fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = bytes.into();
        self
    }

    /// Runs it at a terminal.
    pub fn at_terminal(self) -> Terminal {
        Terminal::start(self.command)
    }

    /// Runs it to its end.
    pub async fn run(mut self) -> Output {
        let mut child = self
            .command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let feed = async move {
            // A command that does not read its input closes it.
            let _ = stdin.write_all(&self.input).await;
        };
        let ((), output) = timeout(PATIENCE, async {
            tokio::join!(feed, child.wait_with_output())
        })
        .await
        .unwrap_or_else(|_| panic!("`{}` does not end", self.line));
        let output = output.unwrap();
        Output {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            line: self.line,
        }
    }
}

impl Output {
    /// The same, if it succeeded; otherwise the test fails.
    #[expect(
        clippy::return_self_not_must_use,
        reason = "the check is worth making by itself"
    )]
    pub fn succeeded(self) -> Self {
        self.exited(0)
    }

    /// The same, if it ended with this code; otherwise the test fails.
    #[expect(
        clippy::return_self_not_must_use,
        reason = "the check is worth making by itself"
    )]
    pub fn exited(self, code: i32) -> Self {
        let Self {
            line,
            stdout,
            stderr,
            ..
        } = &self;
        assert_eq!(
            self.code,
            Some(code),
            "`{line}` ends otherwise; it printed:\n{stdout}\n{stderr}"
        );
        self
    }

    /// Parses its standard output as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("`{}`: {error} in:\n{}", self.line, self.stdout))
    }
}
