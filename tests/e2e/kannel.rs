//! Texts through a real Kannel, what it reports about them, and what people answer.

use redflash_tests::{Client, Coding, Config, Kannel, Port, Reply, Server, Site, Text, until};
use serde_json::Value;

use crate::world::{attempts, detail, outcomes, state};

/// The secret in the path of the gateway's callbacks.
const SECRET: &str = "canary-kannel-callback-71c3";
const ADA: &str = "+447700900001";

/// An installation whose texts go through a Kannel.
struct Texting {
    kannel: Kannel,
    site: Site,
    server: Option<Server>,
    client: Client,
    key: String,
}

/// The gateway's table.
fn gateway(kannel: &Kannel) -> String {
    let more = format!(
        "from = \"RedFlash\"\nretry = [\"2s\"]\ntimeout = \"5s\"\ncallback_secret = \"{SECRET}\""
    );
    kannel.gateway("own", &more)
}

impl Texting {
    async fn start() -> Self {
        Self::with(|kannel, config| config.gateway(&gateway(kannel))).await
    }

    /// With gateways added to the configuration.
    async fn with(gateways: impl FnOnce(&Kannel, Config) -> Config) -> Self {
        // Each has to know where the other is.
        let port = Port::reserve();
        let url = format!("http://{}", port.address());
        let kannel = Kannel::start(&format!("{url}/inbound/own/{SECRET}")).await;
        let config = Config::new().server(&format!("public_url = \"{url}\""));
        let config = gateways(&kannel, config);
        let site = Site::new(&config);
        let address = port.address().to_string();
        let site = site.with_variable("REDFLASH_SERVER__LISTEN", address);
        let key = site.key("monitor", &["--inspect"]).await;
        let ada = ["contact", "add", "ada", "--name", "Ada", "--sms", ADA];
        site.run(ada).await;
        let server = site.serve().await;
        Self {
            kannel,
            client: server.client(),
            server: Some(server),
            site,
            key,
        }
    }

    async fn raise(&self, contact: &str, message: &str) -> String {
        let target = format!("contact/{contact}");
        let fields = [("message", message)];
        let answer = self.client.raise(&target, &self.key, &fields).await;
        answer.expect(201).notification()
    }

    async fn delivery(&self, notification: &str) -> Value {
        let path = format!("/api/v1/notifications/{notification}");
        let answer = self.client.get_as(&path, &self.key).await;
        answer.expect(200).json()["deliveries"][0].clone()
    }

    /// Waits until a delivery is in this state, and returns it.
    async fn until(&self, notification: &str, so: impl Fn(&Value) -> bool) -> Value {
        let what = format!("{notification} stands as it should");
        until(&what, async || {
            Some(self.delivery(notification).await).filter(&so)
        })
        .await
    }

    /// Waits until Kannel has taken a text, and returns the delivery.
    async fn taken(&self, notification: &str) -> Value {
        self.until(notification, |delivery| state(delivery) == "sent")
            .await
    }

    /// Sends a text, and returns its notification and how it reached the centre.
    async fn sent(&self) -> (String, Text) {
        let before = self.kannel.texts().len();
        let id = self.raise("ada", "the disk is full").await;
        self.taken(&id).await;
        let text = self.kannel.expect(before + 1).await.pop().unwrap();
        (id, text)
    }

    /// Waits until the server has answered at least this many reports.
    async fn reported(&self, times: usize) {
        let answered = format!(
            "redflash_http_requests_total{{route=\"/ack/{{gateway}}/{{secret}}\",status=\"200\"}} {times}"
        );
        until("the reports came", async || {
            let metrics = self.client.get_as("/metrics", &self.key).await.body;
            metrics.lines().any(|line| line == answered).then_some(())
        })
        .await;
    }

    /// Waits until at least this many inbound messages are recorded, and returns them, newest first.
    async fn inbound(&self, count: usize) -> Vec<Value> {
        until("the messages are recorded", async || {
            let shown = self.site.run(["inbound", "--json"]).await.json();
            let shown = shown.as_array().unwrap().clone();
            (shown.len() == count).then_some(shown)
        })
        .await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_arrive_whole_in_both_alphabets() {
    let world = Texting::start().await;
    let cases = [
        ("Grüße: 5 € > 100 % + {x} & \"y\"?\nÑandu à", Coding::Gsm7),
        ("ü € 🔥 Привет", Coding::Ucs2),
    ];
    for (count, (message, coding)) in cases.into_iter().enumerate() {
        let id = world.raise("ada", message).await;
        let delivery = world.taken(&id).await;
        assert_eq!((state(&delivery), &delivery["parts"]), ("sent", &1.into()));
        let text = world.kannel.expect(count + 1).await.pop().unwrap();
        assert_eq!((&*text.says(), text.coding), (message, coding));
        assert_eq!((&*text.from, &*text.to), ("RedFlash", ADA));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn long_texts_are_counted_as_kannel_cuts_them() {
    let world = Texting::start().await;
    let torn = format!("{}€{}", "a".repeat(152), "a".repeat(152));
    let cases = [
        ("a".repeat(160), 1),
        ("ü".repeat(161), 2),
        ("€".repeat(81), 2),
        (torn, 3),
        ("ж".repeat(70), 1),
        ("ж".repeat(135), 3),
        ("a".repeat(918), 6),
    ];
    let mut before = 0;
    for (message, parts) in cases {
        let id = world.raise("ada", &message).await;
        let texts = world.kannel.expect(before + parts).await;
        assert_eq!(Text::whole(&texts[before..]), message);
        assert!(
            texts[before..]
                .iter()
                .all(|text| usize::from(text.part.1) == parts)
        );
        assert_eq!(world.taken(&id).await["parts"], parts);
        before += parts;
    }
    // Kannel would drop the end without a word.
    let id = world.raise("ada", &"a".repeat(2000)).await;
    let texts = world.kannel.expect(before + 6).await;
    let whole = Text::whole(&texts[before..]);
    assert!(whole.ends_with("a..."), "{whole}");
    let delivery = world.taken(&id).await;
    assert!(
        attempts(&delivery)[0]
            .to_string()
            .contains("cut to 6 of 14 parts"),
        "{delivery}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn marks_text_as_delivered_at_last_report() {
    let world = Texting::start().await;
    let (id, text) = world.sent().await;
    // That the centre has it, which is the report 8.
    world.reported(1).await;
    assert_eq!(state(&world.delivery(&id).await), "sent");
    world.kannel.report(&text, 4, "").await;
    world.reported(2).await;
    assert_eq!(state(&world.delivery(&id).await), "sent");

    world
        .kannel
        .report(&text, 1, "id:1 stat:DELIVRD err:000")
        .await;
    let delivered = |delivery: &Value| state(delivery) == "delivered";
    let delivery = world.until(&id, delivered).await;
    let expected = "1: delivered (id:1 stat:DELIVRD err:000)";
    assert_eq!(detail(&delivery), expected);
    assert_eq!(outcomes(&delivery), ["ok"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn failure_report_has_reason() {
    let world = Texting::start().await;
    let failed = |delivery: &Value| state(delivery) == "failed";

    let (id, text) = world.sent().await;
    world
        .kannel
        .report(&text, 2, "id:1 stat:UNDELIV err:001")
        .await;
    let delivery = world.until(&id, failed).await;
    let expected = "2: cannot be delivered (id:1 stat:UNDELIV err:001)";
    assert_eq!(detail(&delivery), expected);

    world.kannel.once(Reply::body(200, "FAIL no route"));
    let id = world.raise("ada", "hi").await;
    let delivery = world.until(&id, failed).await;
    let expected = "16: refused by the SMS centre (NACK/FAIL no route)";
    assert_eq!(detail(&delivery), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_on_long_text_match_its_first_part() {
    let world = Texting::start().await;
    let id = world.raise("ada", &"a".repeat(400)).await;
    let mut texts = world.kannel.expect(3).await;
    texts.sort_by_key(|text| text.part);
    world.reported(1).await;
    world.kannel.report(&texts[0], 1, "the first part").await;
    let delivered = |delivery: &Value| state(delivery) == "delivered";
    let delivery = world.until(&id, delivered).await;
    assert_eq!(detail(&delivery), "1: delivered (the first part)");

    for reply in ["OK id=one", "FAIL no route", "OK id=three"] {
        world.kannel.once(Reply::body(200, reply));
    }
    let id = world.raise("ada", &"a".repeat(400)).await;
    let failed = |delivery: &Value| state(delivery) == "failed";
    let delivery = world.until(&id, failed).await;
    let expected = "16: refused by the SMS centre (NACK/)";
    assert_eq!(detail(&delivery), expected, "a part speaks for all");
}

#[tokio::test(flavor = "multi_thread")]
async fn report_waits_for_server() {
    let mut world = Texting::start().await;
    let (id, text) = world.sent().await;
    world.server.take().unwrap().stop().await;
    world.kannel.report(&text, 1, "").await;

    world.server = Some(world.site.serve().await);

    world
        .until(&id, |delivery| state(delivery) == "delivered")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_password_stops_gateway_and_alert_waits() {
    let wrong = |kannel: &_| gateway(kannel).replace(Kannel::PASSWORD, "wrong");
    let world = Texting::with(|kannel, config| config.gateway(&wrong(kannel))).await;
    let id = world.raise("ada", "hi").await;
    let refused = |delivery: &Value| !attempts(delivery).is_empty();
    let delivery = world.until(&id, refused).await;
    assert_eq!(state(&delivery), "queued");
    let first = attempts(&delivery)[0].to_string();
    assert!(
        first.contains("Authorization failed for sendsms"),
        "{first}"
    );

    let test = ["gateway", "test", "own", "--to", ADA, "--json"];
    let trial = world.site.cli(test).run().await.exited(1).json();
    assert_eq!(trial["class"], "account refused");
    assert_eq!(world.kannel.texts(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn fails_at_once_at_unroutable_number() {
    let world = Texting::start().await;
    let number = format!("{}00900001", Kannel::NO_WAY);
    let bob = ["contact", "add", "bob", "--name", "Bob", "--sms", &number];
    world.site.run(bob).await;
    let id = world.raise("bob", "hi").await;
    let delivery = world
        .until(&id, |delivery| state(delivery) == "failed")
        .await;
    assert!(detail(&delivery).contains("Not routable"), "{delivery}");
}

#[tokio::test(flavor = "multi_thread")]
async fn records_replies_and_obeys_stop() {
    let world = Texting::start().await;
    world
        .kannel
        .says("447700900001", Coding::Gsm7, "ACK grüße & 100 %")
        .await;
    let inbound = world.inbound(1).await;
    assert_eq!(inbound[0]["text"], "ACK grüße & 100 %");
    assert_eq!(
        (&inbound[0]["from"], &inbound[0]["gateway"]),
        (&ADA.into(), &"own".into())
    );
    assert_eq!(inbound[0]["contacts"], serde_json::json!(["ada"]));
    world
        .kannel
        .says("%2B447700900001", Coding::Ucs2, "Уже чиню 🔥")
        .await;
    assert_eq!(world.inbound(2).await[0]["text"], "Уже чиню 🔥");

    world
        .kannel
        .says("447700900001", Coding::Gsm7, "Stop")
        .await;
    world.inbound(3).await;
    let shown = world.site.run(["contact", "show", "ada"]).await.stdout;
    assert!(shown.contains("off: answered Stop to own"), "{shown}");
    let fields = [("message", "hi")];
    let refused = world.client.raise("contact/ada", &world.key, &fields).await;
    assert_eq!((refused.status, &*refused.code()), (500, "no_recipients"));

    world
        .kannel
        .says("447700900001", Coding::Gsm7, "START")
        .await;
    world.inbound(4).await;
    world.sent().await;
    assert_eq!(world.kannel.texts().len(), 1, "nobody was answered");
}

#[tokio::test(flavor = "multi_thread")]
async fn retries_after_kannel_outage() {
    let mut world = Texting::start().await;
    world.kannel.stop().await;
    let mut alerts = Vec::new();
    for number in 1..=2 {
        alerts.push(world.raise("ada", &format!("alert {number}")).await);
    }
    let delivery = world
        .until(&alerts[0], |delivery| !attempts(delivery).is_empty())
        .await;
    assert_eq!(
        (state(&delivery), outcomes(&delivery)[0]),
        ("queued", "retry")
    );

    world.kannel.restart().await;

    for id in &alerts {
        world.taken(id).await;
    }
    world.kannel.expect(alerts.len()).await;
    let mut texts: Vec<_> = world.kannel.texts().iter().map(Text::says).collect();
    texts.sort_unstable();
    let raised: Vec<_> = (1..=2).map(|number| format!("alert {number}")).collect();
    assert_eq!(texts, raised, "each of them once");
}

/// The example of the gateway `http-sms` is a Kannel.
#[tokio::test(flavor = "multi_thread")]
async fn http_sms_gateway_works_with_kannel() {
    const EXAMPLE: &str = include_str!("../../redflash-channels/src/gateways/http_sms/kannel.toml");
    let world = Texting::with(|kannel, config| {
        let base = kannel.base_url();
        let example = EXAMPLE
            .replace("own-kannel", "own")
            .replace("http://127.0.0.1:13013", &base)
            .replace("foobar", Kannel::PASSWORD)
            .replace("a-long-random-text", SECRET);
        config.section(&example)
    })
    .await;
    for (message, coding) in [("ü 5 €", Coding::Gsm7), ("ü € 🔥", Coding::Ucs2)] {
        let before = world.kannel.texts().len();
        let id = world.raise("ada", message).await;
        let text = world.kannel.expect(before + 1).await.pop().unwrap();
        assert_eq!((&*text.says(), text.coding), (message, coding));
        world.kannel.report(&text, 1, "").await;
        let delivered = |delivery: &Value| state(delivery) == "delivered";
        world.until(&id, delivered).await;
    }
    world
        .kannel
        .says("447700900001", Coding::Gsm7, "ACK grüße")
        .await;
    assert_eq!(world.inbound(1).await[0]["text"], "ACK grüße");
}
