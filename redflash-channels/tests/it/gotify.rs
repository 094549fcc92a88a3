//! Gotify against a simulated server.

use redflash_core::conformance::channel::{Behaviour, Fixture as _};
use redflash_tests::{Check, Reply, Rules};
use serde_json::json;

use crate::vendor::{Account, Vendor, class, refused_key};

const TOKEN: &str = "A-canary-gotify";

const VENDOR: Vendor = Vendor {
    gateway: |base_url| {
        json!({
            "type": "gotify", "base_url": format!("{base_url}/push/"), "apps": {"ops": TOKEN},
            "priority": 8,
        })
    },
    rules: Rules {
        faults: |request| {
            let body = request.json();
            let known = ["title", "message", "priority"];
            Check::default()
                .rule(request.method == "POST", "the method is POST")
                .rule(request.path == "/push/message", "the path, without a token")
                .rule(request.header("x-gotify-key") == TOKEN, "unauthorized")
                .json(request, &known)
                .rule(body["message"] != "", "Field 'message' is required")
                .faults()
        },
        refuse: |reason| error_reply(400, reason),
        accept: |request, number| {
            let mut answer = request.json();
            answer["id"] = json!(number);
            answer["appid"] = json!(5);
            answer["date"] = json!("2026-11-24T12:00:00.5045044+01:00");
            Reply::body(200, answer.to_string())
        },
    },
    address: ("ops", " OPS "),
    not_addresses: &["a b", "ö", "https://push.example.org/"],
    secrets: &[TOKEN],
    reply: |behaviour| match behaviour {
        Behaviour::RefuseAccount => {
            Some(Some(error_reply(401, "you need to provide a valid token")))
        }
        // It knows no limit.
        Behaviour::Throttle(_) => Some(None),
        _ => None,
    },
};

fn error_reply(code: u16, text: &str) -> Reply {
    let answer = json!({"error": "x", "errorCode": code, "errorDescription": text});
    Reply::body(code, answer.to_string())
}

async fn open() -> Account {
    Account::open(VENDOR).await
}

redflash_core::channel_conformance!(open);

#[tokio::test]
async fn request_follows_the_vendors_rules() {
    let account = open().await;
    let accepted = account.send("**Größe** 5").await.unwrap();
    assert_eq!(accepted.message_id.as_deref(), Some("1"));
    assert!(!accepted.delivered);
    assert_eq!(
        account.last().written(),
        "POST /push/message\n\
         content-type: application/json\n\
         x-gotify-key: A-canary-gotify\n\n\
         {\"title\":\"Disk full\",\"message\":\"**Größe** 5\",\"priority\":8}"
    );
    let mut message = account.message("hi");
    assert_eq!(account.channel().host(&message.to).as_deref(), Some("ops"));
    message.to = account.channel().parse_address("dev").unwrap();
    let error = account.channel().send(&message).await.unwrap_err();
    assert_eq!(class(&error), "unroutable");
}

#[tokio::test]
async fn maps_every_error() {
    let account = open().await;
    for (status, expected) in [
        (400, "rejected"),
        (401, "unauthorized"),
        (403, "unauthorized"),
        (404, "refused"),
        (500, "message later"),
    ] {
        let error = account.answered(error_reply(status, "x")).await;
        assert_eq!(class(&error.unwrap_err()), expected, "{status}");
    }
    let error = account.answered(Reply::body(200, "{\"id\":\"x\"}")).await;
    assert_eq!(class(&error.unwrap_err()), "unknown");
}

#[test]
fn rejects_invalid_settings_by_key() {
    for (table, key) in [
        (json!({"apps": {}}), "apps"),
        (json!({"apps": {"ops": ""}}), "apps.ops"),
        (json!({"apps": {"ops": "a\nb"}}), "apps.ops"),
        (json!({"apps": {"ops": "a"}, "priority": 11}), "priority"),
        (
            json!({"apps": {"ops": "a"}, "base_url": "ftp://x"}),
            "base_url",
        ),
    ] {
        let mut table = table;
        if table.get("base_url").is_none() {
            table["base_url"] = json!("https://push.example.org");
        }
        assert_eq!(refused_key("gotify", table.clone()), key, "{table}");
    }
}
