//! The gateway that is described in the configuration: the examples of its documentation, each
//! against the vendor it describes, and what else can be described.

use redflash_channels::configure;
use redflash_core::conformance::channel::{Behaviour, Fixture as _};
use redflash_core::delivery::ReceiptState;
use redflash_core::gateway::CallbackError;
use redflash_core::message::Retry;
use redflash_tests::{Check, Received, Reply, Rules};
use serde_json::{Value, json};

use crate::kannel;
use crate::vendor::{Account, CallbackRequest, Vendor, gateway};

/// The gateway of an example, at this base and with this password.
fn example(text: &str, base: [&str; 2], password: [&str; 2]) -> Value {
    let text = text
        .replace(base[0], base[1])
        .replace(&format!("{:?}", password[0]), &format!("{:?}", password[1]));
    let document: Value = toml::from_str(&text).unwrap();
    document["gateways"][0].clone()
}

const KANNEL: Vendor = Vendor {
    gateway: |base_url| {
        example(
            include_str!("../../src/gateways/http_sms/kannel.toml"),
            ["http://127.0.0.1:13013", base_url],
            ["foobar", "canary-kannel"],
        )
    },
    rules: kannel::RULES,
    address: ("+447700900001", "0044 7700 900-001"),
    not_addresses: &["07700900001", "+44", "ann"],
    secrets: &["canary-kannel"],
    reply: |behaviour| match behaviour {
        Behaviour::RefuseAccount => {
            Some(Some(Reply::body(403, "Authorization failed for sendsms")))
        }
        _ => None,
    },
};

const ROUTO: Vendor = Vendor {
    gateway: |base_url| {
        example(
            include_str!("../../src/gateways/http_sms/routo.toml"),
            ["https://smsc5.routotelecom.example", base_url],
            ["secret", "canary-routo"],
        )
    },
    rules: Rules {
        faults: routo,
        refuse: |_| Reply::body(200, "wrong_type"),
        accept: |_, _| Reply::body(200, "success"),
    },
    address: ("+447700900001", "0044 7700 900-001"),
    not_addresses: &["07700900001", "+44", "ann"],
    secrets: &["canary-routo"],
    reply: |behaviour| {
        Some(Some(match behaviour {
            Behaviour::Reject => Reply::body(200, "error"),
            Behaviour::RefuseAccount => Reply::body(200, "auth_failed for canary-routo"),
            Behaviour::Fail => Reply::body(200, "sys_error"),
            Behaviour::Throttle(_) => return Some(None),
            _ => return None,
        }))
    },
};

fn routo(request: &Received) -> Vec<String> {
    const KNOWN: [&str; 6] = ["message", "number", "ownnum", "pass", "type", "user"];
    let form = request.form();
    let mut check = Check::default();
    check
        .rule(request.path == "/SMSsend", "the path is Routo's")
        .rule(
            form.keys().map(String::as_str).eq(KNOWN),
            "there are known fields only",
        )
        .rule(form["user"] == "me", "the user is known")
        .rule(form["pass"] == "canary-routo", "so is the password")
        .rule(
            form["number"].bytes().all(|b| b.is_ascii_digit()),
            "the number is digits",
        )
        .rule(
            matches!(&*form["type"], "SMS" | "unicode"),
            "the type is known",
        )
        .faults()
}

async fn open_kannel() -> Account {
    Account::open(KANNEL).await
}

async fn open_routo() -> Account {
    Account::open(ROUTO).await
}

mod as_kannel {
    redflash_core::channel_conformance!(super::open_kannel);
}

mod as_routo {
    redflash_core::channel_conformance!(super::open_routo);
}

#[tokio::test]
async fn examples_send_the_vendors_requests() {
    let account = open_routo().await;
    account.send("Größe > 5 € & more").await.unwrap();
    assert_eq!(
        account.last().written(),
        "POST /SMSsend\ncontent-type: application/x-www-form-urlencoded\n\n\
         message=Gr%C3%B6%C3%9Fe+%3E+5+%E2%82%AC+%26+more&number=447700900001&ownnum=RedFlash\
         &pass=canary-routo&type=SMS&user=me"
    );
    account.send("Привет").await.unwrap();
    assert_eq!(account.last().form()["type"], "unicode");
    let account = Account::open(Vendor {
        gateway: |base_url| {
            let mut table = (KANNEL.gateway)(base_url);
            table["callback_secret"] = json!("canary-callback-x");
            table
        },
        ..KANNEL
    });
    let account = account.await;
    account.send("Привет").await.unwrap();
    assert_eq!(
        account.last().written(),
        "POST /cgi-bin/sendsms\n\
         content-type: text/plain; charset=UTF-8\n\
         x-kannel-coding: 2\n\
         x-kannel-dlr-mask: 31\n\
         x-kannel-dlr-url: https://alerts.example.org/ack/tested/canary-callback-x\
         ?ref=019f4a2b6c007d3e8f50617283000001&type=%d&answer=%A\n\
         x-kannel-from: RedFlash\n\
         x-kannel-password: canary-kannel\n\
         x-kannel-to: +447700900001\n\
         x-kannel-username: tester\n\n\
         Привет"
    );
}

/// A vendor with a bit of everything.
const VARIED: Vendor = Vendor {
    gateway: |base_url| {
        json!({
            "type": "http-sms",
            "url": format!("{base_url}/v1/{{{{to}}}}/send?note={{{{text}}}}"),
            "username": "me", "password": "canary-pass", "token": "canary-token",
            "from": "RedFlash",
            "headers": { "Authorization": "Basic {{basic}}", "X-Token": "{{token}} {{text}}" },
            "query": { "ref": "{{reference}}&" },
            "json": { "messages": [{
                "to": "{{to_digits}}", "text": "{{text}}", "utf16": "{{text_hex_utf16}}",
                "flash": false, "class": 1,
            }] },
            "answer": {
            "permanent": { "status": [422] },
            "retry": { "status": [429, 500] },
            "success": { "pattern": "\"ok\":true" },
            "message_id": { "pointer": "/id" },
            "price": { "pattern": "cost=([0-9.]+)" },
            },
            "receipt": {
                "message_id": "/results/0/id", "status": "/results/0/status",
                "delivered": ["DELIVRD", "3"], "failed": ["EXPIRED"],
                "price": "/results/0/price", "detail": "/results/0/error",
            },
            "inbound": { "from": "/from", "text": "/text", "id": "id" },
        })
    },
    rules: Rules {
        faults: |_| Vec::new(),
        refuse: |_| Reply::status(400),
        accept: |_, _| Reply::body(200, r#"{"ok":true,"id":17,"note":"cost=0.05"}"#),
    },
    address: ("+447700900001", "+44 7700 900001"),
    not_addresses: &["ann"],
    secrets: &["canary-pass", "canary-token"],
    reply: |_| None,
};

#[tokio::test]
async fn escapes_values_for_their_context() {
    let account = Account::open(VARIED).await;
    let accepted = account.send("a\n/b\"?c&d=é").await.unwrap();
    assert_eq!(accepted.message_id.as_deref(), Some("17"));
    assert_eq!(accepted.price.unwrap().as_str(), "0.05");
    let request = account.last();
    assert_eq!(
        request.path,
        "/v1/%2B447700900001/send?note=a%0A%2Fb%22%3Fc%26d%3D%C3%A9\
         &ref=019f4a2b6c007d3e8f50617283000001%26"
    );
    assert_eq!(request.method, "POST");
    assert_eq!(
        request.header("authorization"),
        "Basic bWU6Y2FuYXJ5LXBhc3M="
    );
    assert_eq!(request.header("x-token"), "canary-token a /b\"?c&d=é");
    assert_eq!(request.header("content-type"), "application/json");
    assert_eq!(
        request.json(),
        json!({ "messages": [{
            "to": "447700900001", "text": "a\n/b\"?c&d=é",
            "utf16": "0061000a002f00620022003f00630026006400 3d00e9".replace(' ', ""),
            "flash": false, "class": 1,
        }] })
    );
}

#[tokio::test]
async fn text_of_dots_cannot_change_the_path() {
    let account = Account::open(Vendor {
        gateway: |base_url| json!({ "type": "http-sms", "url": format!("{base_url}/v1/{{{{text}}}}") }),
        ..VARIED
    });
    let account = account.await;
    for text in [".", ".."] {
        let error = account.send(text).await.unwrap_err();
        assert_eq!(error.retry(), Retry::Never, "{text}");
    }
    account.send("...").await.unwrap();
    assert_eq!(account.last().path, "/v1/...");
    assert_eq!(account.simulator.received().len(), 1);
}

#[tokio::test]
async fn rules_define_the_meaning_of_answers() {
    use Retry::{After, ElsewhereOrLater, MayRepeat, Never, StopGateway};
    let account = Account::open(VARIED).await;
    for (status, body, retry) in [
        (422, r#"{"ok":true}"#, Never),
        (429, "", After(None)),
        (500, r#"{"ok":true}"#, After(None)),
        (200, "{}", MayRepeat),
        (204, "", MayRepeat),
        (401, "", StopGateway),
        (404, "", ElsewhereOrLater),
        (403, "", ElsewhereOrLater),
        (502, "", MayRepeat),
        (503, "", After(None)),
    ] {
        let error = account.answered(Reply::body(status, body)).await;
        assert_eq!(error.unwrap_err().retry(), retry, "{status} {body}");
    }
    let taken = account.answered(Reply::body(302, r#"{"ok":true}"#)).await;
    assert_eq!(taken.unwrap().message_id, None);
    let repeated = Reply::body(401, "wrong: canary-token, canary-pass");
    let error = account.answered(repeated).await.unwrap_err();
    assert!(!error.detail().contains("canary"), "{}", error.detail());
}

#[tokio::test]
async fn reads_callbacks_by_configured_fields() {
    let account = Account::open(VARIED).await;
    let channel = account.channel();
    let read =
        |document: Value| channel.parse_receipts(&CallbackRequest::json(&document).callback());
    for (status, state) in [
        (json!("DELIVRD"), ReceiptState::Delivered),
        (json!(3), ReceiptState::Delivered),
        (json!("EXPIRED"), ReceiptState::Failed),
        (json!("ENROUTE"), ReceiptState::Pending),
        (json!(null), ReceiptState::Pending),
    ] {
        let receipts = read(json!({ "results": [
            { "id": 17, "status": status, "price": 0.05, "error": "none" },
        ] }));
        let receipt = receipts.unwrap().remove(0);
        assert_eq!(receipt.state, state, "{status}");
        assert_eq!(receipt.message_id.as_deref(), Some("17"));
        assert_eq!(receipt.price.unwrap().as_str(), "0.05");
        assert!(receipt.detail.ends_with(" (none)"), "{}", receipt.detail);
    }
    assert_eq!(read(json!({})), Ok(vec![]));
    assert_eq!(read(json!([1, "x"])), Ok(vec![]));
    let inbound =
        |document: Value| channel.parse_inbound(&CallbackRequest::json(&document).callback());
    let message = inbound(json!({ "from": 447_700_900_000_u64, "text": "ACK", "id": "m1" }));
    let message = message.unwrap().remove(0);
    assert_eq!(message.from.as_str(), "+447700900000");
    assert_eq!(
        (&*message.text, message.message_id.as_deref()),
        ("ACK", Some("m1"))
    );
    assert_eq!(inbound(json!({ "text": "ACK" })), Ok(vec![]));
    let error = inbound(json!({ "from": "", "text": "ACK" })).unwrap_err();
    assert!(matches!(error, CallbackError::Malformed(_)));
}

#[tokio::test]
async fn kannel_example_reads_callbacks() {
    let account = open_kannel().await;
    let delivery = account.message("").delivery;
    let reference = delivery.to_string();
    let called = CallbackRequest::form(&[("ref", &reference), ("type", "16"), ("answer", "NACK/")]);
    let receipts = account.channel().parse_receipts(&called.callback());
    let receipt = receipts.unwrap().remove(0);
    assert_eq!(receipt.delivery, Some(delivery));
    assert_eq!(receipt.state, ReceiptState::Failed);
    assert_eq!(receipt.detail, "16 (NACK/)");
    let called = CallbackRequest::form(&[("ref", "tx-1"), ("type", "1")]);
    let error = account.channel().parse_receipts(&called.callback());
    assert!(matches!(error, Err(CallbackError::Malformed(_))));
    let able = open_routo().await.channel().capabilities();
    assert!(able.sender && !able.receipts && !able.inbound);
}

#[tokio::test]
async fn escapes_values_in_xml() {
    let account = Account::open(Vendor {
        gateway: |base_url| {
            json!({
                "type": "http-sms", "url": base_url, "content_type": "text/xml",
                "text": "<sms to=\"{{to}}\">{{text}}</sms>",
            })
        },
        rules: Rules {
            accept: |_, _| Reply::status(200),
            ..VARIED.rules
        },
        ..VARIED
    });
    let account = account.await;
    account.send("</sms><sms to=\"1\">&").await.unwrap();
    assert_eq!(
        account.last().written(),
        "POST /\ncontent-type: text/xml\n\n\
         <sms to=\"+447700900001\">&lt;/sms&gt;&lt;sms to=&quot;1&quot;&gt;&amp;</sms>"
    );
    assert!(account.channel().check_sender("Backups").is_err());
}

#[test]
fn rejects_invalid_settings_by_key() {
    let plain = || json!({ "name": "tested", "type": "http-sms", "url": "http://127.0.0.1:1/" });
    gateway(plain());
    for (key, value) in [
        ("url", json!("ftp://a/")),
        ("url", json!("nowhere")),
        ("url", json!("https://me:pw@a.example/")),
        ("url", json!("https://{{to_digits}}.example/")),
        ("url", json!("https://a.example{{to}}/")),
        ("url", json!("{{callback_url}}")),
        ("url", json!("https://a.example/{{number}}")),
        ("method", json!("DELETE")),
        ("query.a", json!({ "a": "{{#if text}}" })),
        ("form.a", json!({ "a": "{{txt}}" })),
        ("json.a[0]", json!({ "a": ["{{txt}}"] })),
        ("headers.a b", json!({ "a b": "" })),
        ("from", json!("A name too long")),
        ("from", json!({ "query": { "a": "{{from}}" } })),
        (
            "password",
            json!({ "headers": { "a": "{{basic}}" }, "username": "me" }),
        ),
        ("token", json!({ "headers": { "a": "{{token}}" } })),
        (
            "callback_url",
            json!({ "query": { "a": "{{callback_url}}" } }),
        ),
        (
            "content_type",
            json!({ "text": "a", "content_type": "application/json" }),
        ),
        ("text", json!({ "text": "a", "form": {} })),
        ("method", json!({ "text": "a", "method": "GET" })),
        ("answer.success", json!({ "success": {} })),
        (
            "answer.success.pattern",
            json!({ "success": { "pattern": "(" } }),
        ),
        (
            "answer.message_id",
            json!({ "message_id": { "pattern": "id" } }),
        ),
        ("answer.price", json!({ "price": { "pointer": "id" } })),
        ("receipt", json!({ "status": "s", "delivered": ["1"] })),
        (
            "receipt.delivered",
            json!({ "reference": "r", "status": "s", "delivered": [] }),
        ),
        ("max_parts", json!(0)),
        ("callback_url", json!("canary")),
    ] {
        let mut table = plain();
        // Settings of more than one key, or one key.
        match value {
            Value::Object(keys) if keys.keys().any(|key| table_key(key)) => {
                table.as_object_mut().unwrap().extend(keys);
            }
            value => {
                let top = key.split('.').next().unwrap();
                table[top] = value;
            }
        }
        let settings = table.as_object().unwrap().clone();
        let error = configure(settings, None).unwrap_err();
        assert_eq!(error.key.as_deref(), Some(key), "{table} {error}");
    }
}

/// Returns true if a key is at the top level of a gateway's table.
fn table_key(key: &str) -> bool {
    matches!(
        key,
        "content_type" | "form" | "headers" | "method" | "query" | "text" | "username"
    )
}
