//! Signal against a simulated signal-cli-rest-api.

use redflash_core::conformance::channel::{Behaviour, Fixture as _};
use redflash_tests::{Check, Reply, Rules};
use serde_json::json;

use crate::vendor::{Account, Vendor, class, refused_key};

const GROUP: &str = "group.U09NRS1HUk9VUC1JRA==";

const VENDOR: Vendor = Vendor {
    gateway: |base_url| json!({"type": "signal", "base_url": base_url, "number": "+44 7700 900123"}),
    rules: Rules {
        faults: |request| {
            let body = request.json();
            let known = ["number", "recipients", "message", "text_mode"];
            let to = body["recipients"][0].as_str().unwrap_or_default();
            Check::default()
                .rule(request.method == "POST", "the method is POST")
                .rule(request.path == "/v2/send", "the path is /v2/send")
                .json(request, &known)
                .rule(
                    body["number"] == "+447700900123",
                    "please provide a valid number",
                )
                .rule(
                    to.starts_with('+') || to.starts_with("group."),
                    "please provide at least one recipient",
                )
                .rule(body["text_mode"] == "normal", "the text is not styled")
                .faults()
        },
        refuse: |reason| error_reply(400, reason),
        accept: |_, number| {
            let timestamp = (1_700_000_000_000 + u64::from(number)).to_string();
            Reply::body(201, json!({"timestamp": timestamp}).to_string())
        },
    },
    address: ("+447700900001", "0044 7700 900-001"),
    not_addresses: &["ann", "07700900001", "group.", "group.a b", "group.%%"],
    // It has no logins.
    secrets: &[],
    reply: |behaviour| match behaviour {
        Behaviour::RefuseAccount => Some(Some(error_reply(
            400,
            "User +447700900123 is not registered.",
        ))),
        _ => None,
    },
};

fn error_reply(status: u16, text: &str) -> Reply {
    Reply::body(status, json!({"error": text}).to_string())
}

async fn open() -> Account {
    Account::open(VENDOR).await
}

redflash_core::channel_conformance!(open);

#[tokio::test]
async fn request_follows_the_servers_rules() {
    let account = open().await;
    let accepted = account.send("**Größe**").await.unwrap();
    assert_eq!(accepted.message_id.as_deref(), Some("1700000000001"));
    assert!(!accepted.delivered);
    assert_eq!(
        account.last().written(),
        "POST /v2/send\n\
         content-type: application/json\n\n\
         {\"message\":\"**Größe**\",\"number\":\"+447700900123\",\
         \"recipients\":[\"+447700900001\"],\"text_mode\":\"normal\"}"
    );
    let mut message = account.message("hi");
    message.to = account.channel().parse_address(GROUP).unwrap();
    account.channel().send(&message).await.unwrap();
    assert_eq!(account.last().json()["recipients"], json!([GROUP]));
}

#[tokio::test]
async fn maps_every_error() {
    let account = open().await;
    for (status, text, expected) in [
        (
            400,
            "Couldn't process request - invalid request",
            "rejected",
        ),
        (400, "Invalid group id", "invalid address"),
        (
            400,
            "Failed to send (some) messages:\nUnregistered user \"+447700900001\"\n",
            "invalid address",
        ),
        (
            400,
            "Unable to complete request due to untrusted recipient keys",
            "unroutable",
        ),
        (
            400,
            "Failed to send (some) messages:\nUntrusted Identity for \"+447700900001\"\n",
            "unroutable",
        ),
        (
            400,
            "Failed to send (some) messages:\nNetwork failure for \"+447700900001\"\n",
            "unknown",
        ),
        (
            400,
            "Failed to send (some) messages:\nCAPTCHA proof required for sending to \"+4\"",
            "unauthorized",
        ),
        (400, "User +447700900123 is not registered.", "unauthorized"),
        (400, "Specified account does not exist", "unauthorized"),
        (401, "a proxy's", "unauthorized"),
        (429, "Rate limited", "rate limited"),
        (500, "x", "message later"),
        (502, "x", "unknown"),
    ] {
        let error = account.answered(error_reply(status, text)).await;
        assert_eq!(class(&error.unwrap_err()), expected, "{text}");
    }
    let riddle = json!({
        "error": "Rate limited", "account": "+447700900123", "challenge_tokens": ["a-b"],
    });
    let error = account.answered(Reply::body(429, riddle.to_string())).await;
    assert_eq!(class(&error.unwrap_err()), "unauthorized");
    for nonsense in ["{}", "{\"timestamp\":null}", "{\"timestamp\":\"\"}", "[]"] {
        let error = account.answered(Reply::body(201, nonsense)).await;
        assert_eq!(class(&error.unwrap_err()), "unknown", "{nonsense}");
    }
    let accepted = account
        .answered(Reply::body(201, "{\"timestamp\":17}"))
        .await;
    assert_eq!(accepted.unwrap().message_id.as_deref(), Some("17"));
}

#[test]
fn rejects_invalid_settings_by_key() {
    for (table, key) in [
        (json!({"number": "07700900123"}), "number"),
        (
            json!({"number": "+447700900123", "base_url": "ftp://x"}),
            "base_url",
        ),
        (
            json!({"number": "+447700900123", "text_mode": "styled"}),
            "text_mode",
        ),
    ] {
        assert_eq!(refused_key("signal", table.clone()), key, "{table}");
    }
}
