//! One installation of RedFlash.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::{Cli, Config, Output, Server};

/// One installation: a directory of its own with a configuration and a database.
#[derive(Debug)]
pub struct Site {
    directory: TempDir,
    environment: Vec<(String, String)>,
}

impl Site {
    /// An installation with this configuration and an empty database.
    pub fn new(config: &Config) -> Self {
        let site = Self {
            directory: tempfile::Builder::new()
                .prefix("redflash-test-")
                .tempdir()
                .unwrap(),
            environment: Vec::new(),
        };
        site.configure(config);
        site
    }

    /// The same, with a variable in the environment of every command, the server included.
    #[must_use]
    pub fn with_variable(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// Writes another configuration, for the commands from now on.
    pub fn configure(&self, config: &Config) {
        let path = self.config();
        fs::write(&path, config.text(self.path())).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The configuration file.
    pub fn config(&self) -> PathBuf {
        self.path().join("redflash.toml")
    }

    /// The database file.
    pub fn database(&self) -> PathBuf {
        self.path().join("redflash.db")
    }

    /// Starts the server and waits until it is ready.
    pub async fn serve(&self) -> Server {
        Server::start(self).await
    }

    /// A command on this installation.
    pub fn cli<S: AsRef<str>>(&self, arguments: impl IntoIterator<Item = S>) -> Cli {
        Cli::new(self, arguments)
    }

    /// A command line on this installation, for bash; `redflash` is the binary under test.
    pub fn shell(&self, line: &str) -> Cli {
        Cli::shell(self, line)
    }

    /// Runs a command, which must succeed.
    pub async fn run<S: AsRef<str>>(&self, arguments: impl IntoIterator<Item = S>) -> Output {
        self.cli(arguments).run().await.succeeded()
    }

    /// Makes an API key and returns its secret.
    ///
    /// * `options` - more arguments of `redflash key add`.
    pub async fn key(&self, slug: &str, options: &[&str]) -> String {
        let mut arguments = vec!["key", "add", slug, "--json"];
        arguments.extend(options);
        let made = self.run(arguments).await.json();
        let secret = made["secret"].as_str().or_else(|| made["key"].as_str());
        secret.expect("the key is printed once").to_owned()
    }

    /// A program in this installation's directory and environment.
    pub(crate) fn command(&self, program: &Path) -> tokio::process::Command {
        let mut command = tokio::process::Command::new(program);
        command
            .current_dir(self.path())
            .env_remove("NOTIFY_SOCKET")
            .env("REDFLASH_CONFIG", self.config())
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .kill_on_drop(true);
        command
    }
}
