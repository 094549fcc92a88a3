//! Matrix against a simulated home server.

use std::time::Duration;

use redflash_core::conformance::channel::{Behaviour, Fixture as _};
use redflash_core::message::SendError;
use redflash_tests::{Check, Reply, Rules};
use serde_json::json;

use crate::vendor::{Account, Vendor, class, refused_key};

const TOKEN: &str = "syt_canary_matrix";
const PATH: &str = "/_matrix/client/v3/rooms/!636q39766251:example.com/send/m.room.message/";

const VENDOR: Vendor = Vendor {
    gateway: |base_url| json!({"type": "matrix", "base_url": base_url, "access_token": TOKEN}),
    rules: Rules {
        faults: |request| {
            let body = request.json();
            let known = ["msgtype", "body", "m.mentions"];
            let transaction = request.path.strip_prefix(PATH).unwrap_or_default();
            Check::default()
                .rule(request.method == "PUT", "the method is PUT")
                .rule(
                    transaction.len() == 32 && !transaction.contains('/'),
                    "the path names the room and the transaction",
                )
                .rule(
                    request.header("authorization") == format!("Bearer {TOKEN}"),
                    "M_UNKNOWN_TOKEN",
                )
                .json(request, &known)
                .rule(body["msgtype"] == "m.text", "it is a text")
                .rule(body["body"].is_string(), "it has a body")
                .rule(request.body.len() < 64_000, "M_TOO_LARGE")
                .faults()
        },
        refuse: |reason| error_reply(400, "M_BAD_JSON", reason),
        accept: |request, _| {
            // The same transaction is the same event.
            let transaction = request.path.strip_prefix(PATH).unwrap();
            let answer = json!({"event_id": format!("${transaction}:example.com")});
            Reply::body(200, answer.to_string())
        },
    },
    address: ("!636q39766251:example.com", " !636q39766251:example.com "),
    not_addresses: &[
        "#ops:example.com",
        "@ann:example.com",
        "!",
        "!:x",
        "!a:",
        "!a b:x",
        "636q",
    ],
    secrets: &[TOKEN],
    reply: |behaviour| {
        Some(Some(match behaviour {
            Behaviour::Reject => error_reply(413, "M_TOO_LARGE", "event too large"),
            Behaviour::RefuseAccount => error_reply(401, "M_UNKNOWN_TOKEN", "Invalid access token"),
            Behaviour::Throttle(Some(seconds)) => throttled(seconds * 1000),
            Behaviour::Throttle(None) => error_reply(429, "M_LIMIT_EXCEEDED", "Too many requests"),
            _ => return None,
        }))
    },
};

fn error_reply(status: u16, code: &str, text: &str) -> Reply {
    Reply::body(status, json!({"errcode": code, "error": text}).to_string())
}

fn throttled(milliseconds: u64) -> Reply {
    let answer = json!({
        "errcode": "M_LIMIT_EXCEEDED", "error": "Too many requests",
        "retry_after_ms": milliseconds,
    });
    Reply::body(429, answer.to_string())
}

async fn open() -> Account {
    Account::open(VENDOR).await
}

redflash_core::channel_conformance!(open);

#[tokio::test]
async fn request_follows_the_vendors_rules() {
    let account = open().await;
    let accepted = account.send("@room **Größe**").await.unwrap();
    assert!(accepted.delivered);
    assert_eq!(
        account.last().written(),
        "PUT /_matrix/client/v3/rooms/!636q39766251:example.com/send/m.room.message/\
         019f4a2b6c007d3e8f50617283000001\n\
         authorization: Bearer syt_canary_matrix\n\
         content-type: application/json\n\n\
         {\"body\":\"@room **Größe**\",\"m.mentions\":{},\"msgtype\":\"m.text\"}"
    );
}

#[tokio::test]
async fn repeat_has_the_same_transaction_id() {
    let account = open().await;
    let first = account.send("hello").await.unwrap();
    let mut message = account.message("hello");
    message.attempt = 2;
    let second = account.channel().send(&message).await.unwrap();
    assert_eq!(first.message_id, second.message_id);
    assert!(account.channel().capabilities().idempotent);
}

#[tokio::test]
async fn escapes_room_ids() {
    let account = open().await;
    let mut message = account.message("hello");
    message.to = account.channel().parse_address("!a/../b?c#d:x").unwrap();
    // The simulated server knows no such room.
    account.channel().send(&message).await.unwrap_err();
    let path = account.simulator.received().remove(0).path;
    let room = "/_matrix/client/v3/rooms/!a%2F..%2Fb%3Fc%23d:x/send/m.room.message/";
    assert!(path.starts_with(room), "{path}");
}

#[tokio::test]
async fn truncates_long_texts_and_notes_it() {
    let account = open().await;
    let accepted = account.send(&"\"\n".repeat(32_000)).await.unwrap();
    assert!(
        accepted.detail.starts_with("sent, cut to 2999"),
        "{}",
        accepted.detail
    );
    assert_eq!(account.simulator.faults(), [""; 0]);
}

#[tokio::test]
async fn maps_every_error() {
    let account = open().await;
    for (status, code, expected) in [
        (400, "M_BAD_JSON", "rejected"),
        (401, "M_UNKNOWN_TOKEN", "unauthorized"),
        (401, "M_MISSING_TOKEN", "unauthorized"),
        (403, "M_FORBIDDEN", "unroutable"),
        (403, "M_USER_DEACTIVATED", "unauthorized"),
        (403, "M_RESOURCE_LIMIT_EXCEEDED", "unauthorized"),
        (403, "M_CONSENT_NOT_GIVEN", "unauthorized"),
        (404, "M_NOT_FOUND", "invalid address"),
        (404, "M_UNRECOGNIZED", "refused"),
        (413, "M_TOO_LARGE", "rejected"),
        (429, "M_LIMIT_EXCEEDED", "rate limited"),
        (500, "M_UNKNOWN", "message later"),
        (502, "", "unknown"),
    ] {
        let error = account.answered(error_reply(status, code, "x")).await;
        assert_eq!(class(&error.unwrap_err()), expected, "{status} {code}");
    }
    for nonsense in ["{}", "[]", "{\"event_id\":5}"] {
        let error = account.answered(Reply::body(200, nonsense)).await;
        assert_eq!(class(&error.unwrap_err()), "unknown", "{nonsense}");
    }
}

#[tokio::test]
async fn reads_retry_delay_from_header_and_body() {
    let account = open().await;
    for (reply, expected) in [
        (throttled(2500), Duration::from_millis(2500)),
        (
            throttled(2500).with("Retry-After", "3"),
            Duration::from_secs(3),
        ),
    ] {
        let Err(SendError::RateLimited { retry_after, .. }) = account.answered(reply).await else {
            panic!("it was not rate limited")
        };
        assert_eq!(retry_after, Some(expected));
    }
}

#[test]
fn rejects_invalid_settings_by_key() {
    for (table, key) in [
        (
            json!({"access_token": "", "base_url": "https://x"}),
            "access_token",
        ),
        (
            json!({"access_token": "a", "base_url": "https://a:b@x"}),
            "base_url",
        ),
    ] {
        assert_eq!(refused_key("matrix", table.clone()), key, "{table}");
    }
}
