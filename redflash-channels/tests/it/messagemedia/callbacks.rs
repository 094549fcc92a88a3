//! Receipts and replies of `MessageMedia`.

use redflash_core::conformance::channel::Fixture as _;
use redflash_core::delivery::ReceiptState;
use redflash_core::gateway::CallbackError;
use serde_json::{Value, json};

use super::{DELIVERY, open};
use crate::vendor::CallbackRequest;

/// The example of the vendor's description.
fn report(status: &str, code: &Value) -> Value {
    json!({
        "callback_url": "https://alerts.example.org/", "delivery_report_id": "693e87f2",
        "source_number": "+447700900001", "date_received": "2016-11-03T11:49:02.807Z",
        "status": status, "delay": 0, "billing_units": 1,
        "submitted_date": "2016-11-03T11:49:01.551Z", "original_text": "Hello world!",
        "message_id": "389dc1a8", "error_code": code, "metadata": { "delivery": DELIVERY },
        "vendor_account_id": { "vendor_id": "MessageMedia", "account_id": "MyAccount" },
    })
}

#[tokio::test]
async fn reads_receipts_by_status() {
    use ReceiptState::{Delivered, Failed, Pending};
    let account = open().await;
    for (status, code, state, detail) in [
        ("queued", json!(null), Pending, "queued"),
        ("scheduled", json!(null), Pending, "scheduled"),
        (
            "processed",
            json!("101"),
            Pending,
            "processed (101: being processed)",
        ),
        (
            "enroute",
            json!("151"),
            Pending,
            "enroute (151: being processed)",
        ),
        (
            "submitted",
            json!("200"),
            Pending,
            "submitted (200: submitted)",
        ),
        (
            "delivered",
            json!("220"),
            Delivered,
            "delivered (220: delivered)",
        ),
        ("expired", json!("401"), Failed, "expired (401: expired)"),
        (
            "rejected",
            json!("305"),
            Failed,
            "rejected (305: considered a duplicate)",
        ),
        ("failed", json!("332"), Failed, "failed (332: no route)"),
        (
            "undeliverable",
            json!("400"),
            Failed,
            "undeliverable (400: undeliverable)",
        ),
        (
            "cancelled",
            json!("405"),
            Failed,
            "cancelled (405: cancelled)",
        ),
        ("news", json!("999"), Pending, "news (999)"),
    ] {
        let called = CallbackRequest::json(&report(status, &code));
        let receipts = account
            .channel()
            .parse_receipts(&called.callback())
            .unwrap();
        let [receipt] = &*receipts else {
            panic!("{receipts:?}")
        };
        assert_eq!((receipt.state, &*receipt.detail), (state, detail));
        assert_eq!(receipt.message_id.as_deref(), Some("389dc1a8"));
        assert_eq!(receipt.delivery, DELIVERY.parse().ok());
        assert_eq!(receipt.price, None);
    }
}

fn reply() -> Value {
    json!({
        "metadata": { "delivery": DELIVERY }, "message_id": "877c19ef", "reply_id": "a175e797",
        "date_received": "2016-12-07T08:43:00.850Z", "callback_url": "https://alerts.example.org/",
        "destination_number": "+61491570156", "source_number": "+447700900001", "content": "ACK",
        "vendor_account_id": { "vendor_id": "MessageMedia", "account_id": "MyAccount" },
    })
}

#[tokio::test]
async fn reads_replies() {
    let account = open().await;
    let called = CallbackRequest::json(&reply());
    let reply = account
        .channel()
        .parse_inbound(&called.callback())
        .unwrap()
        .remove(0);
    assert_eq!(reply.message_id.as_deref(), Some("a175e797"));
    assert_eq!(reply.from.as_str(), "+447700900001");
    assert_eq!(
        (&*reply.text, reply.answers),
        ("ACK", DELIVERY.parse().ok())
    );
    assert_eq!(reply.answers_message.as_deref(), Some("877c19ef"));
}

#[tokio::test]
async fn reads_receipts_and_replies_at_one_url() {
    let account = open().await;
    let channel = account.channel();
    let reply = CallbackRequest::json(&reply());
    assert_eq!(channel.parse_receipts(&reply.callback()), Ok(vec![]));
    let report = CallbackRequest::json(&report("delivered", &json!("220")));
    assert_eq!(channel.parse_inbound(&report.callback()), Ok(vec![]));
    let other = CallbackRequest::json(&json!({ "event": "news" }));
    assert_eq!(channel.parse_receipts(&other.callback()), Ok(vec![]));
    assert_eq!(channel.parse_inbound(&other.callback()), Ok(vec![]));
    let strange =
        CallbackRequest::json(&json!({ "status": "delivered", "metadata": { "delivery": "17" } }));
    let strange = channel
        .parse_receipts(&strange.callback())
        .unwrap()
        .remove(0);
    assert_eq!((strange.delivery, strange.message_id), (None, None));
    for nonsense in [
        CallbackRequest::default(),
        CallbackRequest::json(&json!("text")),
        CallbackRequest::form(&[("a", "b")]),
    ] {
        let read = channel.parse_receipts(&nonsense.callback());
        assert!(matches!(read, Err(CallbackError::Malformed(_))), "{read:?}");
        let read = channel.parse_inbound(&nonsense.callback());
        assert!(matches!(read, Err(CallbackError::Malformed(_))), "{read:?}");
    }
    let without_sender = CallbackRequest::json(&json!({ "reply_id": "1" }));
    assert!(channel.parse_inbound(&without_sender.callback()).is_err());
}
