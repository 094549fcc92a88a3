//! `MessageMedia` against a simulated account that checks each request by the vendor's rules.

use redflash_core::conformance::channel::{Behaviour, Fixture as _};
use redflash_core::{CallbackError, ReceiptState};
use redflash_tests::{Check, Received, Reply, Rules};
use serde_json::{Value, json};

use crate::sms::{class, classes, ids, messages, refused};
use crate::vendor::{Account, Called, Vendor};

const DELIVERY: &str = "019f4a2b6c007d3e8f50617283000001";
const SECRET: &str = "canary-callback-secret";

const VENDOR: Vendor = Vendor {
    gateway: table,
    rules: Rules {
        faults,
        refuse: |reason| refusal(400, "The request is invalid", &[reason]),
        accept: |request, _| answered(request),
    },
    address: ("+447700900001", "0044 7700 900-001"),
    not_addresses: &["07700900001", "+44", "ann", "+44770090000112345"],
    secrets: &["canary-messagemedia", SECRET],
    reply: |behaviour| {
        Some(Some(match behaviour {
            Behaviour::Reject => refusal(400, "Invalid", &["/messages/0/content: too long"]),
            Behaviour::RefuseAccount => refusal(403, "Forbidden", &[]),
            _ => return None,
        }))
    },
};

fn table(base_url: &str) -> Value {
    json!({
        "type": "messagemedia", "base_url": base_url, "api_key": "KEY1",
        "api_secret": "canary-messagemedia", "callback_secret": SECRET,
    })
}

fn refusal(status: u16, message: &str, details: &[&str]) -> Reply {
    Reply::body(
        status,
        json!({ "message": message, "details": details }).to_string(),
    )
}

/// A message in an answer: what was sent, and two things more.
fn taken(message: &Value) -> Value {
    let mut taken = message.clone();
    taken["message_id"] = json!(format!(
        "id-of-{}",
        message["destination_number"].as_str().unwrap()
    ));
    taken["status"] = json!("queued");
    taken["scheduled"] = json!(null);
    taken
}

fn answered(request: &Received) -> Reply {
    let request = request.json();
    let messages: Vec<_> = request["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(taken)
        .collect();
    Reply::body(202, json!({ "messages": messages }).to_string())
}

fn faults(request: &Received) -> Vec<String> {
    const KNOWN: [&str; 8] = [
        "content",
        "destination_number",
        "format",
        "source_number",
        "source_number_type",
        "callback_url",
        "delivery_report",
        "metadata",
    ];
    let body = request.json();
    let none = Vec::new();
    let messages = body["messages"].as_array().unwrap_or(&none);
    let each = |holds: fn(&Value) -> bool| messages.iter().all(holds);
    Check::default()
        .rule(
            request.method == "POST" && request.path == "/v1/messages",
            "the path",
        )
        .rule(request.header("content-type") == "application/json", "JSON")
        .rule(
            request.header("authorization") == "Basic S0VZMTpjYW5hcnktbWVzc2FnZW1lZGlh",
            "the key",
        )
        .rule((1..=100).contains(&messages.len()), "1 to 100 messages")
        .rule(
            body.as_object().unwrap().len() == 1
                && each(|m| m.as_object().unwrap().keys().all(|k| KNOWN.contains(&&**k))),
            "known fields only",
        )
        .rule(each(|m| m["format"] == "SMS"), "the format")
        .rule(
            each(|m| {
                let to = m["destination_number"].as_str().unwrap();
                let to = to.strip_prefix('+').unwrap_or_default();
                (7..=15).contains(&to.len()) && to.bytes().all(|b| b.is_ascii_digit())
            }),
            "a number with its plus",
        )
        .rule(
            each(|m| (1..=5000).contains(&m["content"].as_str().unwrap().chars().count())),
            "1 to 5000 characters",
        )
        .rule(
            each(|m| {
                let metadata = m["metadata"].as_object().unwrap();
                metadata.len() <= 10 && metadata.values().all(|v| v.as_str().unwrap().len() <= 256)
            }),
            "metadata",
        )
        .rule(
            each(|m| m["source_number"].is_null() == m["source_number_type"].is_null()),
            "a sender has its kind",
        )
        .faults()
}

async fn open() -> Account {
    Account::open(VENDOR).await
}

redflash_core::channel_conformance!(open);

#[tokio::test]
async fn the_request_keeps_to_the_vendors_rules() {
    let account = open().await;
    let accepted = account.send("Größe > 5 €").await.unwrap();
    assert_eq!(accepted.message_id.as_deref(), Some("id-of-+447700900001"));
    assert_eq!((accepted.parts, &*accepted.detail), (1, "queued"));
    assert_eq!(
        account.last().written(),
        "POST /v1/messages\n\
         authorization: Basic S0VZMTpjYW5hcnktbWVzc2FnZW1lZGlh\n\
         content-type: application/json\n\n\
         {\"messages\":[{\"content\":\"Größe > 5 €\",\"destination_number\":\"+447700900001\",\
         \"format\":\"SMS\",\
         \"callback_url\":\"https://alerts.example.org/ack/tested/canary-callback-secret\",\
         \"delivery_report\":true,\
         \"metadata\":{\"delivery\":\"019f4a2b6c007d3e8f50617283000001\"}}]}"
    );
}

#[tokio::test]
async fn without_a_callback_nothing_is_asked_for() {
    let account = open().await;
    let mut table = table(&account.simulator.base_url());
    table.as_object_mut().unwrap().remove("callback_secret");
    let channel = crate::vendor::gateway(table).channel;
    assert!(!channel.capabilities().receipts && !channel.capabilities().inbound);
    channel.send(&account.message("hi")).await.unwrap();
    let sent = &account.last().json()["messages"][0];
    assert_eq!(sent["delivery_report"], false);
    assert!(sent["callback_url"].is_null());
}

#[tokio::test]
async fn an_event_may_name_its_own_sender() {
    let account = open().await;
    for (sender, kind, number) in [
        ("Backups", "ALPHANUMERIC", "Backups"),
        ("447700900999", "INTERNATIONAL", "+447700900999"),
        ("60300", "SHORTCODE", "60300"),
    ] {
        account.channel().check_sender(sender).unwrap();
        let mut message = account.message("hi");
        message.sender = Some(sender.into());
        account.channel().send(&message).await.unwrap();
        let sent = &account.last().json()["messages"][0];
        assert_eq!(sent["source_number"], number);
        assert_eq!(sent["source_number_type"], kind);
    }
    assert!(account.channel().check_sender("+44").is_err());
}

#[tokio::test]
async fn a_very_long_text_loses_its_end_and_says_so() {
    let account = open().await;
    let accepted = account.send(&"a".repeat(6000)).await.unwrap();
    assert_eq!(
        (accepted.parts, &*accepted.detail),
        (6, "cut to 6 of 40 parts")
    );
}

const NUMBERS: [&str; 4] = [
    "+447700900001",
    "+447700900002",
    "+447700900003",
    "+447700900001",
];

#[tokio::test]
async fn each_message_of_a_request_has_its_own_answer() {
    let account = open().await;
    assert_eq!(account.channel().capabilities().batch, 100);
    let messages = messages(&account, &NUMBERS);
    let outcomes = account.channel().send_batch(&messages).await;
    assert_eq!(classes(&outcomes), ["accepted"; 4]);
    let sent = account.last().json();
    assert_eq!(sent["messages"].as_array().unwrap().len(), 4);
    assert!(account.channel().send_batch(&[]).await.is_empty());
    // In another order, one missing, one without a reference.
    let taken = |id: &str, delivery: &Value| json!({ "message_id": id, "status": "queued", "metadata": { "delivery": delivery } });
    let delivery = |place: usize| json!(messages[place - 1].delivery);
    let answer = json!({ "messages": [
        taken("4", &delivery(4)), taken("x", &json!(null)), taken("1", &delivery(1)),
        taken("3", &delivery(3)),
    ]});
    account.simulator.once(Reply::body(202, answer.to_string()));
    let outcomes = account.channel().send_batch(&messages).await;
    assert_eq!(
        classes(&outcomes),
        ["accepted", "unknown", "accepted", "accepted"]
    );
    assert_eq!(ids(&outcomes), ["1", "", "3", "4"]);
}

#[tokio::test]
async fn a_hundred_long_texts_are_answered_whole() {
    let account = open().await;
    let numbers: Vec<_> = (0..100).map(|n| format!("+4477009{n:05}")).collect();
    let numbers: Vec<_> = numbers.iter().map(|number| &**number).collect();
    let mut messages = messages(&account, &numbers);
    for message in &mut messages {
        message.body = "🔥".repeat(300);
    }
    let outcomes = account.channel().send_batch(&messages).await;
    assert_eq!(classes(&outcomes), ["accepted"; 100]);
}

#[tokio::test]
async fn one_invalid_message_costs_the_others_only_time() {
    let account = open().await;
    let messages = messages(&account, &NUMBERS[..3]);
    let wait = "recipient later";
    for (details, expected) in [
        (
            vec!["/messages/1/destination_number: no"],
            [wait, "invalid address", wait],
        ),
        (
            vec!["messages[2].source_number is not yours"],
            [wait, wait, "unroutable"],
        ),
        (
            vec!["messages.0.content is too long"],
            ["rejected", wait, wait],
        ),
        (
            vec![
                "destination_number +447700900002 is invalid",
                "/messages/2/content: no",
            ],
            [wait, "invalid address", "rejected"],
        ),
        (vec!["destination_number is invalid"], [wait; 3]),
        (vec![], [wait; 3]),
    ] {
        account.simulator.once(refusal(400, "Invalid", &details));
        let outcomes = account.channel().send_batch(&messages).await;
        assert_eq!(classes(&outcomes), expected, "{details:?}");
    }
}

#[tokio::test]
async fn what_befalls_the_request_befalls_each_message() {
    let account = open().await;
    for (reply, expected) in [
        (refusal(401, "no", &[]), "unauthorized"),
        (refusal(403, "no", &[]), "unauthorized"),
        (Reply::body(503, "later"), "message later"),
        (Reply::status(429), "rate limited"),
        (Reply::body(202, "{\"messages\":[]}"), "unknown"),
        (Reply::body(202, "{}"), "unknown"),
        (Reply::Drop, "unknown"),
    ] {
        account.simulator.once(reply);
        let outcomes = account
            .channel()
            .send_batch(&messages(&account, &NUMBERS))
            .await;
        assert_eq!(classes(&outcomes), [expected; 4]);
    }
}

#[tokio::test]
async fn every_answer_has_its_class() {
    let account = open().await;
    let bare = json!({ "messages": [{ "message_id": "1" }] });
    for (reply, expected) in [
        (refusal(400, "Something went wrong", &[]), "rejected"),
        (
            refusal(400, "no", &["destination_number is invalid"]),
            "invalid address",
        ),
        (
            refusal(400, "no", &["source_number is not registered"]),
            "unroutable",
        ),
        (refusal(400, "no", &["content is too long"]), "rejected"),
        (Reply::body(400, "{\"message\":\"no\"}"), "rejected"),
        (refusal(401, "no", &[]), "unauthorized"),
        (refusal(403, "no", &[]), "unauthorized"),
        (refusal(404, "no", &[]), "refused"),
        (refusal(422, "TLS 1.3 is needed", &[]), "rejected"),
        (refusal(500, "no", &[]), "message later"),
        (Reply::body(202, bare.to_string()), "accepted"),
    ] {
        let outcome = account.answered(reply.clone()).await;
        assert_eq!(class(&outcome), expected, "{reply:?}");
    }
}

#[test]
fn impossible_settings_are_refused_by_their_key() {
    for (key, changes) in [
        ("api_key", json!({ "api_key": "" })),
        ("api_key", json!({ "api_key": "a:b" })),
        ("api_secret", json!({ "api_secret": "" })),
        ("from", json!({ "from": "A name too long" })),
        ("callback_url", json!({ "callback_url": "/ack/canary" })),
        ("max_parts", json!({ "max_parts": 0 })),
        ("max_parts", json!({ "max_parts": 21 })),
        ("base_url", json!({ "base_url": "ftp://x/" })),
    ] {
        let found = refused(table("https://api.example.org"), &changes);
        assert_eq!(found.as_deref(), Some(key), "{changes}");
    }
}

/// The example of the vendor's description.
fn report(status: &str, code: &Value) -> Value {
    json!({
        "callback_url": "https://alerts.example.org/", "delivery_report_id": "693e87f2",
        "source_number": "+447700900001", "date_received": "2016-11-03T11:49:02.807Z",
        "status": status, "delay": 0, "billing_units": 1,
        "submitted_date": "2016-11-03T11:49:01.551Z", "original_text": "Hello world!",
        "message_id": "389dc1a8", "error_code": code, "metadata": { "delivery": DELIVERY },
        "vendor_account_id": { "vendor_id": "MessageMedia", "account_id": "MyAccount" },
    })
}

#[tokio::test]
async fn receipts_are_read_by_their_status() {
    use ReceiptState::{Delivered, Failed, Pending};
    let account = open().await;
    for (status, code, state, detail) in [
        ("queued", json!(null), Pending, "queued"),
        ("scheduled", json!(null), Pending, "scheduled"),
        (
            "processed",
            json!("101"),
            Pending,
            "processed (101: being processed)",
        ),
        (
            "enroute",
            json!("151"),
            Pending,
            "enroute (151: being processed)",
        ),
        (
            "submitted",
            json!("200"),
            Pending,
            "submitted (200: submitted)",
        ),
        (
            "delivered",
            json!("220"),
            Delivered,
            "delivered (220: delivered)",
        ),
        ("expired", json!("401"), Failed, "expired (401: expired)"),
        (
            "rejected",
            json!("305"),
            Failed,
            "rejected (305: taken for a duplicate)",
        ),
        ("failed", json!("332"), Failed, "failed (332: no route)"),
        (
            "undeliverable",
            json!("400"),
            Failed,
            "undeliverable (400: undeliverable)",
        ),
        (
            "cancelled",
            json!("405"),
            Failed,
            "cancelled (405: cancelled)",
        ),
        ("news", json!("999"), Pending, "news (999)"),
    ] {
        let called = Called::json(&report(status, &code));
        let receipts = account
            .channel()
            .parse_receipts(&called.callback())
            .unwrap();
        let [receipt] = &*receipts else {
            panic!("{receipts:?}")
        };
        assert_eq!((receipt.state, &*receipt.detail), (state, detail));
        assert_eq!(receipt.message_id.as_deref(), Some("389dc1a8"));
        assert_eq!(receipt.delivery, DELIVERY.parse().ok());
        assert_eq!(receipt.price, None);
    }
}

fn reply() -> Value {
    json!({
        "metadata": { "delivery": DELIVERY }, "message_id": "877c19ef", "reply_id": "a175e797",
        "date_received": "2016-12-07T08:43:00.850Z", "callback_url": "https://alerts.example.org/",
        "destination_number": "+61491570156", "source_number": "+447700900001", "content": "ACK",
        "vendor_account_id": { "vendor_id": "MessageMedia", "account_id": "MyAccount" },
    })
}

#[tokio::test]
async fn people_can_answer() {
    let account = open().await;
    let called = Called::json(&reply());
    let told = account
        .channel()
        .parse_inbound(&called.callback())
        .unwrap()
        .remove(0);
    assert_eq!(told.message_id.as_deref(), Some("a175e797"));
    assert_eq!(told.from.as_str(), "+447700900001");
    assert_eq!((&*told.text, told.answers), ("ACK", DELIVERY.parse().ok()));
    assert_eq!(told.answers_message.as_deref(), Some("877c19ef"));
}

#[tokio::test]
async fn receipts_and_replies_come_to_one_url() {
    let account = open().await;
    let channel = account.channel();
    let reply = Called::json(&reply());
    assert_eq!(channel.parse_receipts(&reply.callback()), Ok(vec![]));
    let report = Called::json(&report("delivered", &json!("220")));
    assert_eq!(channel.parse_inbound(&report.callback()), Ok(vec![]));
    let other = Called::json(&json!({ "event": "news" }));
    assert_eq!(channel.parse_receipts(&other.callback()), Ok(vec![]));
    assert_eq!(channel.parse_inbound(&other.callback()), Ok(vec![]));
    let strange = Called::json(&json!({ "status": "delivered", "metadata": { "delivery": "17" } }));
    let strange = channel
        .parse_receipts(&strange.callback())
        .unwrap()
        .remove(0);
    assert_eq!((strange.delivery, strange.message_id), (None, None));
    for nonsense in [
        Called::default(),
        Called::json(&json!("text")),
        Called::form(&[("a", "b")]),
    ] {
        let read = channel.parse_receipts(&nonsense.callback());
        assert!(matches!(read, Err(CallbackError::Malformed(_))), "{read:?}");
        let read = channel.parse_inbound(&nonsense.callback());
        assert!(matches!(read, Err(CallbackError::Malformed(_))), "{read:?}");
    }
    let nobody = Called::json(&json!({ "reply_id": "1" }));
    assert!(channel.parse_inbound(&nobody.callback()).is_err());
}
