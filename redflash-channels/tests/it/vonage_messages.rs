//! Vonage's Messages API against a simulated account that checks each request by its description.

use redflash_channels::configure;
use redflash_core::clock::Timestamp;
use redflash_core::conformance::channel::{Behaviour, Fixture as _};
use redflash_core::delivery::ReceiptState;
use redflash_core::gateway::{Authenticity, CallbackError};
use redflash_core::message::{Retry, SendError};
use redflash_tests::{Check, Received, Reply, Rules};
use serde_json::{Value, json};

use crate::vendor::{Account, CallbackRequest, Vendor, gateway};

const UUID: &str = "aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab";
const REFERENCE: &str = "019f4a2b6c007d3e8f50617283000001";

const VENDOR: Vendor = Vendor {
    gateway: table,
    rules: Rules {
        faults,
        refuse: |reason| problem(422, 1020, reason),
        accept: |_, _| Reply::body(202, json!({ "message_uuid": UUID }).to_string()),
    },
    address: ("+447700900001", "0044 7700 900-001"),
    not_addresses: &["07700900001", "+44", "ann"],
    secrets: &["canary-secret", "canary-signature", "canary-previous"],
    reply: |behaviour| {
        Some(Some(match behaviour {
            Behaviour::Reject => problem(422, 1020, "Invalid params"),
            Behaviour::RefuseAccount => problem(402, 1070, "Low balance"),
            Behaviour::Throttle(None) => problem(429, 1000, "Throttled"),
            Behaviour::Fail => problem(500, 1030, "Internal error"),
            _ => return None,
        }))
    },
};

fn table(base_url: &str) -> Value {
    json!({
        "type": "vonage-messages", "base_url": base_url, "from": "RedFlash",
        "api_key": "a1b2c3d4", "api_secret": "canary-secret",
        "signature_secret": "canary-signature", "previous_signature_secret": "canary-previous",
    })
}

fn problem(status: u16, code: u32, detail: &str) -> Reply {
    let document = json!({
        "type": format!("https://developer.vonage.com/api-errors/messages#{code}"),
        "title": "A title", "detail": detail, "instance": "bf0ca0bf927b3b52e3cb03217e1a1ddf",
    });
    Reply::body(status, document.to_string())
}

fn faults(request: &Received) -> Vec<String> {
    const KNOWN: [&str; 10] = [
        "channel",
        "client_ref",
        "from",
        "message_type",
        "sms",
        "text",
        "to",
        "ttl",
        "webhook_url",
        "webhook_version",
    ];
    let document = request.json();
    let text = |name: &str| document[name].as_str().unwrap_or_default().to_owned();
    let to = text("to");
    let mut check = Check::default();
    check
        .rule(request.method == "POST", "the method is POST")
        .rule(request.path == "/v1/messages", "the path is /v1/messages")
        .json(request, &KNOWN)
        .rule(text("channel") == "sms", "the channel is sms")
        .rule(text("message_type") == "text", "the message is a text")
        .rule(
            (7..=15).contains(&to.len()) && to.bytes().all(|b| b.is_ascii_digit()),
            "`to` is 7 to 15 digits",
        )
        .rule(
            (1..=1000).contains(&text("text").chars().count()),
            "the text has 1 to 1000 characters",
        )
        .rule(text("client_ref").len() <= 100, "client_ref is short")
        .rule(
            matches!(
                document["sms"]["encoding_type"].as_str(),
                Some("text" | "unicode" | "auto")
            ),
            "the encoding is known",
        )
        .rule(
            request.header("authorization") == "Basic YTFiMmMzZDQ6Y2FuYXJ5LXNlY3JldA=="
                || request.header("authorization").starts_with("Bearer "),
            "the request is authenticated",
        )
        .faults()
}

async fn open() -> Account {
    Account::open(VENDOR).await
}

redflash_core::channel_conformance!(open);

#[tokio::test]
async fn request_follows_the_description() {
    let account = open().await;
    let accepted = account.send("Größe > 5 €").await.unwrap();
    assert_eq!(accepted.message_id.as_deref(), Some(UUID));
    assert_eq!(
        account.last().written(),
        "POST /v1/messages\n\
         authorization: Basic YTFiMmMzZDQ6Y2FuYXJ5LXNlY3JldA==\n\
         content-type: application/json\n\n\
         {\"channel\":\"sms\",\"client_ref\":\"019f4a2b6c007d3e8f50617283000001\",\
         \"from\":\"RedFlash\",\"message_type\":\"text\",\"sms\":{\"encoding_type\":\"text\"},\
         \"text\":\"Größe > 5 €\",\"to\":\"447700900001\",\
         \"webhook_url\":\"https://alerts.example.org/ack/tested\",\"webhook_version\":\"v1\"}"
    );
    let mut message = account.message("Привет");
    message.sender = Some("Backups".into());
    account.channel().send(&message).await.unwrap();
    let document = account.last().json();
    assert_eq!(document["sms"]["encoding_type"], "unicode");
    assert_eq!(document["from"], "Backups");
    for text in ["a", "€", "ж", "🔥"] {
        let accepted = account.send(&text.repeat(2000)).await.unwrap();
        assert_eq!(accepted.parts, 6);
        assert!(accepted.detail.starts_with("cut to 6 of "));
    }
    account.last();
}

fn of_application(base_url: &str) -> Value {
    json!({
        "type": "vonage-messages", "base_url": base_url, "from": "RedFlash",
        "application_id": UUID, "private_key": include_str!("vonage_messages.pem"),
    })
}

#[tokio::test]
async fn application_signs_a_token_for_each_message() {
    let account = Account::open(Vendor {
        gateway: of_application,
        ..VENDOR
    });
    let account = account.await;
    account.send("hi").await.unwrap();
    // The claims, signed by `openssl dgst -sha256 -sign`.
    let token = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJhcHBsaWNhdGlvbl9pZCI6ImFhYWFhYWFhLWJiYmI\
        tNGNjYy04ZGRkLTAxMjM0NTY3ODlhYiIsImV4cCI6MTc5MDAwMDkwMCwiaWF0IjoxNzkwMDAwMDAwLCJ\
        qdGkiOiIwMTlmNGEyYjZjMDA3ZDNlOGY1MDYxNzI4MzAwMDAwMS0xIn0.y2IpD7jukJBe1wnsBu0fu9g\
        I9nUNNuqbBO4BLT8gH_ADprl2F9xCyLF56ctYtaGqNaf-XY8Cw4ZSx3UQau4L4ftiCZzx8kOho6xtM5U\
        392oTtr8Ka_jolua38GIbG0r0mDXz8OV1V0ZjA-MKxhzDXm6CvHMFUuSzaeney9_KXDAZwdRuJj8Aiaq\
        CJ2IVhJKUz4Dv18Vc5rpwl7_cgx310keNpEuCwGsapXYHejBN7FHpU0hZeFNfNnkZbv-UFbLyUBt0FIb\
        LziPiNGQYGILtkyaQKdklWvhOsi3mOeq2DrRftKKzSPDNJNrMs9HBPrme7tq7CFHiFLuBD-nakcYpqw";
    let request = account.last();
    assert_eq!(request.header("authorization"), format!("Bearer {token}"));
    assert!(request.json().get("webhook_url").is_none());
    let mut again = account.message("hi");
    again.attempt = 2;
    account.channel().send(&again).await.unwrap();
    assert_ne!(
        account.last().header("authorization"),
        format!("Bearer {token}")
    );
    assert!(!format!("{:?}", account.channel()).contains("PRIVATE"));
}

#[tokio::test]
async fn maps_every_error() {
    use Retry::{After, Elsewhere, MayRepeat, Never, StopGateway};
    let account = open().await;
    for (status, code, retry) in [
        (429, 1000, After(None)),
        (422, 1010, Never),
        (422, 1020, Never),
        (500, 1030, After(None)),
        (422, 1040, Never),
        (422, 1050, Never),
        (422, 1060, StopGateway),
        (422, 1070, StopGateway),
        (422, 1080, StopGateway),
        (422, 1090, Never),
        (422, 1100, After(None)),
        (422, 1120, Elsewhere),
        (422, 1140, Elsewhere),
        (422, 1160, Elsewhere),
        (422, 1170, Never),
        (422, 9999, Never),
        (401, 0, StopGateway),
        (402, 0, StopGateway),
        (403, 0, StopGateway),
        (429, 0, After(None)),
        (503, 0, After(None)),
        (202, 0, MayRepeat),
    ] {
        let error = account.answered(problem(status, code, "why")).await;
        assert_eq!(error.unwrap_err().retry(), retry, "{status} {code}");
    }
    for name in ["to", "from"] {
        let document = json!({ "invalid_parameters": [{ "name": name, "reason": "bad" }] });
        let reply = Reply::body(422, document.to_string());
        let error = account.answered(reply).await.unwrap_err();
        match name {
            "to" => assert!(matches!(error, SendError::InvalidAddress { .. })),
            _ => assert!(matches!(error, SendError::Unroutable { .. })),
        }
    }
}

#[test]
fn both_gateways_read_statuses() {
    use ReceiptState::{Delivered, Failed, Pending};
    let sms = json!({
        "type": "vonage", "from": "RedFlash", "api_key": "a1b2c3d4",
        "api_secret": "canary", "callback_format": "messages",
    });
    for table in [table("http://127.0.0.1:1"), sms] {
        let channel = gateway(table).channel;
        let read =
            |document: Value| channel.parse_receipts(&CallbackRequest::json(&document).callback());
        for (status, state) in [
            ("submitted", Pending),
            ("delivered", Delivered),
            ("read", Delivered),
            ("rejected", Failed),
            ("undeliverable", Failed),
            ("x", Pending),
        ] {
            let receipts = read(json!({
                "message_uuid": UUID, "to": "447700900000", "from": "RedFlash",
                "timestamp": "2026-11-24T12:00:00Z", "status": status, "client_ref": REFERENCE,
                "usage": { "currency": "EUR", "price": "0.0333" }, "channel": "sms",
                "sms": { "count_total": "1" },
            }));
            let receipt = receipts.unwrap().remove(0);
            assert_eq!(receipt.state, state, "{status}");
            assert_eq!(receipt.message_id.as_deref(), Some(UUID));
            assert_eq!(receipt.delivery, REFERENCE.parse().ok());
            assert_eq!(receipt.price.unwrap().as_str(), "0.0333");
            assert_eq!(receipt.detail, status);
        }
        let receipts = read(json!({
            "message_uuid": UUID, "status": "rejected", "client_ref": "of another client",
            "error": { "type": "https://…#1320", "title": 1320, "detail": "Message\nexpired" },
            "usage": {},
        }));
        let receipt = receipts.unwrap().remove(0);
        assert_eq!(receipt.detail, "rejected (1320: Message expired)");
        assert_eq!((receipt.delivery, receipt.price), (None, None));
        assert_eq!(read(inbound()), Ok(vec![]));
        assert_eq!(read(json!({})), Ok(vec![]));
        for nonsense in [json!([]), json!("x"), json!({ "status": "delivered" })] {
            let error = read(nonsense).unwrap_err();
            assert!(matches!(error, CallbackError::Malformed(_)), "{error}");
        }
    }
}

fn inbound() -> Value {
    json!({
        "channel": "sms", "message_uuid": UUID, "to": "447700900999", "from": "447700900000",
        "timestamp": "2026-11-24T12:00:00Z", "text": "Ack 42", "message_type": "text",
        "sms": { "num_messages": "2", "keyword": "ACK" },
    })
}

#[test]
fn reads_replies() {
    let channel = gateway(table("http://127.0.0.1:1")).channel;
    let read =
        |document: &Value| channel.parse_inbound(&CallbackRequest::json(document).callback());
    let message = read(&inbound()).unwrap().remove(0);
    assert_eq!(message.from.as_str(), "+447700900000");
    assert_eq!(message.text, "Ack 42");
    assert_eq!(message.message_id.as_deref(), Some(UUID));
    for (name, value) in [
        ("channel", json!("whatsapp")),
        ("status", json!("delivered")),
        ("text", json!(null)),
        ("from", json!({ "number": "447700900000" })),
    ] {
        let mut other = inbound();
        other[name] = value;
        assert_eq!(read(&other), Ok(vec![]), "{name}");
    }
    let mut named = inbound();
    named["from"] = json!(" ");
    assert!(matches!(read(&named), Err(CallbackError::Malformed(_))));
    assert!(matches!(read(&json!(5)), Err(CallbackError::Malformed(_))));
}

#[test]
fn authenticates_callbacks_by_token() {
    // Made by another program, with the secret `canary-signature`.
    const TOKEN: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJpYXQiOjE3OTAwMDAwMDAsImp0aSI6ImM1YmE4ZjI\
        0LTFhMTQtNGMxMC1iZmRmLTNmYmU4Y2U1MTFiNSIsImlzcyI6IlZvbmFnZSIsInBheWxvYWRfaGFzaCI\
        6ImM1YjdjMGJiZDhjOTc1N2E1NzU2OTAwNWE0OTQwMjgyMGY3ZTc2ODQ3NDBlZTcyOTAyNTJmNDg4NDU\
        0NmNlMzUiLCJhcGlfa2V5IjoiYTFiMmMzZDQiLCJhcHBsaWNhdGlvbl9pZCI6ImFhYWFhYWFhLWJiYmI\
        tNGNjYy04ZGRkLTAxMjM0NTY3ODlhYiJ9.5oFBmTBb8Zzc9iX3_faVv8d7wHp8aWIsEgGc8jw_crs";
    const MADE: i64 = 1_790_000_000;
    let body = json!({
        "channel": "sms", "client_ref": REFERENCE, "message_uuid": UUID, "status": "delivered",
    });
    let judged = |table: Value, body: &Value, authorization: &str, at: i64| {
        let called = CallbackRequest::json(body).with(&[("authorization", authorization)]);
        let now = Timestamp::from_millis(at * 1000);
        gateway(table).channel.authenticate(&called.callback(), now)
    };
    let bearer = format!("Bearer {TOKEN}");
    let current = || table("http://127.0.0.1:1");
    let mut previous = current();
    previous["signature_secret"] = json!("canary-new");
    previous["previous_signature_secret"] = json!("canary-signature");
    for table in [current(), previous] {
        for at in [MADE, MADE - 300, MADE + 300] {
            let judgement = judged(table.clone(), &body, &bearer, at);
            assert_eq!(judgement, Ok(Authenticity::Signed));
        }
    }
    let refused = |table: Value, body: &Value, authorization: &str, at: i64| {
        let error = judged(table, body, authorization, at).unwrap_err();
        assert!(matches!(error, CallbackError::Signature(_)), "{error}");
    };
    refused(current(), &body, &bearer, MADE + 301);
    refused(current(), &body, &bearer, MADE - 301);
    refused(current(), &inbound(), &bearer, MADE);
    for authorization in ["", "Bearer", "Bearer x", TOKEN, &bearer[..bearer.len() - 4]] {
        refused(current(), &body, authorization, MADE);
    }
    let mut other = current();
    other["signature_secret"] = json!("canary-other");
    refused(other, &body, &bearer, MADE);
    let unsigned = judged(of_application("http://127.0.0.1:1"), &body, "", MADE);
    assert_eq!(unsigned, Ok(Authenticity::Unsigned));
}

#[test]
fn rejects_invalid_settings_by_key() {
    for (key, change) in [
        ("api_key", json!({ "api_key": "" })),
        ("api_key", json!({ "api_key": "a:b" })),
        ("api_key", json!({ "api_secret": null })),
        ("api_key", json!({ "application_id": UUID })),
        ("api_secret", json!({ "api_secret": "" })),
        (
            "private_key",
            json!({ "api_key": null, "api_secret": null, "application_id": UUID,
                    "private_key": "canary" }),
        ),
        (
            "application_id",
            json!({ "api_key": null, "api_secret": null, "application_id": "",
                    "private_key": "canary" }),
        ),
        (
            "previous_signature_secret",
            json!({ "signature_secret": null }),
        ),
        ("from", json!({ "from": "A name too long" })),
        ("max_parts", json!({ "max_parts": 0 })),
        ("max_parts", json!({ "max_parts": 7 })),
        ("callback_url", json!({ "callback_url": "canary" })),
        ("base_url", json!({ "base_url": "ftp://x/" })),
    ] {
        let mut settings = table("http://127.0.0.1:1").as_object().unwrap().clone();
        settings.insert("name".into(), json!("tested"));
        settings.extend(change.as_object().unwrap().clone());
        settings.retain(|_, value| !value.is_null());
        let error = configure(settings, None).unwrap_err();
        assert_eq!(error.key.as_deref(), Some(key), "{error}");
        assert!(!error.to_string().contains("canary"));
    }
}
