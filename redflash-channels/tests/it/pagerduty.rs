//! PagerDuty against a simulated Events API.

use redflash_core::conformance::channel::{Behaviour, Fixture as _};
use redflash_tests::{Check, Reply, Rules};
use serde_json::json;

use crate::vendor::{Account, Vendor, class, refused_key};

/// A routing key.
const KEY: &str = "canary0pagerduty0canary0pagerdut";

const VENDOR: Vendor = Vendor {
    gateway: |base_url| {
        json!({
            "type": "pagerduty", "base_url": format!("{base_url}/v2"), "services": {"db": KEY},
            "severity": "error", "source": "db1.example.org",
        })
    },
    rules: Rules {
        faults: |request| {
            let body = request.json();
            let payload = &body["payload"];
            let known = [
                "routing_key",
                "event_action",
                "dedup_key",
                "client",
                "payload",
            ];
            let in_payload = ["summary", "source", "severity", "custom_details"];
            let length =
                |value: &serde_json::Value| value.as_str().map_or(0, |t| t.chars().count());
            Check::default()
                .rule(request.method == "POST", "the method is POST")
                .rule(request.path == "/v2/enqueue", "the path is /v2/enqueue")
                .json(request, &known)
                .rule(
                    payload
                        .as_object()
                        .is_some_and(|p| p.keys().all(|key| in_payload.contains(&&**key))),
                    "there are known fields only in the payload",
                )
                .rule(length(&body["routing_key"]) == 32, "Invalid routing key")
                .rule(body["event_action"] == "trigger", "event_action is wrong")
                .rule(
                    (1..=255).contains(&length(&body["dedup_key"])),
                    "dedup_key is wrong",
                )
                .rule(
                    (1..=1024).contains(&length(&payload["summary"])),
                    "'payload.summary' is missing or blank",
                )
                .rule(
                    length(&payload["source"]) > 0,
                    "'payload.source' is missing",
                )
                .rule(
                    ["critical", "error", "warning", "info"]
                        .iter()
                        .any(|severity| payload["severity"] == *severity),
                    "'payload.severity' is invalid",
                )
                .rule(
                    request.body.len() <= 512 * 1024,
                    "the event has up to 512 KB",
                )
                .faults()
        },
        refuse: |reason| invalid(reason),
        accept: |request, _| {
            let answer = json!({
                "status": "success", "message": "Event processed",
                "dedup_key": request.json()["dedup_key"],
            });
            Reply::body(202, answer.to_string())
        },
    },
    address: ("db", " DB "),
    not_addresses: &["a b", "https://events.pagerduty.com", "ö"],
    secrets: &[KEY],
    reply: |behaviour| match behaviour {
        Behaviour::Reject => Some(Some(invalid("'payload.summary' is missing or blank"))),
        Behaviour::RefuseAccount => Some(Some(invalid("Invalid routing key"))),
        _ => None,
    },
};

fn invalid(error: &str) -> Reply {
    let answer = json!({
        "status": "invalid event", "message": "Event object is invalid", "errors": [error],
    });
    Reply::body(400, answer.to_string())
}

async fn open() -> Account {
    Account::open(VENDOR).await
}

redflash_core::channel_conformance!(open);

#[tokio::test]
async fn request_follows_the_vendors_rules() {
    let account = open().await;
    let accepted = account.send("Größe:\n  5 %").await.unwrap();
    let id = "019f4a2b6c007d3e8f50617283000001";
    assert_eq!(accepted.message_id.as_deref(), Some(id));
    assert_eq!(
        (accepted.delivered, &*accepted.detail),
        (false, "Event processed")
    );
    assert_eq!(
        account.last().written(),
        "POST /v2/enqueue\n\
         content-type: application/json\n\n\
         {\"client\":\"RedFlash\",\"dedup_key\":\"019f4a2b6c007d3e8f50617283000001\",\
         \"event_action\":\"trigger\",\"payload\":{\
         \"custom_details\":{\"message\":\"Größe:\\n  5 %\",\"subject\":\"Disk full\"},\
         \"severity\":\"error\",\"source\":\"db1.example.org\",\
         \"summary\":\"Disk full: Größe: 5 %\"},\
         \"routing_key\":\"canary0pagerduty0canary0pagerdut\"}"
    );
}

#[tokio::test]
async fn accepts_routing_keys_as_addresses() {
    let account = open().await;
    let channel = account.channel();
    let key = "R0PFE8C0JAMEZE7WV3ZB4RKSE0NVFK45";
    let mut message = account.message("hi");
    assert_eq!(channel.host(&message.to).as_deref(), Some("db"));
    message.to = channel.parse_address(key).unwrap();
    assert_eq!(channel.host(&message.to), None);
    channel.send(&message).await.unwrap();
    assert_eq!(account.last().json()["routing_key"], key);
    account.simulator.once(invalid("Invalid routing key"));
    let error = channel.send(&message).await.unwrap_err();
    assert_eq!(class(&error), "invalid address");
    message.to = channel.parse_address("web").unwrap();
    let error = channel.send(&message).await.unwrap_err();
    assert_eq!(class(&error), "unroutable");
}

#[tokio::test]
async fn repeat_has_the_same_dedup_key() {
    let account = open().await;
    let mut message = account.message("hello");
    let first = account.channel().send(&message).await.unwrap();
    message.attempt = 2;
    let second = account.channel().send(&message).await.unwrap();
    assert_eq!(first.message_id, second.message_id);
    assert!(account.channel().capabilities().idempotent);
}

#[tokio::test]
async fn details_have_the_whole_text() {
    let account = open().await;
    account.send(&"ж".repeat(32_000)).await.unwrap();
    let payload = account.last().json()["payload"].clone();
    assert!(payload["summary"].as_str().unwrap().ends_with("ж…"));
    let details = payload["custom_details"]["message"].as_str().unwrap();
    assert_eq!(details.chars().count(), 32_000);
    let mut message = account.message("hi");
    message.subject = String::new();
    account.channel().send(&message).await.unwrap();
    assert_eq!(account.last().json()["payload"]["summary"], "hi");
}

#[tokio::test]
async fn maps_every_error() {
    let account = open().await;
    for (error, expected) in [
        ("'payload.severity' is invalid", "rejected"),
        ("JSON parse error", "rejected"),
        ("Invalid routing key", "unauthorized"),
        ("'routing_key' is missing or blank", "unauthorized"),
    ] {
        let error = account.answered(invalid(error)).await.unwrap_err();
        assert_eq!(class(&error), expected, "{error}");
    }
    for (status, expected) in [
        (403, "refused"),
        (404, "refused"),
        (413, "rejected"),
        (429, "recipient later"),
        (500, "message later"),
        (502, "unknown"),
        (503, "message later"),
    ] {
        let error = account.answered(Reply::body(status, "x")).await;
        assert_eq!(class(&error.unwrap_err()), expected, "{status}");
    }
    for nonsense in ["{}", "[]", "{\"status\":5}", "{\"status\":\"maybe\"}"] {
        let error = account.answered(Reply::body(202, nonsense)).await;
        assert_eq!(class(&error.unwrap_err()), "unknown", "{nonsense}");
    }
}

#[test]
fn rejects_invalid_settings_by_key() {
    for (table, key) in [
        (json!({"services": {"db": "canary"}}), "services.db"),
        (json!({"services": {"D B": KEY}}), "services.D B"),
        (
            json!({"services": {"e93facc04764012d7bfb002500d5d1a6": KEY}}),
            "services.e93facc04764012d7bfb002500d5d1a6",
        ),
        (json!({"severity": "fatal"}), "severity"),
        (json!({"source": " "}), "source"),
        (json!({"base_url": "ftp://x"}), "base_url"),
    ] {
        assert_eq!(refused_key("pagerduty", table.clone()), key, "{table}");
    }
}
