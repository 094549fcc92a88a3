//! chromedriver, and what it can do beyond the WebDriver standard.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};
use std::{fmt, fs, thread};

use fantoccini::Client;
use fantoccini::wd::WebDriverCompatibleCommand;
use reqwest::Method;
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::timeout;
use url::{ParseError, Url};

use crate::PATIENCE;
use crate::fetched::program;
use crate::server::Log;

/// Name of the script that starts Chromium, in the directory of its profile.
const LAUNCHER: &str = "start-chromium";
/// Number of occupied ports that chromedriver may choose before the test fails.
const TRIES: usize = 5;

/// A running chromedriver with the Chromium that it starts, killed when dropped.
pub(crate) struct Chromedriver {
    _child: Child,
    group: Pid,
    pub(crate) log: Log,
    port: u16,
    profile: TempDir,
}

/// A command of chromedriver's own.
#[derive(Debug)]
struct Extension {
    path: &'static str,
    body: Value,
}

impl Chromedriver {
    /// Starts one on a port of its own.
    pub(crate) async fn start() -> Self {
        for _ in 0..TRIES {
            if let Some(started) = Self::try_to_start().await {
                return started;
            }
        }
        panic!("chromedriver has found no free port {TRIES} times");
    }

    /// Starts one; `None` when the port that it chose was taken meanwhile. It chooses one that is free
    /// for IPv6, and takes the same for IPv4.
    async fn try_to_start() -> Option<Self> {
        let chromedriver = program("chromedriver", "chromium-driver");
        let chromium = program("chromium", "chromium");
        let profile = TempDir::with_prefix("redflash-browser-").unwrap();
        write_launcher(profile.path(), &chromium);
        // It ends with the test even if that is killed.
        let mut child = Command::new("setpriv")
            .args(["--pdeathsig=KILL", "--"])
            .arg(chromedriver)
            .arg("--port=0")
            // Chromium keeps some things at home, whatever profile it has.
            .env("HOME", profile.path())
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let group = Pid::from_raw(i32::try_from(child.id().unwrap()).unwrap()).unwrap();
        let log = Log::default();
        log.follow(child.stdout.take().unwrap());
        log.follow(child.stderr.take().unwrap());
        let port = timeout(PATIENCE, log.find(port)).await;
        let port = port.unwrap_or_else(|_| panic!("no chromedriver:\n{}", log.text()));
        Some(Self {
            _child: child,
            group,
            log,
            port: port?,
            profile,
        })
    }

    /// Returns the URL that it listens on.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Returns the capabilities of a session: a Chromium that reaches loopback only and logs everything.
    pub(crate) fn capabilities(&self) -> serde_json::Map<String, Value> {
        let profile = format!("--user-data-dir={}", self.profile.path().display());
        let arguments = [
            "--headless=new",
            // Its sandbox neither works for root nor in most containers, whose /dev/shm is small.
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--disable-background-networking",
            "--no-first-run",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
            &profile,
        ];
        let capabilities = json!({
            "browserName": "chrome",
            "goog:chromeOptions": {
                "binary": self.profile.path().join(LAUNCHER),
                "args": arguments,
            },
            "goog:loggingPrefs": { "browser": "ALL" },
        });
        let Value::Object(capabilities) = capabilities else {
            unreachable!("it is an object")
        };
        capabilities
    }
}

impl Drop for Chromedriver {
    fn drop(&mut self) {
        // A second panic would hide the first.
        let _ = kill_process_group(self.group, Signal::KILL);
        // What is killed may still be ending a write there. Its processes cannot be waited for, since
        // they are children of another process.
        let begun = Instant::now();
        while fs::remove_dir_all(self.profile.path()).is_err() && begun.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(1));
        }
    }
}

impl fmt::Debug for Chromedriver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chromedriver")
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

/// Writes the program that chromedriver starts as its Chromium, which ends with it. By itself it would
/// go on.
fn write_launcher(directory: &Path, chromium: &Path) {
    let script = format!(
        "#!/bin/sh\nexec setpriv --pdeathsig=KILL -- '{}' \"$@\"\n",
        chromium.display()
    );
    let launcher = directory.join(LAUNCHER);
    fs::write(&launcher, script).unwrap();
    fs::set_permissions(&launcher, fs::Permissions::from_mode(0o700)).unwrap();
}

/// Has the browser do something by the protocol of its developer tools.
pub(crate) async fn devtools(client: &Client, method: &str, parameters: Value) -> Value {
    let body = json!({ "cmd": method, "params": parameters });
    issue(client, "goog/cdp/execute", body).await
}

/// Returns the page's log entries since the last call.
pub(crate) async fn log(client: &Client) -> Value {
    issue(client, "se/log", json!({ "type": "browser" })).await
}

async fn issue(client: &Client, path: &'static str, body: Value) -> Value {
    let done = client.issue_cmd(Extension { path, body }).await;
    done.unwrap_or_else(|error| panic!("chromedriver's {path}: {error}"))
}

impl WebDriverCompatibleCommand for Extension {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        let session = session.unwrap_or_default();
        base.join(&format!("session/{session}/{}", self.path))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}

/// The port on which it listens, once it says so; `None` in it when it says that there is none.
#[expect(
    clippy::option_option,
    reason = "a line that says neither is a third thing"
)]
fn port(line: &str) -> Option<Option<u16>> {
    if line.contains("port not available") {
        return Some(None);
    }
    let (_, port) = line.split_once("started successfully on port ")?;
    port.trim_end_matches('.').parse().ok().map(Some)
}
