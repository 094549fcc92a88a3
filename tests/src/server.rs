//! The server under test.

use std::fmt;
use std::net::SocketAddr;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::{Client, PATIENCE, until};

/// A running `redflash serve`, killed when dropped. When its test fails, its log is printed.
pub struct Server {
    child: Child,
    log: Log,
    address: SocketAddr,
}

/// Everything that a process has printed so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log(Arc<(Mutex<Vec<u8>>, Notify)>);

impl Server {
    /// Starts the server and waits until it is ready.
    ///
    /// * `serve` - the command that starts it.
    pub(crate) async fn start(mut serve: Command) -> Self {
        let mut child = serve
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Log::default();
        log.follow(child.stdout.take().unwrap());
        log.follow(child.stderr.take().unwrap());
        let address = timeout(PATIENCE, log.find(listening)).await;
        let address =
            address.unwrap_or_else(|_| panic!("the server does not listen:\n{}", log.text()));
        let server = Self {
            child,
            log,
            address,
        };
        let client = server.client();
        until("the server is ready", async || {
            (client.get("/readyz").await.status == 200).then_some(())
        })
        .await;
        server
    }

    /// Returns the address that it listens on.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of a path on it.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// A raising system that talks to it.
    pub fn client(&self) -> Client {
        Client::new(self.address)
    }

    /// Everything it has printed so far, on both streams.
    pub fn log(&self) -> String {
        self.log.text()
    }

    /// The id of its process.
    pub fn pid(&self) -> u32 {
        self.child.id().expect("the server has not ended")
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.pid()).unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
    }

    /// Waits until it ends by itself.
    pub async fn ended(&mut self) -> ExitStatus {
        let status = timeout(PATIENCE, self.child.wait()).await;
        status.expect("the server ends").unwrap()
    }

    /// Asks it to stop with SIGTERM, and waits until it has.
    pub async fn stop(mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.ended().await
    }

    /// Kills it with SIGKILL: it gets no chance to finish anything.
    pub async fn kill(mut self) {
        self.signal(Signal::KILL);
        self.ended().await;
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the server's log:\n{}", self.log());
        }
    }
}

impl Log {
    pub(crate) fn follow(&self, stream: impl AsyncRead + Send + Unpin + 'static) {
        let log = self.clone();
        let mut stream = BufReader::new(stream);
        tokio::spawn(async move {
            let mut line = Vec::new();
            while stream
                .read_until(b'\n', &mut line)
                .await
                .is_ok_and(|n| n > 0)
            {
                log.0.0.lock().unwrap().append(&mut line);
                log.0.1.notify_waiters();
            }
        });
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.0.lock().unwrap()).into_owned()
    }

    /// Waits for the first line that says something.
    pub(crate) async fn find<T>(&self, read: impl Fn(&str) -> Option<T>) -> T {
        loop {
            let more = self.0.1.notified();
            tokio::pin!(more);
            more.as_mut().enable();
            if let Some(found) = self.text().lines().find_map(&read) {
                return found;
            }
            more.await;
        }
    }
}

/// The address in the line that says where the server listens.
fn listening(line: &str) -> Option<SocketAddr> {
    let (_, address) = line.split_once("listening on http://")?;
    let end = address.find(|c: char| !c.is_ascii_digit() && c != '.' && c != ':');
    address[..end.unwrap_or(address.len())].parse().ok()
}
