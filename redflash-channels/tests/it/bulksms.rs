//! `BulkSMS` against a simulated account that checks each request by the vendor's rules.

mod callbacks;

use redflash_core::conformance::channel::{Behaviour, Fixture as _};
use redflash_core::message::OutboundMessage;
use redflash_tests::{Check, Received, Reply, Rules};
use serde_json::{Value, json};

use crate::sms::{class, classes, ids, messages, refused};
use crate::vendor::{Account, Vendor, gateway};

const VENDOR: Vendor = Vendor {
    gateway: |base_url| {
        let mut table = table(base_url);
        table["batch"] = json!(100);
        table
    },
    rules: Rules {
        faults,
        refuse: |reason| problem(400, reason),
        accept: |request, _| answered(request),
    },
    address: ("+447700900001", "0044 7700 900-001"),
    not_addresses: &["07700900001", "+44", "ann", "+44770090000112345"],
    secrets: &["canary-bulksms"],
    reply: |behaviour| {
        Some(Some(match behaviour {
            Behaviour::Reject => problem(400, "Bad Request"),
            Behaviour::RefuseAccount => problem(403, "Insufficient Credits"),
            _ => return None,
        }))
    },
};

fn table(base_url: &str) -> Value {
    json!({
        "type": "bulksms", "base_url": base_url, "token_id": "TOKEN-1",
        "token_secret": "canary-bulksms",
    })
}

fn problem(status: u16, title: &str) -> Reply {
    let kind = "https://developer.bulksms.com/json/v1/errors#bad-request";
    let body = json!({ "type": kind, "title": title, "status": status });
    Reply::body(status, body.to_string())
}

/// A message as the vendor tells of it.
fn message(id: &str, reference: &str, kind: &str, subtype: Option<&str>) -> Value {
    json!({
        "id": id, "type": "SENT", "from": "", "to": "447700900001", "body": "Hi",
        "encoding": "TEXT", "protocolId": 0, "messageClass": 0, "userSuppliedId": reference,
        "submission": { "id": "2-00000000000100000000", "date": "2026-11-23T10:00:00Z" },
        "status": {
            "id": format!("{kind}.{}", subtype.unwrap_or("null")), "type": kind, "subtype": subtype,
        },
        "relatedSentMessageId": null, "numberOfParts": null, "creditCost": null,
    })
}

fn answered(request: &Received) -> Reply {
    let body = request.json();
    let messages = body.as_array().unwrap().iter().map(|one| {
        let id = format!("id-of-{}", one["to"].as_str().unwrap());
        message(
            &id,
            one["userSuppliedId"].as_str().unwrap(),
            "ACCEPTED",
            None,
        )
    });
    let messages: Vec<_> = messages.collect();
    Reply::body(201, json!(messages).to_string())
}

fn faults(request: &Received) -> Vec<String> {
    const KNOWN: [&str; 5] = [
        "to",
        "body",
        "from",
        "longMessageMaxParts",
        "userSuppliedId",
    ];
    let body = request.json();
    let none = Vec::new();
    let messages = body.as_array().unwrap_or(&none);
    let each = |holds: fn(&Value) -> bool| messages.iter().all(holds);
    let query = request
        .path
        .strip_prefix("/messages?auto-unicode=true&deduplication-id=");
    let id = query.and_then(|id| id.parse::<i32>().ok());
    Check::default()
        .rule(request.method == "POST", "the method")
        .rule(id.is_some_and(|id| id >= 0), "the path, with an int32")
        .rule(request.header("content-type") == "application/json", "JSON")
        .rule(
            request.header("authorization") == "Basic VE9LRU4tMTpjYW5hcnktYnVsa3Ntcw==",
            "the token",
        )
        .rule((1..=100).contains(&messages.len()), "1 to 100 messages")
        .rule(
            each(|m| m.as_object().unwrap().keys().all(|k| KNOWN.contains(&&**k))),
            "known fields only",
        )
        .rule(
            each(|m| {
                let to = m["to"]
                    .as_str()
                    .unwrap()
                    .strip_prefix('+')
                    .unwrap_or_default();
                (7..=15).contains(&to.len()) && to.bytes().all(|b| b.is_ascii_digit())
            }),
            "to is a number with its plus",
        )
        .rule(
            each(|m| !m["body"].as_str().unwrap().contains("{F0")),
            "no fields",
        )
        .rule(
            each(|m| m["userSuppliedId"].as_str().unwrap().len() <= 20),
            "a reference",
        )
        .rule(
            each(|m| match m["from"]["type"].as_str() {
                None => m["from"].is_null(),
                Some("INTERNATIONAL") => m["from"]["address"].as_str().unwrap().len() > 7,
                Some("SHORTCODE") => m["from"]["address"].as_str().unwrap().len() <= 6,
                Some(kind) => {
                    kind == "ALPHANUMERIC" && m["from"]["address"].as_str().unwrap().len() <= 11
                }
            }),
            "a sender of a known kind",
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
    let accepted = account.send("Größe > 5 €, {F0##}").await.unwrap();
    assert_eq!(accepted.message_id.as_deref(), Some("id-of-+447700900001"));
    assert_eq!((accepted.parts, &*accepted.detail), (1, "ACCEPTED"));
    assert_eq!(
        account.last().written(),
        "POST /messages?auto-unicode=true&deduplication-id=311712749\n\
         authorization: Basic VE9LRU4tMTpjYW5hcnktYnVsa3Ntcw==\n\
         content-type: application/json\n\n\
         [{\"to\":\"+447700900001\",\"body\":\"Größe > 5 €, { F0##}\",\"longMessageMaxParts\":6,\
         \"userSuppliedId\":\"7d3e8f50617283000001\"}]"
    );
}

#[tokio::test]
async fn uses_the_sender_of_an_event() {
    let account = open().await;
    for (sender, kind, address) in [
        ("Backups", "ALPHANUMERIC", "Backups"),
        ("447700900999", "INTERNATIONAL", "+447700900999"),
        ("+447700900999", "INTERNATIONAL", "+447700900999"),
        ("60300", "SHORTCODE", "60300"),
    ] {
        account.channel().check_sender(sender).unwrap();
        let mut message = account.message("hi");
        message.sender = Some(sender.into());
        account.channel().send(&message).await.unwrap();
        let from = json!({ "type": kind, "address": address });
        assert_eq!(account.last().json()[0]["from"], from);
    }
    assert!(account.channel().check_sender("+44").is_err());
}

#[tokio::test]
async fn truncates_long_texts_and_notes_it() {
    let account = open().await;
    let accepted = account.send(&"a".repeat(2000)).await.unwrap();
    assert_eq!(
        (accepted.parts, &*accepted.detail),
        (6, "cut to 6 of 14 parts")
    );
}

async fn deduplication_id(account: &Account, messages: &[OutboundMessage]) -> String {
    account.channel().send_batch(messages).await;
    let path = account.last().path;
    path.split_once("deduplication-id=").unwrap().1.to_owned()
}

#[tokio::test]
async fn repeat_has_the_same_deduplication_id() {
    let account = open().await;
    let mut messages = messages(&account, &NUMBERS);
    let alone = deduplication_id(&account, &messages[..1]).await;
    messages[0].attempt = 2;
    messages[0].at = redflash_core::clock::Timestamp::from_millis(1_790_000_060_000);
    assert_eq!(deduplication_id(&account, &messages[..1]).await, alone);
    assert_ne!(deduplication_id(&account, &messages[1..2]).await, alone);
    let together = deduplication_id(&account, &messages).await;
    messages.reverse();
    assert_eq!(deduplication_id(&account, &messages).await, together);
    assert_ne!(deduplication_id(&account, &messages[1..]).await, together);
}

#[tokio::test]
async fn single_messages_are_idempotent() {
    let alone = gateway(table("https://api.example.org"))
        .channel
        .capabilities();
    assert_eq!((alone.batch, alone.idempotent), (1, true));
    let together = open().await.channel().capabilities();
    assert_eq!((together.batch, together.idempotent), (100, false));
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
    let messages = messages(&account, &NUMBERS);
    let outcomes = account.channel().send_batch(&messages).await;
    assert_eq!(classes(&outcomes), ["accepted"; 4]);
    assert_eq!(account.last().json().as_array().unwrap().len(), 4);
    assert!(account.channel().send_batch(&[]).await.is_empty());
    // In another order, one failed, one missing, one not asked for.
    let answer = json!([
        message("4", "7d3e8f50617283000004", "ACCEPTED", None),
        message("9", "7d3e8f50617283000009", "ACCEPTED", None),
        message("2", "7d3e8f50617283000002", "FAILED", Some("BLOCKED")),
        message("1", "7d3e8f50617283000001", "SCHEDULED", None),
    ]);
    account.simulator.once(Reply::body(201, answer.to_string()));
    let outcomes = account.channel().send_batch(&messages).await;
    assert_eq!(
        classes(&outcomes),
        ["accepted", "invalid address", "unknown", "accepted"]
    );
    assert_eq!(ids(&outcomes), ["1", "", "", "4"]);
}

#[tokio::test]
async fn failure_of_a_request_applies_to_each_message() {
    let account = open().await;
    for (reply, expected) in [
        (problem(401, "no"), "unauthorized"),
        (problem(403, "Insufficient Credits"), "unauthorized"),
        (problem(400, "Bad Request"), "recipient later"),
        (Reply::body(503, "later"), "message later"),
        (Reply::status(429), "rate limited"),
        (Reply::body(201, "[]"), "unknown"),
        (Reply::body(201, "{}"), "unknown"),
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
async fn refusal_without_a_named_message_retries_each_alone() {
    let account = open().await;
    let channel = account.channel();
    let messages = messages(&account, &NUMBERS[..3]);
    let [first, second, third] = &*messages else {
        panic!("three messages")
    };
    let go_together = || channel.goes_with(&[first], second);
    assert!(go_together());
    account.simulator.once(problem(400, "Bad Request"));
    let outcomes = channel.send_batch(&messages).await;
    assert_eq!(classes(&outcomes), ["recipient later"; 3]);
    assert!(!go_together() && !channel.goes_with(&[third], first));
    // Alone it is seen which was wrong, and the others are none the worse.
    account.simulator.once(problem(400, "Bad Request"));
    let error = channel.send(first).await;
    assert_eq!(class(&error), "rejected");
    assert_eq!(class(&channel.send(second).await), "accepted");
    assert!(go_together());
    assert!(!channel.goes_with(&[first], third));
}

#[tokio::test]
async fn maps_every_answer() {
    let account = open().await;
    for (status, expected) in [
        (400, "rejected"),
        (401, "unauthorized"),
        (403, "unauthorized"),
        (404, "refused"),
        (500, "message later"),
        (502, "unknown"),
        (503, "message later"),
        (504, "unknown"),
    ] {
        let outcome = account.answered(problem(status, "no")).await;
        assert_eq!(class(&outcome), expected, "{status}");
    }
    let ours = "7d3e8f50617283000001";
    for (one, expected) in [
        (message("1", ours, "ACCEPTED", None), "accepted"),
        (message("1", ours, "SCHEDULED", None), "accepted"),
        (message("1", ours, "SENT", None), "accepted"),
        (
            message("1", ours, "FAILED", Some("BLOCKED")),
            "invalid address",
        ),
        (message("1", ours, "FAILED", Some("NOT_SENT")), "unroutable"),
        (message("1", ours, "FAILED", Some("EXPIRED")), "rejected"),
        (message("1", ours, "FAILED", None), "rejected"),
        (json!({ "id": "1" }), "accepted"),
        // The answer to another request with the same deduplication id.
        (
            message("1", "7d3e8f50617283000009", "ACCEPTED", None),
            "unroutable",
        ),
    ] {
        let answer = json!([one]).to_string();
        let outcome = account.answered(Reply::body(201, answer.clone())).await;
        assert_eq!(class(&outcome), expected, "{answer}");
    }
}

#[test]
fn rejects_invalid_settings_by_key() {
    for (key, changes) in [
        ("token_id", json!({ "token_id": "" })),
        ("token_id", json!({ "token_id": "a:b" })),
        ("token_secret", json!({ "token_secret": "" })),
        ("from", json!({ "from": "A name too long" })),
        ("batch", json!({ "batch": 0 })),
        ("batch", json!({ "batch": 101 })),
        ("max_parts", json!({ "max_parts": 0 })),
        ("max_parts", json!({ "max_parts": 21 })),
        ("base_url", json!({ "base_url": "ftp://x/" })),
    ] {
        let found = refused(table("https://api.example.org"), &changes);
        assert_eq!(found.as_deref(), Some(key), "{changes}");
    }
}
