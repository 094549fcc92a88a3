//! RedFlash itself, as a deployer runs it.

use redflash_tests::{Config, Server, Site};

/// A running server, with the key of a raising system.
#[derive(Debug)]
pub(crate) struct Served {
    pub(crate) site: Site,
    pub(crate) server: Server,
    pub(crate) key: String,
}

/// The webhook gateway's table: it may dial loopback.
pub(crate) const HOOKS: &str =
    "name = \"hooks\"\ntype = \"webhook\"\nallow_networks = [\"127.0.0.0/8\"]";

impl Served {
    /// With the contact `ann` at this URL.
    ///
    /// * `gateway` - more lines of the webhook gateway's table.
    pub(crate) async fn start(gateway: &str, hook: &str) -> Self {
        let gateway = format!("{HOOKS}\n{gateway}");
        let site = Site::new(&Config::new().top("log.level = \"warn\"").gateway(&gateway));
        let site = site.with_variable("REDFLASH_LOG", "warn,redflash::command::serve=info");
        site.run(["contact", "add", "ann", "--name", "Ann", "--webhook", hook])
            .await;
        let key = site.key("bench", &["--inspect"]).await;
        let server = site.serve().await;
        Self { site, server, key }
    }

    /// The memory that the server's process holds, in MB.
    pub(crate) fn resident(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.server.pid()));
        let status = status.unwrap();
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS"))
            .unwrap();
        let kilobytes: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        kilobytes / 1024.0
    }
}

/// Runs a benchmark's work.
pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().unwrap().block_on(work)
}
