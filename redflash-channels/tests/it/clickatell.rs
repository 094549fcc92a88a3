//! Clickatell's One API against a simulated account that checks each request by the vendor's rules.

use redflash_core::conformance::channel::{Behaviour, Fixture as _};
use redflash_core::delivery::ReceiptState;
use redflash_core::gateway::CallbackError;
use redflash_tests::{Check, Received, Reply, Rules};
use serde_json::{Value, json};

use crate::sms::{class, classes, ids, messages, refused};
use crate::vendor::{Account, CallbackRequest, Vendor};

const KEY: &str = "canary-clickatell-key==";
const DELIVERY: &str = "019f4a2b6c007d3e8f50617283000001";

const VENDOR: Vendor = Vendor {
    gateway: table,
    rules: Rules {
        faults,
        refuse: |reason| error_reply(400, 21, reason),
        accept: |request, _| answered(202, request, &[]),
    },
    address: ("+447700900001", "0044 7700 900-001"),
    not_addresses: &["07700900001", "+44", "ann", "+44770090000112345"],
    secrets: &[KEY],
    reply: |behaviour| {
        Some(Some(match behaviour {
            Behaviour::Reject => message_error(24),
            Behaviour::RefuseAccount => {
                error_reply(401, 1, "Invalid or missing integration API Key")
            }
            Behaviour::Throttle(None) => error_reply(400, 43, "Rate limit"),
            Behaviour::Fail => error_reply(503, 19, "Internal error, retry"),
            _ => return None,
        }))
    },
};

fn table(base_url: &str) -> Value {
    json!({ "type": "clickatell", "base_url": base_url, "api_key": KEY })
}

/// A failure of the whole request.
fn error_reply(status: u16, code: u32, description: &str) -> Reply {
    let error = json!({ "code": code, "description": description });
    Reply::body(
        status,
        json!({ "messages": null, "error": error }).to_string(),
    )
}

/// A failure of the one message of the suite.
fn message_error(code: u32) -> Reply {
    Reply::body(
        207,
        json!({ "messages": [failed("447700900001", code)], "error": null }).to_string(),
    )
}

fn failed(to: &str, code: u32) -> Value {
    let error = json!({ "code": code, "description": "no" });
    json!({ "apiMessageId": null, "accepted": false, "to": to, "error": error })
}

/// The answer to a request, with these numbers refused by these codes.
fn answered(status: u16, request: &Received, refused: &[(&str, u32)]) -> Reply {
    let request = request.json();
    let messages = request["messages"].as_array().unwrap().iter();
    let messages = messages.map(|message| {
        let to = message["to"].as_str().unwrap();
        match refused.iter().find(|(number, _)| *number == to) {
            Some((_, code)) => failed(to, *code),
            None => json!({
                "apiMessageId": format!("id-of-{to}"), "accepted": true, "to": to, "error": null,
            }),
        }
    });
    let messages: Vec<_> = messages.collect();
    Reply::body(
        status,
        json!({ "messages": messages, "error": null }).to_string(),
    )
}

fn faults(request: &Received) -> Vec<String> {
    const KNOWN: [&str; 5] = ["channel", "to", "content", "from", "clientMessageId"];
    let body = request.json();
    let none = Vec::new();
    let messages = body["messages"].as_array().unwrap_or(&none);
    let each = |holds: fn(&Value) -> bool| messages.iter().all(holds);
    Check::default()
        .rule(
            request.method == "POST" && request.path == "/v1/message",
            "the path",
        )
        .rule(request.header("content-type") == "application/json", "JSON")
        .rule(request.header("authorization") == KEY, "the key, bare")
        .rule((1..=100).contains(&messages.len()), "1 to 100 messages")
        .rule(
            body.as_object().unwrap().len() == 1
                && each(|m| m.as_object().unwrap().keys().all(|k| KNOWN.contains(&&**k))),
            "known fields only",
        )
        .rule(each(|m| m["channel"] == "sms"), "the channel")
        .rule(
            each(|m| {
                let to = m["to"].as_str().unwrap();
                (7..=15).contains(&to.len()) && to.bytes().all(|b| b.is_ascii_digit())
            }),
            "to is digits",
        )
        .rule(
            each(|m| !m["content"].as_str().unwrap().is_empty()),
            "a text",
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
    let accepted = account.send("Größe > 5 €").await.unwrap();
    assert_eq!(accepted.message_id.as_deref(), Some("id-of-447700900001"));
    assert_eq!((accepted.parts, &*accepted.detail), (1, "accepted"));
    assert_eq!(
        account.last().written(),
        "POST /v1/message\n\
         authorization: canary-clickatell-key==\n\
         content-type: application/json\n\n\
         {\"messages\":[{\"channel\":\"sms\",\"to\":\"447700900001\",\"content\":\"Größe > 5 €\",\
         \"clientMessageId\":\"019f4a2b6c007d3e8f50617283000001\"}]}"
    );
}

#[tokio::test]
async fn uses_the_sender_of_an_event() {
    let account = open().await;
    account.channel().check_sender("12027530410").unwrap();
    let mut message = account.message("hi");
    message.sender = Some("12027530410".into());
    account.channel().send(&message).await.unwrap();
    assert_eq!(account.last().json()["messages"][0]["from"], "12027530410");
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

const NUMBERS: [&str; 4] = [
    "+447700900001",
    "+447700900002",
    "+447700900003",
    "+447700900001",
];

#[tokio::test]
async fn sends_several_messages_in_one_request() {
    let account = open().await;
    assert_eq!(account.channel().capabilities().batch, 100);
    let outcomes = account
        .channel()
        .send_batch(&messages(&account, &NUMBERS))
        .await;
    assert_eq!(
        ids(&outcomes),
        [
            "id-of-447700900001",
            "id-of-447700900002",
            "id-of-447700900003",
            "id-of-447700900001"
        ]
    );
    let sent = account.last().json();
    let sent = sent["messages"].as_array().unwrap();
    assert_eq!(sent.len(), 4);
    assert_eq!(
        sent[3]["clientMessageId"],
        "019f4a2b6c007d3e8f50617283000004"
    );
    assert_eq!(account.simulator.received().len(), 1);
    assert!(account.channel().send_batch(&[]).await.is_empty());
}

#[tokio::test]
async fn records_outcome_of_each_message_of_a_request() {
    let account = open().await;
    // In another order, one refused, one missing, one not asked for.
    let taken = |to: &str, id: &str| json!({ "apiMessageId": id, "accepted": true, "to": to });
    let answer = json!({ "messages": [
        taken("447700900001", "first"), failed("447700900002", 25),
        taken("447700900001", "second"), taken("447700900009", "stranger"),
    ]});
    account.simulator.once(Reply::body(207, answer.to_string()));
    let outcomes = account
        .channel()
        .send_batch(&messages(&account, &NUMBERS))
        .await;
    assert_eq!(
        classes(&outcomes),
        ["accepted", "invalid address", "unknown", "accepted"]
    );
    assert_eq!(ids(&outcomes), ["first", "", "", "second"]);
}

#[tokio::test]
async fn failure_of_a_request_applies_to_each_message() {
    let account = open().await;
    for (reply, expected) in [
        (error_reply(401, 1, "no"), "unauthorized"),
        (error_reply(400, 43, "slower"), "rate limited"),
        (Reply::body(503, "later"), "message later"),
        (error_reply(400, 21, "malformed"), "recipient later"),
        (error_reply(500, 18, "oops"), "message later"),
        (Reply::body(202, "{}"), "unknown"),
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
async fn maps_every_error_code() {
    let account = open().await;
    for (status, code, expected) in [
        (401, 1, "unauthorized"),
        (400, 2, "unauthorized"),
        (400, 3, "unauthorized"),
        (401, 7, "unauthorized"),
        (500, 18, "message later"),
        (503, 19, "message later"),
        (400, 21, "rejected"),
        (400, 22, "rejected"),
        (400, 41, "rejected"),
        (400, 42, "rejected"),
        (400, 43, "rate limited"),
    ] {
        let outcome = account.answered(error_reply(status, code, "no")).await;
        assert_eq!(class(&outcome), expected, "{code}");
    }
    for (code, expected) in [
        (18, "message later"),
        (19, "message later"),
        (20, "unauthorized"),
        (23, "rejected"),
        (24, "rejected"),
        (25, "invalid address"),
        (26, "invalid address"),
        (27, "unroutable"),
        (28, "unroutable"),
        (30, "rejected"),
        (33, "rejected"),
        (38, "unroutable"),
        (39, "unroutable"),
        (40, "rejected"),
        (43, "rate limited"),
        (44, "unroutable"),
        (45, "unroutable"),
        (46, "unauthorized"),
        (100, "rejected"),
        (101, "unroutable"),
        (110, "unroutable"),
        (111, "unroutable"),
        (999, "rejected"),
    ] {
        let outcome = account.answered(message_error(code)).await;
        assert_eq!(class(&outcome), expected, "{code}");
    }
}

#[tokio::test]
async fn maps_plain_answers_by_status() {
    let account = open().await;
    let unnamed = json!({ "messages": [{ "apiMessageId": "77fb", "accepted": true }] });
    let silent = json!({ "messages": [{ "accepted": false, "to": "447700900001" }] });
    for (reply, expected) in [
        (Reply::status(404), "refused"),
        (Reply::status(402), "unauthorized"),
        (
            Reply::body(400, "{\"messages\":[],\"error\":null}"),
            "rejected",
        ),
        (
            Reply::body(202, "{\"messages\":[],\"error\":null}"),
            "unknown",
        ),
        (Reply::body(202, silent.to_string()), "rejected"),
        (Reply::body(200, unnamed.to_string()), "accepted"),
    ] {
        let outcome = account.answered(reply).await;
        assert_eq!(class(&outcome), expected);
    }
}

#[test]
fn rejects_invalid_settings_by_key() {
    for (key, changes) in [
        ("api_key", json!({ "api_key": "" })),
        ("api_key", json!({ "api_key": "canary\n" })),
        ("from", json!({ "from": "+12027530410" })),
        ("max_parts", json!({ "max_parts": 0 })),
        ("max_parts", json!({ "max_parts": 21 })),
        ("base_url", json!({ "base_url": "ftp://x/" })),
    ] {
        let found = refused(table("https://api.example.org"), &changes);
        assert_eq!(found.as_deref(), Some(key), "{changes}");
    }
}

fn status(name: &str, code: u32) -> Value {
    json!({
        "channel": "sms", "messageId": "77fb", "clientMessageId": DELIVERY, "status": name,
        "statusCode": code, "timestamp": 1_506_607_698_000_u64,
    })
}

fn called(event: &Value) -> CallbackRequest {
    let name = "My integration";
    CallbackRequest::json(
        &json!({ "integrationId": "fa80", "integrationName": name, "event": event }),
    )
}

#[tokio::test]
async fn reads_receipts_by_status() {
    use ReceiptState::{Delivered, Failed, Pending};
    let account = open().await;
    for (code, name, state) in [
        (1, "UNKNOWN", Pending),
        (2, "QUEUED", Pending),
        (3, "SCHEDULED", Pending),
        (4, "SENT_TO_SUPPLIER", Pending),
        (5, "DEVICE_ACK", Delivered),
        (6, "READ", Delivered),
        (20, "EXPIRED", Failed),
        (21, "STOPPED_BY_USER", Failed),
        (22, "STOPPED_BY_ADMIN", Failed),
        (23, "DELIVERY_FAILURE", Failed),
        (24, "EMULATED", Pending),
        (25, "INSUFFICIENT_ACCOUNT_BALANCE", Failed),
        (26, "VOLUME_LIMIT", Failed),
        (27, "VOLUME_LIMIT_DAILY", Failed),
        (28, "VOLUME_LIMIT_MONTHLY", Failed),
        (29, "RECIPIENT_DOES_NOT_EXIST", Failed),
        (60, "ENCRYPTION_ERROR", Failed),
        (61, "ENCRYPTION_ERROR", Failed),
        (80, "MEDIA_ERROR", Failed),
        (85, "MEDIA_ERROR", Failed),
        (100, "ROUTING_ERROR", Failed),
        (130, "WHATSAPP_ERROR", Pending),
        (777, "NEWS", Pending),
    ] {
        let called = called(&json!({ "messageStatusUpdate": [status(name, code)] }));
        let receipts = account
            .channel()
            .parse_receipts(&called.callback())
            .unwrap();
        let [receipt] = &*receipts else {
            panic!("{receipts:?}")
        };
        assert_eq!(receipt.state, state, "{name}");
        assert_eq!(receipt.detail, format!("{name} ({code})"));
        assert_eq!(receipt.message_id.as_deref(), Some("77fb"));
        assert_eq!(receipt.delivery, DELIVERY.parse().ok());
        assert_eq!(receipt.price, None);
    }
}

#[tokio::test]
async fn reads_events_of_several_kinds() {
    let account = open().await;
    let read = |event: &Value| {
        let called = called(event);
        account.channel().parse_receipts(&called.callback())
    };
    let mut other = status("READ", 6);
    other["channel"] = json!("whatsapp");
    let bare = json!({});
    let several = [status("QUEUED", 2), other, bare, status("DEVICE_ACK", 5)];
    let receipts = read(&json!({ "messageStatusUpdate": several })).unwrap();
    let details: Vec<_> = receipts.iter().map(|receipt| &*receipt.detail).collect();
    assert_eq!(details, ["QUEUED (2)", "no status", "DEVICE_ACK (5)"]);
    assert_eq!(read(&json!({ "moText": [{ "from": "1" }] })), Ok(vec![]));
    assert_eq!(read(&json!({ "moMedia": [{}] })), Ok(vec![]));
    for nonsense in [
        CallbackRequest::default(),
        CallbackRequest::json(&json!({})),
        CallbackRequest::json(&json!([])),
        CallbackRequest::form(&[("event", "x")]),
        called(&json!({ "messageStatusUpdate": [{ "statusCode": "five" }] })),
    ] {
        let callback = nonsense.callback();
        let read = account.channel().parse_receipts(&callback);
        assert!(matches!(read, Err(CallbackError::Malformed(_))), "{read:?}");
        let read = account.channel().parse_inbound(&callback);
        assert!(!matches!(read, Ok(replies) if !replies.is_empty()));
    }
}

#[tokio::test]
async fn reads_replies() {
    let account = open().await;
    // The example of the vendor's reference, with a reference of ours.
    let event = json!({ "moText": [
        {
            "channel": "sms", "messageId": "3a89", "relatedMessageId": "d33e",
            "relatedClientMessageId": DELIVERY, "from": "447700900001", "to": "12027530410",
            "timestamp": 1_506_607_698_000_u64, "content": "ACK 42", "charset": "UTF-8",
            "sms": { "network": "23410" },
        },
        { "channel": "whatsapp", "from": "447700900001", "content": "no" },
        { "from": "447700900002", "relatedClientMessageId": "tx-17" },
    ]});
    let called = called(&event);
    let replies = account.channel().parse_inbound(&called.callback()).unwrap();
    let [one, other] = &*replies else {
        panic!("{replies:?}")
    };
    assert_eq!(one.message_id.as_deref(), Some("3a89"));
    assert_eq!(one.from.as_str(), "+447700900001");
    assert_eq!(one.text, "ACK 42");
    assert_eq!(one.answers, DELIVERY.parse().ok());
    assert_eq!(one.answers_message.as_deref(), Some("d33e"));
    assert_eq!(other.from.as_str(), "+447700900002");
    assert_eq!((&*other.text, other.answers), ("", None));
}
