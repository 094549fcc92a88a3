//! Text messages through Vonage, and what it reports about them later.

use redflash_tests::{Answer, Config, Reply, Vonage};
use serde_json::Value;

use crate::world::{CALLBACK_SECRET, World, detail, outcomes, state};

/// The expected handling of a status of Vonage's send-status table.
enum Effect {
    Fails,
    IsTriedAgain,
    StopsTheGateway,
}

#[tokio::test(flavor = "multi_thread")]
async fn maps_every_send_status() {
    use Effect::{Fails, IsTriedAgain, StopsTheGateway};
    const STATUSES: [(u16, Effect); 20] = [
        (1, IsTriedAgain),
        (2, Fails),
        (3, Fails),
        (4, StopsTheGateway),
        (5, IsTriedAgain),
        (6, Fails),
        (7, Fails),
        (8, StopsTheGateway),
        (9, StopsTheGateway),
        (10, IsTriedAgain),
        (11, StopsTheGateway),
        (12, Fails),
        (14, StopsTheGateway),
        (15, Fails),
        (22, Fails),
        (23, Fails),
        (29, Fails),
        (32, StopsTheGateway),
        (33, Fails),
        (77, Fails),
    ];
    let world = World::start().await;
    world.contact("ada", &["--sms", "+447700900001"]).await;
    for (status, effect) in STATUSES {
        if let StopsTheGateway = effect {
            continue;
        }
        world.vonage.once_status(status);
        let id = world.raise("contact/ada", "hi").await;
        let delivery = world.attempted(&id, 1).await;
        match effect {
            Fails => {
                assert_eq!(outcomes(&delivery), ["permanent"], "{status}");
                assert_eq!(state(&world.settled(&id).await[0]), "failed", "{status}");
            }
            IsTriedAgain => assert_eq!(outcomes(&delivery)[0], "retry", "{status}"),
            StopsTheGateway => unreachable!("these have a test of their own"),
        }
        assert!(
            delivery.to_string().contains(&format!("status {status}")),
            "{delivery}"
        );
    }
    for (status, effect) in STATUSES {
        if !matches!(effect, StopsTheGateway) {
            continue;
        }
        let world = World::start().await;
        world.contact("ada", &["--sms", "+447700900001"]).await;
        world.vonage.once_status(status);
        let id = world.raise("contact/ada", "hi").await;
        let delivery = world.attempted(&id, 1).await;
        assert_eq!(state(&delivery), "queued", "{status}: the alert is kept");
        assert!(
            delivery.to_string().contains(&format!("status {status}")),
            "{delivery}"
        );
        let second = world.raise("contact/ada", "again").await;
        assert_eq!(
            state(&world.deliveries(&second).await[0]),
            "queued",
            "{status}"
        );
        assert_eq!(
            world.vonage.received().len(),
            1,
            "{status}: the gateway is stopped"
        );
    }
    assert!(
        world.vonage.faults().is_empty(),
        "{:?}",
        world.vonage.faults()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn truncates_and_counts_texts_like_the_gateway() {
    let world = World::start().await;
    world.contact("ada", &["--sms", "+447700900001"]).await;
    let cases = [
        ("a".repeat(160), "text", 1),
        ("a".repeat(161), "text", 2),
        ("€".repeat(80), "text", 1),
        ("€".repeat(81), "text", 2),
        ("ж".repeat(70), "unicode", 1),
        ("ж".repeat(71), "unicode", 2),
        ("🔥".to_owned(), "unicode", 1),
    ];
    for (text, kind, parts) in cases {
        let id = world.raise("contact/ada", &text).await;
        let delivery = world.settled(&id).await.remove(0);
        assert_eq!(state(&delivery), "sent", "{delivery}");
        assert_eq!(delivery["parts"], parts, "{text}");
        let sent = world.vonage.received().pop().unwrap().form();
        assert_eq!(
            sent.get("type").map_or("text", String::as_str),
            kind,
            "{text}"
        );
        assert_eq!(sent["text"], text);
    }
    assert!(
        world.vonage.faults().is_empty(),
        "{:?}",
        world.vonage.faults()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_say_nothing_leave_the_outcome_unknown() {
    let world = World::start().await;
    world.contact("ada", &["--sms", "+447700900001"]).await;
    for answer in ["<html>welcome</html>", "{}", "{\"messages\":[]}", ""] {
        world.vonage.once(Reply::body(200, answer));
        let id = world.raise("contact/ada", "hi").await;
        let delivery = world.attempted(&id, 1).await;
        assert_eq!(outcomes(&delivery)[0], "unknown", "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn omits_price_that_is_not_a_number() {
    let world = World::start().await;
    world.contact("ada", &["--sms", "+447700900001"]).await;
    let answer = r#"{"message-count":"1","messages":[{"to":"447700900001","message-id":"A1","status":"0","message-price":"NaN"}]}"#;
    world.vonage.once(Reply::body(200, answer));

    let id = world.raise("contact/ada", "hi").await;

    let delivery = world.settled(&id).await.remove(0);
    assert_eq!(state(&delivery), "sent");
    assert_eq!(delivery["price"], Value::Null);
}

/// Sends a text message, and returns its notification and the request with which it was sent.
pub(crate) async fn sent(world: &World) -> (String, redflash_tests::Received, String) {
    let id = world.raise("contact/ada", "hi").await;
    let delivery = world.settled(&id).await.remove(0);
    let message = delivery["message_id"].as_str().unwrap().to_owned();
    (id, world.vonage.received().pop().unwrap(), message)
}

pub(crate) async fn report(world: &World, path: &str, fields: &[(&str, String)]) -> Answer {
    let form = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    world.client.send("POST", path, &headers, form).await
}

fn callback() -> String {
    format!("/ack/vonage-uk/{CALLBACK_SECRET}")
}

#[tokio::test(flavor = "multi_thread")]
async fn receipt_marks_message_as_delivered() {
    let world = World::start().await;
    world.contact("ada", &["--sms", "+447700900001"]).await;
    let (id, request, message) = sent(&world).await;
    let receipt = Vonage::receipt(&request, &message, "delivered", 0);

    for _ in 0..2 {
        let answer = report(&world, &callback(), &receipt).await.expect(200);
        assert_eq!(answer.body, "");
    }

    let delivery = world.settled(&id).await.remove(0);
    assert_eq!(state(&delivery), "delivered");
    assert_eq!(delivery["price"], "0.04440000");
    let late = Vonage::receipt(&request, &message, "failed", 1);
    report(&world, &callback(), &late).await.expect(200);
    assert_eq!(
        state(&world.settled(&id).await[0]),
        "delivered",
        "never backwards"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_come_by_get_and_as_json_too() {
    let world = World::start().await;
    world.contact("ada", &["--sms", "+447700900001"]).await;

    let (id, request, message) = sent(&world).await;
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(Vonage::receipt(&request, &message, "delivered", 0))
        .finish();
    world
        .client
        .get(&format!("{}?{query}", callback()))
        .await
        .expect(200);
    assert_eq!(state(&world.settled(&id).await[0]), "delivered");

    let (id, request, message) = sent(&world).await;
    let receipt = Vonage::receipt(&request, &message, "delivered", 0);
    let body: serde_json::Map<_, _> = receipt
        .into_iter()
        .map(|(name, value)| (name.to_owned(), Value::from(value)))
        .collect();
    let headers = [("content-type", "application/json")];
    let body = Value::from(body).to_string();
    world
        .client
        .send("POST", &callback(), &headers, body)
        .await
        .expect(200);
    assert_eq!(state(&world.settled(&id).await[0]), "delivered");
}

#[tokio::test(flavor = "multi_thread")]
async fn failure_receipt_has_reason() {
    let world = World::start().await;
    world.contact("ada", &["--sms", "+447700900001"]).await;
    let (id, request, message) = sent(&world).await;

    let receipt = Vonage::receipt(&request, &message, "rejected", 9);
    report(&world, &callback(), &receipt).await.expect(200);

    let delivery = world.settled(&id).await.remove(0);
    assert_eq!(state(&delivery), "failed");
    assert!(!detail(&delivery).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn ignores_receipt_without_secret() {
    let world = World::start().await;
    world.contact("ada", &["--sms", "+447700900001"]).await;
    let (id, request, message) = sent(&world).await;
    let receipt = Vonage::receipt(&request, &message, "delivered", 0);

    for path in [
        "/ack/vonage-uk/wrong",
        "/ack/vonage-uk",
        "/ack/vonage-uk/",
        "/ack",
        &format!("/ack/vonage-uk/{CALLBACK_SECRET}x"),
        &format!("/ack/hooks/{CALLBACK_SECRET}"),
        &format!("/ack/nobody/{CALLBACK_SECRET}"),
    ] {
        let answer = report(&world, path, &receipt).await;
        assert!(!answer.body.contains(CALLBACK_SECRET), "{path}");
    }

    assert_eq!(state(&world.settled(&id).await[0]), "sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn strange_receipts_change_nothing_and_are_taken() {
    let world = World::start().await;
    world.contact("ada", &["--sms", "+447700900001"]).await;
    let (id, request, message) = sent(&world).await;
    let with = |changes: &[(&'static str, &str)]| {
        let mut receipt = Vonage::receipt(&request, &message, "accepted", 0);
        receipt.retain(|(name, _)| *name != "price");
        for (name, value) in changes {
            receipt.retain(|(given, _)| given != name);
            receipt.push((name, (*value).to_owned()));
        }
        receipt
    };
    let none = [
        ("client-ref", "none-of-ours"),
        ("messageId", "none-of-ours"),
    ];
    let strange = [
        with(&[("status", "delivered"), none[0], none[1]]),
        with(&[("status", "x"), ("err-code", "77")]),
        with(&[("price", "NaN")]),
        with(&[("price", "-5")]),
        with(&[("message-timestamp", "99999-01-01 00:00:00")]),
    ];
    for receipt in strange {
        report(&world, &callback(), &receipt).await.expect(200);
        let delivery = world.settled(&id).await.remove(0);
        assert_eq!(state(&delivery), "sent", "{receipt:?}");
        assert_eq!(delivery["price"], Vonage::PRICE);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_are_kept_as_they_are_dialled_from_abroad() {
    let world = World::start().await;
    world.contact("ada", &["--sms", "+44 (0)7700 900123"]).await;
    let ada = world.site.run(["contact", "show", "ada"]).await.stdout;
    assert!(ada.contains("+447700900123"), "{ada}");
    for (number, says) in [
        ("+4407700900123", "leave out the 0 after +44"),
        ("+44 7700 900 1234", "7 to 10 digits"),
        ("+4498989898", "sms.premium_prefixes lists +449"),
    ] {
        let add = ["contact", "add", "bob", "--name", "Bob", "--sms", number];
        let refused = world.site.cli(add).run().await.exited(2);
        assert!(refused.stderr.contains(says), "{}", refused.stderr);
    }
    let test = ["gateway", "test", "vonage-uk", "--to", "+449098790123"];
    let refused = world.site.cli(test).run().await.exited(2);
    assert!(refused.stderr.contains("premium"), "{}", refused.stderr);
    assert!(world.vonage.received().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn premium_prefixes_are_configuration() {
    let config = Config::new().section("[sms]\npremium_prefixes = [\"+44770\"]");
    let world = World::with(config).await;
    world.contact("ada", &["--sms", "+4498989898"]).await;
    world.raise("contact/ada", "hi").await;
    world.vonage.expect(1).await;
    let add = [
        "contact",
        "add",
        "bob",
        "--name",
        "Bob",
        "--sms",
        "+447700900123",
    ];
    let refused = world.site.cli(add).run().await.exited(2);
    assert!(refused.stderr.contains("+44770"), "{}", refused.stderr);
}
