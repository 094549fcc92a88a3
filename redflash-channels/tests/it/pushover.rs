//! Pushover against a simulated application.

use redflash_core::conformance::channel::{Behaviour, Fixture as _};
use redflash_tests::{Check, Reply, Rules};
use serde_json::json;

use crate::vendor::{Account, Vendor, class, refused_key};

const TOKEN: &str = "canary0pushover0canary0pushove";
const USER: &str = "uQiRzpo4DXghDmr9QzzfQu27cmVRsG";

const VENDOR: Vendor = Vendor {
    gateway: |base_url| {
        json!({
            "type": "pushover", "base_url": format!("{base_url}/1"), "token": TOKEN, "priority": 1,
        })
    },
    rules: Rules {
        faults: |request| {
            let form = request.form();
            let field = |name: &str| form.get(name).map_or("", String::as_str);
            let length = |name: &str| field(name).chars().count();
            let known = ["token", "user", "title", "message", "priority"];
            Check::default()
                .rule(request.method == "POST", "the method is POST")
                .rule(
                    request.path == "/1/messages.json",
                    "the path, without a query",
                )
                .rule(
                    request.header("content-type") == "application/x-www-form-urlencoded",
                    "the body is a form",
                )
                .rule(
                    form.keys().all(|name| known.contains(&&**name)),
                    "there are known fields only",
                )
                .rule(field("token") == TOKEN, "application token is invalid")
                .rule(field("user") == USER, "user identifier is invalid")
                .rule(
                    (1..=1024).contains(&length("message")),
                    "message is too long",
                )
                .rule(length("title") <= 250, "title is too long")
                .rule(
                    matches!(field("priority"), "" | "-2" | "-1" | "0" | "1"),
                    "priority is invalid",
                )
                .faults()
        },
        refuse: |reason| error_reply(400, reason, &json!({})),
        accept: |_, number| {
            let request = format!("647d2300-702c-4b38-8b2f-{number:012}");
            Reply::body(200, json!({"status": 1, "request": request}).to_string())
        },
    },
    address: (USER, " uQiRzpo4DXghDmr9QzzfQu27cmVRsG "),
    not_addresses: &[
        "ann",
        "uQiRzpo4DXghDmr9QzzfQu27cmVRs",
        "uQiRzpo4DXghDmr9QzzfQu27cmVRs-",
        "uQiRzpo4DXghDmr9QzzfQu27cmVRsG,uQiRzpo4DXghDmr9QzzfQu27cmVRsG",
    ],
    secrets: &[TOKEN],
    reply: |behaviour| {
        Some(Some(match behaviour {
            Behaviour::Reject => {
                error_reply(400, "message cannot be blank", &json!({"message": "x"}))
            }
            Behaviour::RefuseAccount => error_reply(
                400,
                "application token is invalid",
                &json!({"token": "invalid"}),
            ),
            _ => return None,
        }))
    },
};

fn error_reply(status: u16, text: &str, wrong: &serde_json::Value) -> Reply {
    let mut answer = json!({"status": 0, "errors": [text], "request": "5042853c"});
    let fields = answer.as_object_mut().unwrap();
    fields.extend(wrong.as_object().unwrap().clone());
    Reply::body(status, answer.to_string())
}

async fn open() -> Account {
    Account::open(VENDOR).await
}

redflash_core::channel_conformance!(open);

#[tokio::test]
async fn request_follows_the_vendors_rules() {
    let account = open().await;
    let accepted = account.send("<b>Größe</b>").await.unwrap();
    let id = accepted.message_id.unwrap();
    assert_eq!(id, "647d2300-702c-4b38-8b2f-000000000001");
    assert!(!accepted.delivered);
    assert_eq!(
        account.last().written(),
        "POST /1/messages.json\n\
         content-type: application/x-www-form-urlencoded\n\n\
         token=canary0pushover0canary0pushove&user=uQiRzpo4DXghDmr9QzzfQu27cmVRsG\
         &title=Disk+full&message=%3Cb%3EGr%C3%B6%C3%9Fe%3C%2Fb%3E&priority=1"
    );
}

#[tokio::test]
async fn truncates_long_texts_and_notes_it() {
    let account = open().await;
    let mut message = account.message(&"a".repeat(2000));
    message.subject = "b".repeat(300);
    let accepted = account.channel().send(&message).await.unwrap();
    assert_eq!(accepted.detail, "queued, cut to 1024 characters");
    assert_eq!(account.simulator.faults(), [""; 0]);
}

#[tokio::test]
async fn maps_every_error() {
    let account = open().await;
    for (status, wrong, expected) in [
        (400, json!({"token": "invalid"}), "unauthorized"),
        (400, json!({"user": "invalid"}), "invalid address"),
        (400, json!({"message": "cannot be blank"}), "rejected"),
        (400, json!({}), "rejected"),
        (413, json!({}), "rejected"),
        (429, json!({}), "rate limited"),
        (500, json!({}), "message later"),
        (200, json!({}), "rejected"),
    ] {
        let error = account.answered(error_reply(status, "x", &wrong)).await;
        assert_eq!(class(&error.unwrap_err()), expected, "{status} {wrong}");
    }
    let used_up = error_reply(429, "x", &json!({})).with("X-Limit-App-Remaining", "0");
    let error = account.answered(used_up).await.unwrap_err();
    assert_eq!(class(&error), "unauthorized");
    for nonsense in ["{}", "{\"status\":\"1\"}", "[]"] {
        let error = account.answered(Reply::body(200, nonsense)).await;
        assert_eq!(class(&error.unwrap_err()), "unknown", "{nonsense}");
    }
}

#[test]
fn rejects_invalid_settings_by_key() {
    for (table, key) in [
        (json!({"token": "canary"}), "token"),
        (json!({"token": TOKEN, "priority": 2}), "priority"),
        (json!({"token": TOKEN, "priority": -3}), "priority"),
        (json!({"token": TOKEN, "base_url": "ftp://x"}), "base_url"),
    ] {
        assert_eq!(refused_key("pushover", table.clone()), key, "{table}");
    }
}
