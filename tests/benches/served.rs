//! RedFlash itself, as a deployer runs it.

use redflash_tests::{Config, Postgres, Server, Site};

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
        Self::of(Site::new(&config(gateway)), hook).await
    }

    /// The same on a database of this server.
    pub(crate) async fn on(postgres: &Postgres, gateway: &str, hook: Option<&str>) -> Self {
        let site = Site::on(&config(gateway), postgres.database().await);
        Self::of(site, hook.unwrap_or("http://127.0.0.1:9/ann")).await
    }

    async fn of(site: Site, hook: &str) -> Self {
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

/// * `gateway` - more lines of the webhook gateway's table.
fn config(gateway: &str) -> Config {
    let gateway = format!("{HOOKS}\n{gateway}");
    Config::new().top("log.level = \"warn\"").gateway(&gateway)
}

/// Runs a benchmark's work.
pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().unwrap().block_on(work)
}
