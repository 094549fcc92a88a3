//! Receipts and replies of `BulkSMS`.

use redflash_core::conformance::channel::Fixture as _;
use redflash_core::delivery::ReceiptState;
use redflash_core::gateway::CallbackError;
use serde_json::{Value, json};

use super::{message, open};
use crate::vendor::CallbackRequest;

#[tokio::test]
async fn reads_receipts_by_status() {
    use ReceiptState::{Delivered, Failed, Pending};
    let account = open().await;
    for (kind, subtype, state, detail) in [
        ("ACCEPTED", None, Pending, "ACCEPTED"),
        ("SCHEDULED", None, Pending, "SCHEDULED"),
        ("SENT", None, Pending, "SENT"),
        ("DELIVERED", None, Delivered, "DELIVERED"),
        ("UNKNOWN", None, Pending, "UNKNOWN"),
        ("FAILED", None, Failed, "FAILED"),
        (
            "FAILED",
            Some("EXPIRED"),
            Failed,
            "FAILED.EXPIRED: not delivered in time",
        ),
        (
            "FAILED",
            Some("HANDSET_ERROR"),
            Failed,
            "FAILED.HANDSET_ERROR: the phone failed",
        ),
        (
            "FAILED",
            Some("BLOCKED"),
            Failed,
            "FAILED.BLOCKED: the number is blocked",
        ),
        (
            "FAILED",
            Some("NOT_SENT"),
            Failed,
            "FAILED.NOT_SENT: not attempted, such as without a route",
        ),
        ("FAILED", Some("NEWS"), Failed, "FAILED.NEWS"),
        ("NEWS", None, Pending, "NEWS"),
    ] {
        let mut status = message("4000000000123", "7d3e8f50617283000001", kind, subtype);
        status["creditCost"] = json!(1.5);
        let called = CallbackRequest::json(&json!([status]));
        let receipts = account
            .channel()
            .parse_receipts(&called.callback())
            .unwrap();
        let [receipt] = &*receipts else {
            panic!("{receipts:?}")
        };
        assert_eq!((receipt.state, &*receipt.detail), (state, detail));
        assert_eq!(receipt.message_id.as_deref(), Some("4000000000123"));
        assert_eq!((receipt.delivery, &receipt.price), (None, &None));
    }
}

fn reply() -> Value {
    json!({
        "id": "7", "type": "RECEIVED", "from": "447700900001", "to": "447700900999",
        "body": "ACK 42", "relatedSentMessageId": "4000000000123",
        "status": { "id": "DELIVERED.null", "type": "DELIVERED", "subtype": null },
    })
}

#[tokio::test]
async fn reads_webhooks_with_several_and_no_messages() {
    let account = open().await;
    let channel = account.channel();
    let sent = message("1", "x", "SENT", None);
    let bare = json!({ "type": "SENT" });
    let called = CallbackRequest::json(&json!([sent, reply(), bare, {}]));
    let receipts = channel.parse_receipts(&called.callback()).unwrap();
    let details: Vec<_> = receipts.iter().map(|receipt| &*receipt.detail).collect();
    assert_eq!(details, ["SENT", "no status"]);
    assert_eq!(channel.parse_inbound(&called.callback()).unwrap().len(), 1);
    // The test call when the webhook is registered.
    let empty = CallbackRequest::json(&json!([]));
    assert_eq!(channel.parse_receipts(&empty.callback()), Ok(vec![]));
    assert_eq!(channel.parse_inbound(&empty.callback()), Ok(vec![]));
    for nonsense in [
        CallbackRequest::default(),
        CallbackRequest::json(&json!({})),
        CallbackRequest::form(&[("a", "b")]),
    ] {
        let read = channel.parse_receipts(&nonsense.callback());
        assert!(matches!(read, Err(CallbackError::Malformed(_))), "{read:?}");
        let read = channel.parse_inbound(&nonsense.callback());
        assert!(matches!(read, Err(CallbackError::Malformed(_))), "{read:?}");
    }
    let without_sender = CallbackRequest::json(&json!([{ "type": "RECEIVED" }]));
    assert!(channel.parse_inbound(&without_sender.callback()).is_err());
}

#[tokio::test]
async fn reads_replies() {
    let account = open().await;
    let called = CallbackRequest::json(&json!([reply()]));
    let reply = account
        .channel()
        .parse_inbound(&called.callback())
        .unwrap()
        .remove(0);
    assert_eq!(reply.message_id.as_deref(), Some("7"));
    assert_eq!(reply.from.as_str(), "+447700900001");
    assert_eq!((&*reply.text, reply.answers), ("ACK 42", None));
    assert_eq!(reply.answers_message.as_deref(), Some("4000000000123"));
}
