//! Mail through a real Postfix that refuses some recipients.

use std::time::Instant;

use redflash_tests::{Client, Config, PATIENCE, Postfix, Server, Site, until};
use serde_json::Value;

use crate::world::{detail, outcomes, state};

/// An installation with one mail gateway.
struct Mailing {
    _site: Site,
    _server: Server,
    client: Client,
    key: String,
}

impl Mailing {
    /// With these contacts, who have mailboxes in example.org, in the group `ops`.
    async fn start(gateway: &str, contacts: &[&str]) -> Self {
        let site = Site::new(&Config::new().gateway(gateway));
        let mut group = vec!["group", "add", "ops", "--name", "Ops"];
        for name in contacts {
            let address = format!("{name}@example.org");
            let contact = ["contact", "add", name, "--name", name, "--email", &address];
            site.run(contact).await;
            group.extend(["--contact", name]);
        }
        site.run(group).await;
        let key = site.key("monitor", &["--inspect"]).await;
        let server = site.serve().await;
        Self {
            client: server.client(),
            _site: site,
            _server: server,
            key,
        }
    }

    async fn raise(&self, message: &str) -> String {
        let fields = [("message", message)];
        let answer = self.client.raise("group/ops", &self.key, &fields).await;
        answer.expect(201).notification()
    }

    /// The delivery of a notification to one contact.
    async fn delivery(&self, id: &str, contact: &str) -> Value {
        let path = format!("/api/v1/notifications/{id}");
        let shown = self
            .client
            .get_as(&path, &self.key)
            .await
            .expect(200)
            .json();
        let address = format!("{contact}@example.org");
        let deliveries = shown["deliveries"].as_array().unwrap();
        let found = deliveries
            .iter()
            .find(|delivery| delivery["address"] == address);
        found.unwrap().clone()
    }

    /// Waits until a delivery was attempted so often, and returns it.
    async fn attempted(&self, id: &str, contact: &str, times: usize) -> Value {
        until("the delivery was attempted", async || {
            let delivery = self.delivery(id, contact).await;
            (outcomes(&delivery).len() >= times).then_some(delivery)
        })
        .await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn full_mailbox_delays_no_other_recipient() {
    const ALERTS: usize = 12;
    let full = "smtpd_recipient_restrictions = check_recipient_access \
                inline:{ { full@example.org = 452 4.2.2 Mailbox full } }";
    let postfix = Postfix::start(&["ann"], &[full]).await;
    let gateway = postfix.gateway("mail", "retry = [\"1s\"]");
    let mailing = Mailing::start(&gateway, &["ann", "full"]).await;

    let begun = Instant::now();
    let mut ids = Vec::new();
    for number in 1..=ALERTS {
        let id = mailing.raise(&format!("alert {number}")).await;
        mailing.attempted(&id, "full", 1).await;
        postfix.expect("ann", number).await;
        ids.push(id);
    }

    // A gateway that is stopped waits for half a minute before it takes more.
    assert!(begun.elapsed() < PATIENCE, "took {:?}", begun.elapsed());
    for id in &ids {
        let ann = mailing.attempted(id, "ann", 1).await;
        assert_eq!(state(&ann), "sent", "{ann}");
        assert_eq!(outcomes(&ann), ["ok"], "{ann}");
        let full = mailing.delivery(id, "full").await;
        assert!(matches!(state(&full), "queued" | "sending"), "{full}");
        assert!(outcomes(&full).iter().all(|outcome| *outcome == "retry"));
        assert!(full.to_string().contains("452 4.2.2"), "{full}");
    }
    let first = mailing.attempted(&ids[0], "full", 2).await;
    assert_eq!(outcomes(&first)[..2], ["retry", "retry"]);
    assert_eq!(postfix.mails("ann").len(), ALERTS, "none came twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn refusal_of_sender_does_not_fail_address() {
    let blocked = "smtpd_client_restrictions = check_client_access \
                   static:{554 5.7.1 Blocked}";
    let postfix = Postfix::start(&["ann"], &[blocked]).await;
    let mailing = Mailing::start(&postfix.gateway("mail", ""), &["ann"]).await;

    let id = mailing.raise("hi").await;

    let delivery = mailing.attempted(&id, "ann", 1).await;
    assert_eq!(outcomes(&delivery)[0], "retry", "{delivery}");
    assert_eq!(state(&delivery), "queued", "{delivery}");
    assert!(delivery.to_string().contains("554 5.7.1"), "{delivery}");
}

#[tokio::test(flavor = "multi_thread")]
async fn fails_permanently_at_dead_address() {
    let postfix = Postfix::start(&["ann"], &[]).await;
    let mailing = Mailing::start(&postfix.gateway("mail", ""), &["gone"]).await;

    let id = mailing.raise("hi").await;

    let delivery = mailing.attempted(&id, "gone", 1).await;
    assert_eq!(state(&delivery), "failed", "{delivery}");
    assert_eq!(outcomes(&delivery), ["permanent"]);
    assert!(detail(&delivery).contains("550 5.1.1"), "{delivery}");
}

#[tokio::test(flavor = "multi_thread")]
async fn reconnects_after_idle_timeout_without_attempt() {
    let postfix = Postfix::start(&["ann"], &["smtpd_timeout = 1s"]).await;
    let mailing = Mailing::start(&postfix.gateway("mail", ""), &["ann"]).await;
    mailing.raise("one").await;
    postfix.logs("timeout after").await;

    let id = mailing.raise("two").await;

    let delivery = mailing.attempted(&id, "ann", 1).await;
    assert_eq!(outcomes(&delivery), ["ok"], "{delivery}");
    postfix.expect("ann", 2).await;
}
