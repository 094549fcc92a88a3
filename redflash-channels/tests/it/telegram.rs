//! Telegram against a simulated Bot API.

use std::time::Duration;

use redflash_core::clock::Timestamp;
use redflash_core::conformance::channel::{Behaviour, Fixture as _};
use redflash_core::gateway::{Authenticity, CallbackError};
use redflash_core::inbound::InboundMessage;
use redflash_core::message::SendError;
use redflash_tests::{Check, Reply, Rules};
use serde_json::{Value, json};

use crate::vendor::{Account, CallbackRequest, Vendor, class, refused_key};

const TOKEN: &str = "110201543:canary-telegram";

const VENDOR: Vendor = Vendor {
    gateway: |base_url| {
        json!({
            "type": "telegram", "base_url": base_url, "token": TOKEN,
            "webhook_secret": "canary-hook-new", "previous_webhook_secret": "canary-hook-old",
        })
    },
    rules: Rules {
        faults: |request| {
            let body = request.json();
            let known = ["chat_id", "text", "link_preview_options"];
            let text = body["text"].as_str().unwrap_or_default();
            let chat = &body["chat_id"];
            Check::default()
                .rule(request.method == "POST", "the method is POST")
                .rule(
                    request.path == format!("/bot{TOKEN}/sendMessage"),
                    "the path holds the token",
                )
                .json(request, &known)
                .rule(
                    chat.is_i64() || chat.as_str().is_some_and(|name| name.starts_with('@')),
                    "chat not found",
                )
                .rule(
                    (1..=4096).contains(&text.encode_utf16().count()),
                    "message is too long",
                )
                .faults()
        },
        refuse: |reason| error_reply(400, reason),
        accept: |request, number| {
            let chat = match request.json()["chat_id"].as_i64() {
                Some(id) => json!({"id": id, "type": "private", "first_name": "Ann"}),
                None => json!({"id": -1_001, "type": "channel", "title": "Alerts"}),
            };
            let bot = json!({"id": 110_201_543, "is_bot": true, "first_name": "RedFlash"});
            let message = json!({
                "message_id": number, "from": bot, "chat": chat, "date": 1_790_000_000,
                "text": request.json()["text"],
            });
            Reply::body(200, json!({"ok": true, "result": message}).to_string())
        },
    },
    address: ("123456789", " 0123456789 "),
    not_addresses: &[
        "0",
        "+5",
        "12.5",
        "ann",
        "@a b",
        "@abc",
        "99999999999999999999",
    ],
    secrets: &[
        TOKEN,
        "canary-telegram",
        "canary-hook-new",
        "canary-hook-old",
    ],
    reply: |behaviour| {
        Some(Some(match behaviour {
            Behaviour::Reject => error_reply(400, "Bad Request: message text is empty"),
            Behaviour::RefuseAccount => error_reply(401, "Unauthorized"),
            Behaviour::Throttle(Some(seconds)) => throttled(seconds),
            Behaviour::Fail => error_reply(500, "Internal Server Error"),
            _ => return None,
        }))
    },
};

fn error_reply(code: u16, description: &str) -> Reply {
    let answer = json!({"ok": false, "error_code": code, "description": description});
    Reply::body(code, answer.to_string())
}

fn throttled(seconds: u64) -> Reply {
    let answer = json!({
        "ok": false, "error_code": 429,
        "description": format!("Too Many Requests: retry after {seconds}"),
        "parameters": {"retry_after": seconds},
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
    let accepted = account.send("*Größe* <b>5</b> _x_").await.unwrap();
    assert_eq!(accepted.message_id.as_deref(), Some("123456789/1"));
    assert_eq!(
        account.last().written(),
        "POST /bot110201543:canary-telegram/sendMessage\n\
         content-type: application/json\n\n\
         {\"chat_id\":123456789,\"link_preview_options\":{\"is_disabled\":true},\
         \"text\":\"*Größe* <b>5</b> _x_\"}"
    );
    let mut message = account.message("hi");
    message.to = account.channel().parse_address("@Alerts_Of_DB").unwrap();
    let accepted = account.channel().send(&message).await.unwrap();
    assert_eq!(accepted.message_id.as_deref(), Some("-1001/2"));
    assert_eq!(account.last().json()["chat_id"], "@alerts_of_db");
}

#[tokio::test]
async fn truncates_long_texts_and_notes_it() {
    let account = open().await;
    let accepted = account.send(&"🔥".repeat(3000)).await.unwrap();
    assert_eq!(accepted.detail, "ok, cut to 2048 characters");
    assert_eq!(account.simulator.faults(), [""; 0]);
}

#[tokio::test]
async fn maps_every_error() {
    let account = open().await;
    for (code, description, expected) in [
        (400, "Bad Request: chat not found", "invalid address"),
        (400, "Bad Request: PEER_ID_INVALID", "invalid address"),
        (
            400,
            "Bad Request: group chat was upgraded to a supergroup chat",
            "invalid address",
        ),
        (
            400,
            "Bad Request: not enough rights to send text messages to the chat",
            "unroutable",
        ),
        (
            400,
            "Bad Request: have no rights to send a message",
            "unroutable",
        ),
        (400, "Bad Request: message is too long", "rejected"),
        (401, "Unauthorized", "unauthorized"),
        (403, "Forbidden: bot was blocked by the user", "unroutable"),
        (403, "Forbidden: user is deactivated", "invalid address"),
        (
            403,
            "Forbidden: bot can't initiate conversation with a user",
            "unroutable",
        ),
        (
            403,
            "Forbidden: bot was kicked from the group chat",
            "unroutable",
        ),
        (404, "Not Found", "unauthorized"),
        (429, "Too Many Requests", "recipient later"),
        (500, "Internal Server Error", "message later"),
        (502, "Bad Gateway", "unknown"),
    ] {
        let error = account.answered(error_reply(code, description)).await;
        assert_eq!(class(&error.unwrap_err()), expected, "{description}");
    }
    for nonsense in ["{}", "{\"ok\":true}", "{\"ok\":true,\"result\":{}}", "ok"] {
        let error = account.answered(Reply::body(200, nonsense)).await;
        assert_eq!(class(&error.unwrap_err()), "unknown", "{nonsense}");
    }
}

#[tokio::test]
async fn error_details_are_shown() {
    let account = open().await;
    let moved = json!({
        "ok": false, "error_code": 400,
        "description": "Bad Request: group chat was upgraded to a supergroup chat",
        "parameters": {"migrate_to_chat_id": -1_001_234_567_890_i64},
    });
    let error = account.answered(Reply::body(400, moved.to_string())).await;
    assert!(error.unwrap_err().to_string().contains("-1001234567890"));
    let Err(SendError::Deferred { retry_after, .. }) = account.answered(throttled(35)).await else {
        panic!("it was not deferred")
    };
    assert_eq!(retry_after, Some(Duration::from_secs(35)));
}

fn update(message: &Value) -> CallbackRequest {
    CallbackRequest::json(&json!({"update_id": 7, "message": message}))
}

#[tokio::test]
async fn reads_sender_and_original_of_replies() {
    let account = open().await;
    let read = |called: &CallbackRequest| account.channel().parse_inbound(&called.callback());
    let ann = json!({"id": 555, "is_bot": false, "first_name": "Ann"});
    let group = json!({"id": -77, "type": "group", "title": "Ops"});
    let called = update(&json!({
        "message_id": 12, "date": 1, "chat": group, "from": ann, "text": "on it",
        "reply_to_message": {"message_id": 11, "date": 1, "chat": group, "text": "Disk full"},
    }));
    let expected = InboundMessage {
        message_id: Some("-77/12".into()),
        from: account.channel().parse_address("555").unwrap(),
        text: "on it".into(),
        answers: None,
        answers_message: Some("-77/11".into()),
    };
    assert_eq!(read(&called), Ok(vec![expected.clone()]));
    // A repeat is the same.
    assert_eq!(read(&called), Ok(vec![expected]));
    let alone = read(&update(
        &json!({"message_id": 1, "chat": {"id": 9}, "text": "hi"}),
    ));
    let alone = alone.unwrap().remove(0);
    assert_eq!((alone.from.as_str(), alone.answers_message), ("9", None));
    for nothing in [
        json!({"update_id": 7, "edited_message": {"message_id": 12}}),
        json!({"update_id": 7, "callback_query": {}}),
        json!({"update_id": 7}),
        json!({"update_id": 7, "message": {"message_id": 1, "chat": {"id": 9}, "photo": []}}),
        json!({"update_id": 7, "message": {
            "message_id": 1, "chat": {"id": 9}, "from": {"id": 2, "is_bot": true}, "text": "x",
        }}),
    ] {
        assert_eq!(
            read(&CallbackRequest::json(&nothing)),
            Ok(Vec::new()),
            "{nothing}"
        );
    }
    for nonsense in [
        json!({}),
        json!([1]),
        json!({"update_id": "x", "message": {}}),
        json!({"update_id": 7, "message": {"text": "no chat"}}),
        json!({"update_id": 7, "message": {"message_id": "1", "chat": {"id": 9}}}),
    ] {
        let read = read(&CallbackRequest::json(&nonsense));
        assert!(
            matches!(read, Err(CallbackError::Malformed(_))),
            "{nonsense} {read:?}"
        );
    }
    assert!(read(&CallbackRequest::form(&[("a", "b")])).is_err());
}

#[tokio::test]
async fn authenticates_callbacks_by_webhook_secret() {
    let account = open().await;
    let judged = |secret: &str| {
        let header = [("x-telegram-bot-api-secret-token", secret)];
        let called = update(&json!({})).with(&header);
        let now = Timestamp::from_millis(0);
        account.channel().authenticate(&called.callback(), now)
    };
    assert_eq!(judged("canary-hook-new"), Ok(Authenticity::Signed));
    assert_eq!(judged("canary-hook-old"), Ok(Authenticity::Signed));
    for wrong in ["", "canary-hook", "canary-hook-new ", "CANARY-HOOK-NEW"] {
        let error = judged(wrong);
        assert!(matches!(error, Err(CallbackError::Signature(_))), "{wrong}");
    }
    let unsigned = update(&json!({}));
    let now = Timestamp::from_millis(0);
    let error = account.channel().authenticate(&unsigned.callback(), now);
    assert!(matches!(error, Err(CallbackError::Signature(_))));
    let open = crate::vendor::gateway(json!({"type": "telegram", "token": TOKEN}));
    let judged = open.channel.authenticate(&unsigned.callback(), now);
    assert_eq!(judged, Ok(Authenticity::Unsigned));
}

#[test]
fn rejects_invalid_settings_by_key() {
    for (table, key) in [
        (json!({"token": "canary"}), "token"),
        (json!({"token": "a:b"}), "token"),
        (json!({"token": "1:"}), "token"),
        (json!({"token": "1:a/b"}), "token"),
        (
            json!({"token": "1:a", "webhook_secret": ""}),
            "webhook_secret",
        ),
        (
            json!({"token": "1:a", "previous_webhook_secret": "a b"}),
            "previous_webhook_secret",
        ),
        (json!({"token": "1:a", "base_url": "ftp://x"}), "base_url"),
    ] {
        assert_eq!(refused_key("telegram", table.clone()), key, "{table}");
    }
}
