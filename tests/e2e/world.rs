//! A running server with a gateway of each kind, and peers behind them: the setting of most tests.

use redflash_tests::{Client, Config, MailSink, Server, Site, Vonage, WebhookSink, until};
use serde_json::Value;

/// A running installation with a webhook, a mail and an SMS gateway, and the peers behind them.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) site: Site,
    pub(crate) server: Server,
    pub(crate) client: Client,
    /// A key that may raise everything and inspect.
    pub(crate) key: String,
    pub(crate) webhook: WebhookSink,
    pub(crate) mail: MailSink,
    pub(crate) vonage: Vonage,
}

/// The secret with which webhooks are signed.
pub(crate) const SIGNING_SECRET: &str = "whsec_Y2FuYXJ5LXdlYmhvb2stc2lnbmluZy1rZXk=";
/// The secret in the path of the SMS gateway's callbacks.
pub(crate) const CALLBACK_SECRET: &str = "canary-callback-4f1d0c7e9b";

/// The webhook gateway's table: it may dial loopback.
pub(crate) fn hooks() -> String {
    format!(
        "name = \"hooks\"\ntype = \"webhook\"\nallow_networks = [\"127.0.0.0/8\"]\n\
         signing_secret = \"{SIGNING_SECRET}\""
    )
}

impl World {
    /// With nothing else in the configuration.
    pub(crate) async fn start() -> Self {
        Self::with(Config::new()).await
    }

    /// With this configuration, to which the gateways are added.
    pub(crate) async fn with(config: Config) -> Self {
        Self::with_hooks(config, &hooks()).await
    }

    /// With another table for the webhook gateway.
    pub(crate) async fn with_hooks(config: Config, hooks: &str) -> Self {
        let webhook = WebhookSink::start().await;
        let mail = MailSink::plain().await;
        let vonage = Vonage::start().await;
        let callback = format!("callback_secret = \"{CALLBACK_SECRET}\"");
        let config = config
            .gateway(hooks)
            .gateway(&mail.gateway("office-mail", ""))
            .gateway(&format!("{}\n{callback}", vonage.gateway("vonage-uk")));
        let site = Site::new(&config);
        let key = site.key("monitor", &["--inspect"]).await;
        let server = site.serve().await;
        Self {
            client: server.client(),
            site,
            server,
            key,
            webhook,
            mail,
            vonage,
        }
    }

    /// Restarts the server after it has ended.
    pub(crate) async fn restart(&mut self) {
        self.server = self.site.serve().await;
        self.client = self.server.client();
    }

    /// Adds a contact.
    ///
    /// * `endpoints` - its endpoints, as arguments of `redflash contact add`.
    pub(crate) async fn contact(&self, slug: &str, endpoints: &[&str]) {
        let mut arguments = vec!["contact", "add", slug, "--name", slug];
        arguments.extend(endpoints);
        self.site.run(arguments).await;
    }

    /// Adds a contact with an endpoint at the webhook sink.
    pub(crate) async fn hooked(&self, slug: &str) {
        let url = self.webhook.url(&format!("/{slug}"));
        self.contact(slug, &["--webhook", &url]).await;
    }

    /// Raises a message at a contact or a group, which must be accepted, and returns its id.
    pub(crate) async fn raise(&self, target: &str, message: &str) -> String {
        let answer = self
            .client
            .raise(target, &self.key, &[("message", message)])
            .await;
        answer.expect(201).notification()
    }

    /// Fires an event, which must be accepted, and returns the notification's id.
    pub(crate) async fn fire(&self, event: &str, arguments: &[(&str, &str)]) -> String {
        let target = format!("event/{event}");
        let answer = self.client.raise(&target, &self.key, arguments).await;
        answer.expect(201).notification()
    }

    /// A notification as the server shows it.
    pub(crate) async fn notification(&self, id: &str) -> Value {
        let path = format!("/api/v1/notifications/{id}");
        self.client
            .get_as(&path, &self.key)
            .await
            .expect(200)
            .json()
    }

    /// The deliveries of a notification.
    pub(crate) async fn deliveries(&self, id: &str) -> Vec<Value> {
        let notification = self.notification(id).await;
        notification["deliveries"].as_array().unwrap().clone()
    }

    /// Waits until every delivery of a notification is in a final state, and returns them.
    pub(crate) async fn settled(&self, id: &str) -> Vec<Value> {
        let open = |delivery: &Value| matches!(state(delivery), "queued" | "sending");
        until("every delivery is final", async || {
            let deliveries = self.deliveries(id).await;
            (!deliveries.iter().any(open)).then_some(deliveries)
        })
        .await
    }

    /// Waits until the only delivery of a notification was attempted so often, and returns it.
    pub(crate) async fn attempted(&self, id: &str, times: usize) -> Value {
        until("the delivery was attempted", async || {
            let mut deliveries = self.deliveries(id).await;
            assert_eq!(deliveries.len(), 1);
            let delivery = deliveries.remove(0);
            (attempts(&delivery).len() >= times).then_some(delivery)
        })
        .await
    }

    /// Returns the number of notifications in the log.
    pub(crate) async fn logged(&self) -> usize {
        let log = self.site.run(["log", "--json"]).await.json();
        log.as_array().unwrap().len()
    }
}

/// The state of a delivery.
pub(crate) fn state(delivery: &Value) -> &str {
    delivery["state"].as_str().unwrap()
}

/// Returns the reason of a delivery's state.
pub(crate) fn detail(delivery: &Value) -> &str {
    delivery["detail"].as_str().unwrap()
}

/// The attempts of a delivery, first to last.
pub(crate) fn attempts(delivery: &Value) -> &[Value] {
    delivery["attempts_made"].as_array().unwrap()
}

/// Returns the outcomes of a delivery's attempts, first to last.
pub(crate) fn outcomes(delivery: &Value) -> Vec<&str> {
    let outcomes = attempts(delivery).iter();
    outcomes
        .map(|attempt| attempt["outcome"].as_str().unwrap())
        .collect()
}
