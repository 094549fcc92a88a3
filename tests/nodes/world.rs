//! A database, and what its nodes send to.

use redflash_tests::{Balance, Config, Load, Postgres, Server, Site, WebhookSink};

/// An installation on a Postgres of its own, with one contact behind a webhook.
pub(crate) struct World {
    pub(crate) site: Site,
    pub(crate) postgres: Postgres,
    pub(crate) sink: WebhookSink,
    /// A key that may raise everything and inspect.
    pub(crate) key: String,
    pub(crate) load: Load,
}

/// The webhook gateway: it may dial loopback, and tries again soon.
pub(crate) const HOOKS: &str =
    "name = \"hooks\"\ntype = \"webhook\"\nallow_networks = [\"127.0.0.0/8\"]\nretry = [\"200ms\"]";

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(Config::new().gateway(HOOKS)).await
    }

    pub(crate) async fn with(config: Config) -> Self {
        let postgres = Postgres::start().await;
        let site = Site::on(&config, postgres.database().await);
        let sink = WebhookSink::start().await;
        let hook = sink.url("/ada");
        site.run(["contact", "add", "ada", "--name", "Ada", "--webhook", &hook])
            .await;
        let key = site.key("monitor", &["--inspect"]).await;
        Self {
            load: Load::new("contact/ada", &key),
            site,
            postgres,
            sink,
            key,
        }
    }

    /// Starts this many nodes.
    pub(crate) async fn nodes(&self, count: usize) -> Vec<Server> {
        let mut nodes = Vec::new();
        for _ in 0..count {
            nodes.push(self.site.serve().await);
        }
        nodes
    }

    /// Raises one alert at Ada on a node, and returns its id.
    pub(crate) async fn raise(&self, node: &Server) -> String {
        let fields = [("message", "hi")];
        let answer = node.client().raise("contact/ada", &self.key, &fields).await;
        answer.expect(201).notification()
    }

    /// Waits until nothing waits any more, and compares what was accepted with what arrived: all of
    /// it, and what arrived twice says so in the log. Returns the comparison.
    pub(crate) async fn nothing_is_lost(&self, node: &Server) -> Balance {
        self.site.all_sent().await;
        let balance = self.load.ledger().balance(&self.sink.received());
        eprintln!(
            "{} accepted, {} refused, {} in doubt, {} repeats",
            self.load.ledger().len(),
            self.load.refused(),
            self.load.ledger().doubts(),
            balance.repeats()
        );
        assert_eq!(balance.lost, [""; 0], "accepted and lost");
        let unlabelled = balance.unlabelled(&node.client(), &self.key).await;
        assert!(unlabelled.is_empty(), "{unlabelled:?}");
        balance
    }

    /// The first delivery of a notification, as a node shows it.
    pub(crate) async fn delivery(&self, node: &Server, id: &str) -> serde_json::Value {
        let path = format!("/api/v1/notifications/{id}");
        let shown = node.client().get_as(&path, &self.key).await.expect(200);
        shown.json()["deliveries"][0].clone()
    }
}

/// Returns the outcomes of a delivery's attempts, first to last.
pub(crate) fn outcomes(delivery: &serde_json::Value) -> Vec<String> {
    let attempts = delivery["attempts_made"].as_array().unwrap();
    let outcome = |attempt: &serde_json::Value| attempt["outcome"].as_str().unwrap().to_owned();
    attempts.iter().map(outcome).collect()
}
