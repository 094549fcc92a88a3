//! An OpenID provider of the test's own.

use std::process::Stdio;
use std::{fmt, thread};

use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::PATIENCE;
use crate::fetched::{fetched, program};
use crate::server::Log;

/// Path of the script that node runs.
const SCRIPT: &str = include_str!("../peers/identity_provider.js");

/// panva's oidc-provider on loopback with one client, killed when dropped. When its test fails, its
/// log is printed.
///
/// Its users are `ann` (in the group `redflash-admins`), `vera` (in `redflash-viewers`) and `otto` (in
/// neither), with any password. Their claims are `preferred_username`, `name`, `email` and `groups`,
/// by the scopes `profile`, `email` and `groups`; the userinfo endpoint returns them, and the ID
/// token has `sub` alone. Its login form has the fields `login` and `password` and one button; a link
/// to `/abort` cancels.
pub struct IdentityProvider {
    issuer: String,
    log: Log,
    _child: Child,
}

impl IdentityProvider {
    /// The client's id.
    pub const CLIENT_ID: &str = "redflash";
    /// The client's secret.
    pub const CLIENT_SECRET: &str = "canary-client-secret";

    /// Starts one on a port of its own.
    ///
    /// * `redirect_uri` - where the client is called back. On `http://127.0.0.1`, without a port, every
    ///   port is meant.
    pub async fn start(redirect_uri: &str) -> Self {
        // Modules are looked for from the working directory on.
        let modules = fetched("node_modules");
        let mut child = Command::new("setpriv")
            .args(["--pdeathsig=KILL", "--"])
            .arg(program("node", "nodejs"))
            .args(["--input-type=module", "--eval", SCRIPT, "--"])
            .args([Self::CLIENT_ID, Self::CLIENT_SECRET, redirect_uri])
            .current_dir(modules.parent().unwrap())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let log = Log::default();
        log.follow(child.stdout.take().unwrap());
        log.follow(child.stderr.take().unwrap());
        let issuer = log.find(|line| line.strip_prefix("the issuer is ").map(str::to_owned));
        let issuer = timeout(PATIENCE, issuer).await;
        Self {
            issuer: issuer.unwrap_or_else(|_| panic!("no provider:\n{}", log.text())),
            log,
            _child: child,
        }
    }

    /// Its issuer: the URL at which it is found, without a slash at the end.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }
}

impl fmt::Debug for IdentityProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdentityProvider")
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}

impl Drop for IdentityProvider {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("the provider's log:\n{}", self.log.text());
        }
    }
}
