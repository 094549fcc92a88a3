//! Raising systems that never pause, and keep a ledger of what they were told.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use redflash_tests::{Balance, Client, Config, Ledger, Server, Site, WebhookSink, until};
use serde_json::Value;
use tokio::task::JoinSet;

/// How many raising systems there are.
pub(crate) const CLIENTS: usize = 16;
/// How many messages a webhook gateway has under way to one host at most.
pub(crate) const IN_FLIGHT: usize = 32;

/// An installation with one contact behind a webhook, and a ledger of what was raised at it.
pub(crate) struct World {
    pub(crate) site: Site,
    pub(crate) sink: WebhookSink,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) key: String,
    refused: Arc<AtomicUsize>,
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
        Self {
            key: site.key("monitor", &["--inspect"]).await,
            site,
            sink,
            ledger: Arc::default(),
            refused: Arc::default(),
        }
    }

    /// Starts raising, until the set is dropped or the server is gone.
    pub(crate) fn load(&self, server: &Server) -> JoinSet<()> {
        let mut clients = JoinSet::new();
        for _ in 0..CLIENTS {
            let (client, key) = (server.client(), self.key.clone());
            let (ledger, refused) = (Arc::clone(&self.ledger), Arc::clone(&self.refused));
            clients.spawn(raise_without_end(client, key, ledger, refused));
        }
        clients
    }

    /// Waits until so many alerts more were accepted.
    pub(crate) async fn accepted(&self, more: usize) {
        let enough = self.ledger.len() + more;
        until("enough alerts were accepted", async || {
            (self.ledger.len() >= enough).then_some(())
        })
        .await;
    }

    /// How many raises were refused.
    pub(crate) fn refused(&self) -> usize {
        self.refused.load(Ordering::Relaxed)
    }

    /// Waits until nothing waits any more, and compares what arrived with the ledger.
    pub(crate) async fn settle(&self) -> Balance {
        until("everything was sent", async || {
            let mut waiting = 0;
            for state in ["queued", "sending"] {
                let log = ["log", "--state", state, "--limit", "1", "--json"];
                waiting += self.site.run(log).await.json().as_array().unwrap().len();
            }
            (waiting == 0).then_some(())
        })
        .await;
        self.ledger.balance(&self.sink.received())
    }

    /// The repeated notifications of which the log does not say that they may be repeats.
    pub(crate) async fn unlabelled(&self, server: &Server, balance: &Balance) -> BTreeSet<String> {
        let mut unlabelled = BTreeSet::new();
        for id in balance.repeated.keys() {
            let path = format!("/api/v1/notifications/{id}");
            let shown = server.client().get_as(&path, &self.key).await.expect(200);
            let delivery = &shown.json()["deliveries"][0];
            let attempts = delivery["attempts_made"].as_array().unwrap().clone();
            let unknown = |attempt: &Value| attempt["outcome"] == "unknown";
            let labelled = delivery["may_repeat"] == true && attempts.iter().any(unknown);
            if !labelled {
                unlabelled.insert(id.clone());
            }
        }
        unlabelled
    }
}

async fn raise_without_end(
    client: Client,
    key: String,
    ledger: Arc<Ledger>,
    refused: Arc<AtomicUsize>,
) {
    let body = format!("api_key={key}&message=hi");
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    loop {
        match client
            .try_send("POST", "/contact/ada", &headers, &*body)
            .await
        {
            Ok(answer) if answer.status == 201 => ledger.accept(answer.notification()),
            Ok(answer) if answer.code() == "store_unknown" => ledger.doubt(),
            Ok(_) => {
                refused.fetch_add(1, Ordering::Relaxed);
            }
            Err(_) => {
                ledger.doubt();
                return;
            }
        }
    }
}
