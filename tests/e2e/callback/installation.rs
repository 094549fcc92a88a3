//! An installation whose default gateway signs its callbacks.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use md5::{Digest, Md5};
use redflash_tests::{
    Answer, Client, Config, Rules, Server, Simulator, Site, VONAGE, Vonage, WebhookSink, raw, until,
};
use serde_json::Value;

use crate::world::{hooks, state};

/// The secret with which Vonage signs.
pub(super) const SECRET: &str = "canary-signature-9e1f";
/// The number of the installation.
pub(crate) const OURS: &str = "447700900999";

/// An installation whose default gateway signs its callbacks, and where replies raise an event.
pub(crate) struct Signed {
    pub(crate) site: Site,
    pub(super) server: Server,
    pub(super) client: Client,
    pub(super) key: String,
    pub(super) sms: Simulator,
    pub(super) other: Simulator,
    pub(super) hook: WebhookSink,
}

/// Starts an account that accepts every request; its checks are tested elsewhere.
async fn account() -> Simulator {
    let rules = Rules {
        faults: |_| Vec::new(),
        ..VONAGE
    };
    Simulator::start(rules).await
}

fn gateway(name: &str, account: &Simulator) -> String {
    format!(
        "name = \"{name}\"\ntype = \"vonage\"\nbase_url = \"{}\"\napi_key = \"{}\"\n\
         api_secret = \"{}\"\nsignature_secret = \"{SECRET}\"\nfrom = \"{OURS}\"",
        account.base_url(),
        Vonage::API_KEY,
        Vonage::API_SECRET
    )
}

impl Signed {
    pub(crate) async fn start() -> Self {
        let (sms, other) = (account().await, account().await);
        let hook = WebhookSink::start().await;
        let config = Config::new()
            .section("[callbacks]\ndefault_gateway = \"vonage-uk\"")
            .section("[inbound]\nevent = \"reply\"")
            .section("[alarm]\ncontact = \"ops\"")
            .gateway(&gateway("vonage-uk", &sms))
            .gateway(&gateway("vonage-two", &other))
            .gateway(&hooks());
        let site = Site::new(&config);
        let key = site.key("monitor", &["--inspect"]).await;
        let ops = hook.url("/ops");
        let words = "{{contact}} ({{from}}) says {{text}}";
        let commands: [&[&str]; 3] = [
            &[
                "contact",
                "add",
                "ada",
                "--name",
                "Ada",
                "--sms",
                "+447900000001",
            ],
            &["contact", "add", "ops", "--name", "Ops", "--webhook", &ops],
            &[
                "event",
                "add",
                "reply",
                "--name",
                "Reply",
                "--message",
                words,
                "--contact",
                "ops",
            ],
        ];
        for command in commands {
            site.run(command).await;
        }
        let server = site.serve().await;
        Self {
            client: server.client(),
            server,
            site,
            key,
            sms,
            other,
            hook,
        }
    }

    /// Sends a text, and returns the delivery once a gateway has accepted it.
    pub(crate) async fn sent(&self) -> Value {
        let fields = [("message", "the disk is full")];
        let raised = self.client.raise("contact/ada", &self.key, &fields).await;
        let id = raised.expect(201).notification();
        until("it is sent", async || {
            let delivery = self.delivery(&id).await;
            (state(&delivery) == "sent").then_some(delivery)
        })
        .await
    }

    /// Sends a text through the other gateway, after the first has refused it.
    pub(crate) async fn sent_by_other(&self) -> Value {
        self.sms.once(Vonage::status(15));
        let delivery = self.sent().await;
        assert_eq!(delivery["gateway"], "vonage-two");
        delivery
    }

    /// Returns the status of the answer to a request on a bare connection.
    pub(crate) async fn exchange(&self, steps: &[raw::Step]) -> u16 {
        let address = self.server.address();
        let exchange = raw::exchange(address, steps, Duration::from_secs(5)).await;
        exchange.status().unwrap_or_default()
    }

    pub(crate) async fn delivery(&self, notification: &str) -> Value {
        let path = format!("/api/v1/notifications/{notification}");
        let answer = self.client.get_as(&path, &self.key).await;
        answer.expect(200).json()["deliveries"][0].clone()
    }

    pub(super) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let form = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        self.client.send("POST", path, &headers, form).await
    }

    /// Sends a callback, signed now.
    pub(super) async fn signed(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let timestamp = seconds(0).to_string();
        let mut fields = fields.to_vec();
        fields.push(("timestamp", &timestamp));
        let signature = signature(&fields);
        fields.push(("sig", &signature));
        self.post(path, &fields).await
    }

    /// Returns the recorded inbound messages, newest first.
    pub(crate) async fn inbound(&self) -> Vec<Value> {
        let shown = self.site.run(["inbound", "--json"]).await.json();
        shown.as_array().unwrap().clone()
    }
}

pub(crate) fn seconds(ahead: u64) -> u64 {
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap();
    (now + Duration::from_secs(ahead)).as_secs()
}

/// Returns Vonage's signature by plain MD5.
pub(crate) fn signature(fields: &[(&str, &str)]) -> String {
    let mut sorted = fields.to_vec();
    sorted.sort_unstable();
    let mut text = String::new();
    for (name, value) in sorted {
        text.extend(["&", name, "=", &value.replace(['&', '='], "_")]);
    }
    let hash = Md5::digest(text + SECRET);
    hash.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}
