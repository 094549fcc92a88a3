//! Discord against a simulated webhook.

use std::time::Duration;

use redflash_core::conformance::channel::{Behaviour, Fixture as _};
use redflash_core::message::SendError;
use redflash_tests::{Check, Reply, Rules};
use serde_json::json;

use crate::vendor::{Account, Vendor, class, refused_key};

const HOOK: &str = "/api/webhooks/223704706495545344/canary-discord-hook";

const VENDOR: Vendor = Vendor {
    gateway: |base_url| {
        json!({
            "type": "discord", "rooms": {
                "ops": format!("{base_url}{HOOK}"),
                "thread": format!("{base_url}{HOOK}?thread_id=5"),
            },
        })
    },
    rules: Rules {
        faults: |request| {
            let body = request.json();
            let known = ["content", "allowed_mentions", "flags"];
            let content = body["content"].as_str().unwrap_or_default();
            let (path, query) = request.path.split_once('?').unwrap_or_default();
            Check::default()
                .rule(request.method == "POST", "the method is POST")
                .rule(path == HOOK, "Unknown Webhook")
                .rule(
                    matches!(query, "wait=true" | "thread_id=5&wait=true"),
                    "the query has wait",
                )
                .json(request, &known)
                .rule(
                    body["allowed_mentions"] == json!({"parse": []}),
                    "mentions notify nobody",
                )
                .rule(
                    (1..=2000).contains(&content.chars().count()),
                    "Must be 2000 or fewer in length",
                )
                .faults()
        },
        refuse: |reason| error_reply(400, 50035, reason),
        accept: |request, number| {
            let id = (1_100_000_000_000_000_000 + u64::from(number)).to_string();
            let content = request.json()["content"].clone();
            let answer = json!({"id": id, "type": 0, "content": content, "channel_id": "9"});
            Reply::body(200, answer.to_string())
        },
    },
    address: ("ops", " Ops "),
    not_addresses: &["#ops", "https://discord.com/api/webhooks/1/x", "a b"],
    secrets: &["canary-discord-hook"],
    reply: |behaviour| {
        Some(Some(match behaviour {
            Behaviour::Reject => error_reply(400, 50035, "Invalid Form Body"),
            Behaviour::RefuseAccount => error_reply(404, 10015, "Unknown Webhook"),
            Behaviour::Throttle(Some(seconds)) => {
                let answer = json!({
                    "message": "You are being rate limited.",
                    "retry_after": f64::from(u32::try_from(seconds).unwrap()), "global": false,
                });
                Reply::body(429, answer.to_string())
            }
            _ => return None,
        }))
    },
};

fn error_reply(status: u16, code: u32, message: &str) -> Reply {
    Reply::body(
        status,
        json!({"code": code, "message": message}).to_string(),
    )
}

async fn open() -> Account {
    Account::open(VENDOR).await
}

redflash_core::channel_conformance!(open);

#[tokio::test]
async fn request_follows_the_vendors_rules() {
    let account = open().await;
    let accepted = account.send("@everyone *Größe*").await.unwrap();
    assert_eq!(accepted.message_id.as_deref(), Some("1100000000000000001"));
    assert!(accepted.delivered);
    assert_eq!(
        account.last().written(),
        "POST /api/webhooks/223704706495545344/canary-discord-hook?wait=true\n\
         content-type: application/json\n\n\
         {\"allowed_mentions\":{\"parse\":[]},\"content\":\"@everyone \\\\*Größe\\\\*\",\"flags\":4}"
    );
    let mut message = account.message("hi");
    message.to = account.channel().parse_address("thread").unwrap();
    account.channel().send(&message).await.unwrap();
    assert!(account.last().path.ends_with("?thread_id=5&wait=true"));
    assert_eq!(
        account.channel().host(&message.to).as_deref(),
        Some("thread")
    );
}

#[tokio::test]
async fn truncates_long_texts_and_notes_it() {
    let account = open().await;
    let accepted = account.send(&"*".repeat(1500)).await.unwrap();
    assert_eq!(accepted.detail, "posted, cut to 2000 characters");
    assert_eq!(account.simulator.faults(), [""; 0]);
}

#[tokio::test]
async fn maps_every_error() {
    let account = open().await;
    for (status, code, expected) in [
        (400, 50035, "rejected"),
        (400, 50006, "rejected"),
        (400, 200_000, "rejected"),
        (403, 240_000, "rejected"),
        (400, 220_001, "invalid address"),
        (404, 10003, "invalid address"),
        (400, 50083, "invalid address"),
        (404, 10015, "unauthorized"),
        (401, 50027, "unauthorized"),
        (401, 40001, "unauthorized"),
        (403, 50013, "unauthorized"),
        (404, 0, "unauthorized"),
        (400, 20016, "recipient later"),
        (429, 0, "recipient later"),
        (500, 0, "message later"),
        (502, 0, "unknown"),
    ] {
        let error = account.answered(error_reply(status, code, "x")).await;
        assert_eq!(class(&error.unwrap_err()), expected, "{status} {code}");
    }
    for nonsense in ["{}", "{\"id\":5}", "<html>"] {
        let error = account.answered(Reply::body(200, nonsense)).await;
        assert_eq!(class(&error.unwrap_err()), "unknown", "{nonsense}");
    }
}

#[tokio::test]
async fn reads_the_delay_of_a_rate_limit() {
    let account = open().await;
    for (retry_after, expected) in [
        ("64.57", Some(Duration::from_millis(64_570))),
        ("-1", Some(Duration::from_secs(65))),
        ("1e300", Some(Duration::from_secs(65))),
        ("null", Some(Duration::from_secs(65))),
    ] {
        let body = format!("{{\"message\":\"slow\",\"retry_after\":{retry_after}}}");
        let reply = Reply::body(429, body).with("Retry-After", "65");
        let Err(SendError::Deferred { retry_after, .. }) = account.answered(reply).await else {
            panic!("it was not deferred")
        };
        assert_eq!(retry_after, expected);
    }
}

#[tokio::test]
async fn rate_limit_defers_one_webhook_unless_global() {
    let account = open().await;
    let limit = |global: bool| {
        let body = json!({"message": "slow down", "retry_after": 1.0, "global": global});
        Reply::body(429, body.to_string())
    };
    for (reply, expected) in [
        (limit(false), "recipient later"),
        (
            limit(false).with("X-RateLimit-Scope", "shared"),
            "recipient later",
        ),
        (
            limit(false).with("X-RateLimit-Scope", "user"),
            "recipient later",
        ),
        (
            limit(false).with("X-RateLimit-Scope", "global"),
            "rate limited",
        ),
        (limit(true), "rate limited"),
        // The edge of the network, which has had enough of our address.
        (Reply::body(429, "error code: 1015"), "rate limited"),
    ] {
        let text = format!("{reply:?}");
        let error = account.answered(reply).await.unwrap_err();
        assert_eq!(class(&error), expected, "{text}");
    }
}

#[test]
fn rejects_invalid_settings_by_key() {
    for (table, key) in [
        (json!({"rooms": {}}), "rooms"),
        (json!({"rooms": {"ops": "canary"}}), "rooms.ops"),
        (
            json!({"rooms": {"ops": "https://x/"}, "base_url": "https://x"}),
            "base_url",
        ),
    ] {
        assert_eq!(refused_key("discord", table.clone()), key, "{table}");
    }
}
