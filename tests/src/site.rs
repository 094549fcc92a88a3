//! One installation of RedFlash.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::{env, iter};

use tempfile::TempDir;

use crate::database::OwnDatabase;
use crate::{Cli, Config, Output, Server, until};

/// One installation: a directory of its own with a configuration and a database.
#[derive(Debug)]
pub struct Site {
    directory: TempDir,
    database: String,
    /// Ended after the rest.
    _own: Option<OwnDatabase>,
    environment: Vec<(String, String)>,
    wrapper: Vec<String>,
}

impl Site {
    /// An installation with this configuration and an empty database: a file, or where the tests run
    /// on Postgres, one there.
    pub fn new(config: &Config) -> Self {
        let own = OwnDatabase::if_wanted();
        let url = own.as_ref().map(|own| own.url().to_owned());
        Self {
            _own: own,
            ..Self::make(config, url)
        }
    }

    /// An installation with this configuration on this database.
    pub fn on(config: &Config, url: impl Into<String>) -> Self {
        Self::make(config, Some(url.into()))
    }

    fn make(config: &Config, url: Option<String>) -> Self {
        let directory = TempDir::with_prefix("redflash-test-").unwrap();
        let file = directory.path().join("redflash.db");
        let site = Self {
            database: url.unwrap_or_else(|| format!("sqlite:{}", file.display())),
            directory,
            _own: None,
            environment: Vec::new(),
            wrapper: Vec::new(),
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

    /// The same, with every command run by another, such as one that puts it elsewhere.
    #[must_use]
    pub fn wrapped_in(mut self, wrapper: Vec<String>) -> Self {
        self.wrapper = wrapper;
        self
    }

    /// Writes another configuration, for the commands from now on.
    pub fn configure(&self, config: &Config) {
        let path = self.config();
        fs::write(&path, config.text(&self.database)).unwrap();
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

    /// The database file, where everything is kept in one.
    pub fn database(&self) -> PathBuf {
        self.path().join("redflash.db")
    }

    /// The URL of where everything is kept.
    pub fn database_url(&self) -> &str {
        &self.database
    }

    /// Starts the server and waits until it is ready.
    pub async fn serve(&self) -> Server {
        let mut serve = self.command(crate::binary::path());
        serve.arg("serve");
        Server::start(serve).await
    }

    /// Returns a command on this installation.
    pub fn cli<S: AsRef<str>>(&self, arguments: impl IntoIterator<Item = S>) -> Cli {
        let mut command = self.command(crate::binary::path());
        let mut line = "redflash".to_owned();
        for argument in arguments {
            command.arg(argument.as_ref());
            line = format!("{line} {}", argument.as_ref());
        }
        Cli::new(command, line)
    }

    /// Returns a command line on this installation, for bash; `redflash` is the binary under test.
    pub fn shell(&self, line: &str) -> Cli {
        let mut command = self.command(Path::new("bash"));
        let path = env::var_os("PATH").unwrap_or_default();
        let binaries = crate::binary::path().parent().unwrap().to_owned();
        let paths = iter::once(binaries).chain(env::split_paths(&path));
        command.env("PATH", env::join_paths(paths).unwrap());
        command.args(["-c", line]);
        Cli::new(command, line.to_owned())
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

    /// Waits until nothing waits to be sent any more.
    pub async fn all_sent(&self) {
        until("everything was sent", async || {
            let mut waiting = 0;
            for state in ["queued", "sending"] {
                let log = ["log", "--state", state, "--limit", "1", "--json"];
                waiting += self.run(log).await.json().as_array().unwrap().len();
            }
            (waiting == 0).then_some(())
        })
        .await;
    }

    /// A program in this installation's directory and environment.
    pub(crate) fn command(&self, program: &Path) -> tokio::process::Command {
        let words = self.wrapper.iter().map(AsRef::as_ref);
        let mut words = words.chain([program.as_os_str()]);
        let mut command = tokio::process::Command::new(words.next().unwrap());
        command
            .args(words)
            .current_dir(self.path())
            .env_remove("NOTIFY_SOCKET")
            .env("REDFLASH_CONFIG", self.config())
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .kill_on_drop(true);
        command
    }
}
