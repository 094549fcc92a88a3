//! A tester of APIs.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use tokio::process::Command;
use tokio::time::timeout;

use crate::fetched::fetched;

/// Time limit of a whole run.
const PATIENCE: Duration = Duration::from_mins(5);

/// Schemathesis about to be run: it makes requests of every kind that an API's description allows or
/// forbids, and holds each answer to the description.
#[derive(Debug)]
pub struct Schemathesis {
    command: Command,
    /// It reads its configuration and writes where it is started.
    directory: TempDir,
}

/// The findings of Schemathesis.
#[derive(Clone, Debug)]
pub struct Examination {
    /// Whether nothing is wrong.
    pub passed: bool,
    /// Its output: each failure with the request as a curl command.
    pub output: String,
}

impl Schemathesis {
    /// All checks, on the API described at this URL.
    ///
    /// The same requests are made each time.
    pub fn against(description: &str) -> Self {
        let mut command = Command::new(fetched("python/bin/st"));
        let directory = TempDir::with_prefix("redflash-schemathesis-").unwrap();
        command
            .current_dir(directory.path())
            .args(["run", description])
            // With several workers, the Python of Debian 12 gets lost in its own parser.
            .args(["--checks=all", "--mode=all", "--workers=1"])
            .args(["--phases=examples,coverage,fuzzing,stateful"])
            .arg("--max-examples=20")
            .args(["--seed=1", "--generation-database=none", "--no-shrink"])
            .args(["--request-timeout=10", "--no-color"])
            .env("NO_PROXY", "*");
        Self { command, directory }
    }

    /// With this bearer token in each request, apart from those that try to do without.
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.argument(&format!("--header=Authorization: Bearer {token}"))
    }

    /// With this configuration, which is what a `schemathesis.toml` says.
    #[must_use]
    pub fn configured(self, text: &str) -> Self {
        fs::write(self.directory.path().join("schemathesis.toml"), text).unwrap();
        self
    }

    /// With another argument of `st run`, such as `--exclude-path=/events`. Of two that contradict each
    /// other, the last counts.
    #[must_use]
    pub fn argument(mut self, argument: &str) -> Self {
        self.command.arg(argument);
        self
    }

    /// Runs it to its end.
    pub async fn run(mut self) -> Examination {
        self.command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let ended = timeout(PATIENCE, self.command.output()).await;
        let ended = ended.expect("Schemathesis ends").unwrap();
        let printed = [ended.stdout, ended.stderr].concat();
        Examination {
            passed: ended.status.success(),
            output: String::from_utf8_lossy(&printed).into_owned(),
        }
    }
}

impl Examination {
    /// Fails the test unless nothing is wrong.
    pub fn assert_passed(&self) {
        assert!(self.passed, "Schemathesis finds faults:\n{}", self.output);
    }
}
