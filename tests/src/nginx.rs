//! A real nginx in front of a server.

use std::net::SocketAddr;
use std::process::Stdio;
use std::{fmt, thread};

use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::missing;
use crate::server::Log;
use crate::{Port, until};

/// Path of the program in Debian's package, which is on no user's path.
const PROGRAM: &str = "/usr/sbin/nginx";

/// Debian's nginx on loopback, which shows a server below a path; killed when dropped. When its test
/// fails, its log is printed.
///
/// It ends with the thread that started it at the latest, so each test starts one of its own.
pub struct Nginx {
    _child: Child,
    log: Log,
    port: Port,
    _directory: TempDir,
}

impl Nginx {
    /// Starts it in front of a server.
    ///
    /// * `path` - the path below which it shows the server, such as `/redflash`.
    /// * `passes_on` - whether the server gets that path too, or what follows it alone.
    pub async fn start(port: Port, path: &str, server: SocketAddr, passes_on: bool) -> Self {
        if !std::path::Path::new(PROGRAM).exists() {
            missing("nginx is missing; Debian's package is `nginx-light`");
        }
        let directory = tempfile::tempdir().unwrap();
        let config = config(port.address(), path, server, passes_on);
        std::fs::write(directory.path().join("nginx.conf"), config).unwrap();
        // It ends with the test even if that is killed.
        let mut child = Command::new("setpriv")
            .args(["--pdeathsig=KILL", "--", PROGRAM, "-e", "stderr", "-p"])
            .arg(directory.path())
            .args(["-c", "nginx.conf"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let log = Log::default();
        log.follow(child.stdout.take().unwrap());
        log.follow(child.stderr.take().unwrap());
        let nginx = Self {
            _child: child,
            log,
            port,
            _directory: directory,
        };
        until("nginx listens", async || {
            TcpStream::connect(nginx.address()).await.ok()
        })
        .await;
        nginx
    }

    /// Returns the address that it listens on.
    pub const fn address(&self) -> SocketAddr {
        self.port.address()
    }
}

fn config(listen: SocketAddr, path: &str, server: SocketAddr, passes_on: bool) -> String {
    // With a path of its own behind it, nginx puts that in the place of the location's.
    let own = if passes_on { "" } else { "/" };
    format!(
        "daemon off;
master_process off;
pid nginx.pid;
error_log stderr warn;
events {{}}
http {{
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    client_max_body_size 8m;
    server {{
        listen {listen};
        location {path}/ {{
            proxy_pass http://{server}{own};
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $remote_addr;
        }}
    }}
}}
"
    )
}

impl fmt::Debug for Nginx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nginx")
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("nginx's log:\n{}", self.log.text());
        }
    }
}
