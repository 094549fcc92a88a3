//! `MessageMedia` against a simulated account that checks each request by the vendor's rules.

mod callbacks;

use redflash_core::conformance::channel::{Behaviour, Fixture as _};
use redflash_tests::{Check, Received, Reply, Rules};
use serde_json::{Value, json};

use crate::sms::{class, classes, ids, messages, refused};
use crate::vendor::{Account, Vendor};

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
async fn request_follows_the_vendors_rules() {
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
async fn requests_no_receipts_without_callback_url() {
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
async fn uses_the_sender_of_an_event() {
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
async fn truncates_long_texts_and_notes_it() {
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
async fn records_outcome_of_each_message_of_a_request() {
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
    let delivery = |index: usize| json!(messages[index - 1].delivery);
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
async fn reads_the_whole_answer_to_a_hundred_texts() {
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
async fn invalid_message_only_delays_the_others() {
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
async fn failure_of_a_request_applies_to_each_message() {
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
async fn maps_every_answer() {
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
fn rejects_invalid_settings_by_key() {
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
