//! Schemathesis, a tester of APIs.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use tokio::process::Command;
use tokio::time::timeout;

use crate::fetched::fetched;

/// Maximum duration of a run.
const PATIENCE: Duration = Duration::from_mins(5);

/// A run of Schemathesis, which sends valid and invalid requests to an API and checks every response against
/// its `OpenAPI` document.
#[derive(Debug)]
pub struct Schemathesis {
    command: Command,
    /// The working directory, where it reads its configuration and writes.
    directory: TempDir,
}

/// Result of a run.
#[derive(Clone, Debug)]
pub struct Examination {
    /// True if there are no failures.
    pub passed: bool,
    /// Output, with a `curl` command for each failure.
    pub output: String,
}

impl Schemathesis {
    /// Prepares a run of all checks, with the same requests each time.
    ///
    /// * `description` - the URL of the `OpenAPI` document.
    pub fn against(description: &str) -> Self {
        let mut command = Command::new(fetched("python/bin/st"));
        let directory = TempDir::with_prefix("redflash-schemathesis-").unwrap();
        command
            .current_dir(directory.path())
            .args(["run", description])
            // With several workers, the parser of Debian 12's Python hangs.
            .args(["--checks=all", "--mode=all", "--workers=1"])
            .args(["--phases=examples,coverage,fuzzing,stateful"])
            .arg("--max-examples=20")
            .args(["--seed=1", "--generation-database=none", "--no-shrink"])
            .args(["--request-timeout=10", "--no-color"])
            .env("NO_PROXY", "*");
        Self { command, directory }
    }

    /// Sends this bearer token, except in requests that test authentication.
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.argument(&format!("--header=Authorization: Bearer {token}"))
    }

    /// Uses the text of a `schemathesis.toml`.
    #[must_use]
    pub fn configured(self, text: &str) -> Self {
        fs::write(self.directory.path().join("schemathesis.toml"), text).unwrap();
        self
    }

    /// Adds an argument of `st run`, such as `--exclude-path=/events`. The last of several contradictory
    /// arguments applies.
    #[must_use]
    pub fn argument(mut self, argument: &str) -> Self {
        self.command.arg(argument);
        self
    }

    /// Runs it.
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
    /// Fails the test if there are failures.
    pub fn assert_passed(&self) {
        assert!(
            self.passed,
            "Schemathesis reports failures:\n{}",
            self.output
        );
    }
}
