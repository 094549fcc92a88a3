//! ntfy against a simulated server.

use redflash_core::conformance::channel::{Behaviour, Fixture as _};
use redflash_tests::{Check, Reply, Rules};
use serde_json::json;

use crate::vendor::{Account, Vendor, class, refused_key};

const TOKEN: &str = "tk_canary0ntfy";

const VENDOR: Vendor = Vendor {
    gateway: |base_url| {
        json!({
            "type": "ntfy", "base_url": base_url, "token": TOKEN, "priority": 5,
            "tags": ["rotating_light"],
        })
    },
    rules: Rules {
        faults: |request| {
            let body = request.json();
            let known = ["topic", "title", "message", "priority", "tags"];
            let topic = body["topic"].as_str().unwrap_or_default();
            let message = body["message"].as_str().unwrap_or_default();
            let legal = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
            Check::default()
                .rule(request.method == "POST", "the method is POST")
                .rule(request.path == "/", "JSON is published to the root")
                .rule(
                    request.header("authorization") == format!("Bearer {TOKEN}"),
                    "unauthorized",
                )
                .json(request, &known)
                .rule(
                    (1..=64).contains(&topic.len()) && topic.bytes().all(legal),
                    "topic invalid",
                )
                .rule(
                    body["priority"]
                        .as_u64()
                        .is_none_or(|p| (1..=5).contains(&p)),
                    "invalid priority parameter",
                )
                .rule(
                    (1..=4096).contains(&message.len()),
                    "a longer message becomes an attachment",
                )
                .faults()
        },
        refuse: |reason| error_reply(40024, reason),
        accept: |request, number| {
            let answer = json!({
                "id": format!("sPs71M8A{number:02}"), "time": 1_635_528_741, "event": "message",
                "topic": request.json()["topic"], "message": request.json()["message"],
            });
            Reply::body(200, answer.to_string())
        },
    },
    address: ("Disk_alerts-1", " Disk_alerts-1\n"),
    not_addresses: &["a b", "ö", "https://ntfy.sh/x", "a/b", "a,b"],
    secrets: &[TOKEN],
    reply: |behaviour| {
        Some(Some(error_reply(
            match behaviour {
                Behaviour::Reject => 40018,
                Behaviour::RefuseAccount => 40101,
                Behaviour::Throttle(None) => 42901,
                Behaviour::Fail => 50001,
                _ => return None,
            },
            "simulated",
        )))
    },
};

fn error_reply(code: u16, text: &str) -> Reply {
    let status = code / 100;
    let answer = json!({"code": code, "http": status, "error": text});
    Reply::body(status, answer.to_string())
}

async fn open() -> Account {
    Account::open(VENDOR).await
}

redflash_core::channel_conformance!(open);

#[tokio::test]
async fn request_follows_the_vendors_rules() {
    let account = open().await;
    let accepted = account.send("**Größe** 5").await.unwrap();
    assert_eq!(accepted.message_id.as_deref(), Some("sPs71M8A01"));
    assert!(!accepted.delivered);
    assert_eq!(
        account.last().written(),
        "POST /\n\
         authorization: Bearer tk_canary0ntfy\n\
         content-type: application/json\n\n\
         {\"topic\":\"Disk_alerts-1\",\"title\":\"Disk full\",\"message\":\"**Größe** 5\",\
         \"priority\":5,\"tags\":[\"rotating_light\"]}"
    );
}

#[tokio::test]
async fn authenticates_with_user_and_password() {
    let mut vendor = VENDOR;
    vendor.rules.faults = |request| {
        let is_ann = request.header("authorization") == "Basic YW5uOmNhbmFyeQ==";
        Check::default().rule(is_ann, "unauthorized").faults()
    };
    vendor.gateway = |base_url| json!({"type": "ntfy", "base_url": base_url, "username": "ann", "password": "canary"});
    let account = Account::open(vendor).await;
    let mut message = account.message("hi");
    message.subject = String::new();
    account.channel().send(&message).await.unwrap();
    let expected = json!({"topic": "Disk_alerts-1", "message": "hi"});
    assert_eq!(account.last().json(), expected);
}

#[tokio::test]
async fn truncates_long_texts_and_notes_it() {
    let account = open().await;
    let accepted = account.send(&"ж".repeat(3000)).await.unwrap();
    assert_eq!(accepted.detail, "published, cut to 2047 characters");
    assert_eq!(account.simulator.faults(), [""; 0]);
}

#[tokio::test]
async fn maps_every_error() {
    let account = open().await;
    for (code, expected) in [
        (40009, "invalid address"),
        (40010, "invalid address"),
        (40007, "rejected"),
        (40024, "rejected"),
        (40101, "unauthorized"),
        (40301, "unroutable"),
        (41301, "rejected"),
        (41303, "rejected"),
        (42901, "rate limited"),
        (42908, "refused"),
        (42909, "unauthorized"),
        (50001, "message later"),
        (50701, "message later"),
    ] {
        let error = account.answered(error_reply(code, "x")).await;
        assert_eq!(class(&error.unwrap_err()), expected, "{code}");
    }
    let error = account.answered(Reply::body(200, "{}")).await;
    assert_eq!(class(&error.unwrap_err()), "unknown");
    let error = account.answered(Reply::body(403, "a proxy's")).await;
    assert_eq!(class(&error.unwrap_err()), "refused");
}

#[test]
fn rejects_invalid_settings_by_key() {
    for (table, key) in [
        (json!({"priority": 0}), "priority"),
        (json!({"priority": 6}), "priority"),
        (json!({"base_url": "ftp://x"}), "base_url"),
        (json!({"token": "a b\n"}), "token"),
        (json!({"username": "ann"}), "password"),
        (json!({"password": "canary"}), "username"),
        (json!({"username": "a:b", "password": "canary"}), "username"),
        (
            json!({"username": "a", "password": "b", "token": "c"}),
            "token",
        ),
    ] {
        assert_eq!(refused_key("ntfy", table.clone()), key, "{table}");
    }
}
