//! An installation under a load that never pauses.

use std::collections::BTreeSet;

use redflash_tests::{Balance, Config, Ledger, Load, Server, Site, WebhookSink};
use tokio::task::JoinSet;

/// Number of raising systems.
pub(crate) const CLIENTS: usize = 16;
/// Limit on messages in flight from a webhook gateway to one host.
pub(crate) const IN_FLIGHT: usize = 32;

/// An installation with one contact behind a webhook, and a ledger of what was raised at it.
pub(crate) struct World {
    pub(crate) site: Site,
    pub(crate) sink: WebhookSink,
    pub(crate) key: String,
    load: Load,
}

/// The configuration of a webhook gateway that may dial loopback.
const HOOKS: &str =
    "name = \"hooks\"\ntype = \"webhook\"\nallow_networks = [\"127.0.0.0/8\"]\nretry = [\"200ms\"]";

impl World {
    pub(crate) async fn new() -> Self {
        Self::on(Site::new(&Self::config())).await
    }

    pub(crate) fn config() -> Config {
        Config::new().gateway(HOOKS)
    }

    /// On an installation of this configuration.
    pub(crate) async fn on(site: Site) -> Self {
        let sink = WebhookSink::start().await;
        let hook = sink.url("/ada");
        site.run(["contact", "add", "ada", "--name", "Ada", "--webhook", &hook])
            .await;
        let key = site.key("monitor", &["--inspect"]).await;
        Self {
            load: Load::new("contact/ada", &key),
            key,
            site,
            sink,
        }
    }

    /// Starts raising, until the set is dropped or the server is gone.
    pub(crate) fn load(&self, server: &Server) -> JoinSet<()> {
        self.load.start(CLIENTS, &[server.client()])
    }

    /// Returns the ledger of accepted alerts.
    pub(crate) fn ledger(&self) -> &Ledger {
        self.load.ledger()
    }

    /// Waits until this many more alerts were accepted.
    pub(crate) async fn accepted(&self, more: usize) {
        self.load.accepted(more).await;
    }

    /// Returns the number of refused raises.
    pub(crate) fn refused(&self) -> usize {
        self.load.refused()
    }

    /// Waits until nothing waits any more, and compares what arrived with the ledger.
    pub(crate) async fn settle(&self) -> Balance {
        self.site.all_sent().await;
        self.ledger().balance(&self.sink.received())
    }

    /// The repeated notifications of which the log does not say that they may be repeats.
    pub(crate) async fn unlabelled(&self, server: &Server, balance: &Balance) -> BTreeSet<String> {
        balance.unlabelled(&server.client(), &self.key).await
    }
}
