//! Receipts and replies of Clickatell's classic API.

use redflash_core::conformance::channel::Fixture as _;
use redflash_core::delivery::ReceiptState;
use redflash_core::gateway::CallbackError;

use super::{DELIVERY, open};
use crate::vendor::CallbackRequest;

#[tokio::test]
async fn reads_receipts_by_status() {
    use ReceiptState::{Delivered, Failed, Pending};
    let account = open().await;
    for (status, state, detail) in [
        ("001", Pending, "001: unknown or delayed"),
        ("002", Pending, "002: queued"),
        ("003", Pending, "003: with the network"),
        ("004", Delivered, "004: received"),
        ("005", Failed, "005: error with the message"),
        ("006", Failed, "006: cancelled"),
        ("007", Failed, "007: error delivering"),
        ("008", Pending, "008: accepted"),
        ("009", Failed, "009: routing error"),
        ("010", Failed, "010: expired"),
        ("011", Pending, "011: queued for later"),
        ("012", Failed, "012: out of credit"),
        ("014", Failed, "014: limit of messages exceeded"),
        ("x", Pending, "x"),
    ] {
        let called = CallbackRequest::form(&[
            ("api_id", "12345"),
            ("apiMsgId", "996f3647"),
            ("cliMsgId", DELIVERY),
            ("to", "447700900001"),
            ("timestamp", "1218007814"),
            ("from", "27833001171"),
            ("status", status),
            ("charge", "0.300000"),
        ]);
        let receipts = account
            .channel()
            .parse_receipts(&called.callback())
            .unwrap();
        let [receipt] = &*receipts else {
            panic!("{receipts:?}")
        };
        assert_eq!((receipt.state, &*receipt.detail), (state, detail));
        assert_eq!(receipt.message_id.as_deref(), Some("996f3647"));
        assert_eq!(receipt.delivery, DELIVERY.parse().ok());
        assert_eq!(receipt.price, None);
        assert_eq!(
            account.channel().parse_inbound(&called.callback()),
            Ok(vec![])
        );
    }
}

#[tokio::test]
async fn reads_replies() {
    let account = open().await;
    let called = CallbackRequest::form(&[
        ("api_id", "12345"),
        ("moMsgId", "b2aee337"),
        ("from", "447700900001"),
        ("to", "27833001171"),
        ("timestamp", "2008-08-06 10:43:34"),
        ("text", "ACK 42"),
    ]);
    let reply = account
        .channel()
        .parse_inbound(&called.callback())
        .unwrap()
        .remove(0);
    assert_eq!(reply.message_id.as_deref(), Some("b2aee337"));
    assert_eq!(reply.from.as_str(), "+447700900001");
    assert_eq!((&*reply.text, reply.answers), ("ACK 42", None));
    assert_eq!(
        account.channel().parse_receipts(&called.callback()),
        Ok(vec![])
    );
    let without_sender = CallbackRequest::form(&[("moMsgId", "1")]);
    assert!(
        account
            .channel()
            .parse_inbound(&without_sender.callback())
            .is_err()
    );
    let read = account
        .channel()
        .parse_receipts(&CallbackRequest::default().callback());
    assert!(matches!(read, Err(CallbackError::Malformed(_))), "{read:?}");
    let strange = CallbackRequest::form(&[("status", "004"), ("cliMsgId", "17")]);
    let strange = account
        .channel()
        .parse_receipts(&strange.callback())
        .unwrap()
        .remove(0);
    assert_eq!((strange.delivery, strange.message_id), (None, None));
}
