//! Kannel against a simulated smsbox that checks each request by the rules of the real one.

use redflash_core::clock::Timestamp;
use redflash_core::conformance::channel::{Behaviour, Fixture as _};
use redflash_core::delivery::ReceiptState;
use redflash_core::gateway::{Authenticity, CallbackError};
use redflash_core::message::Retry;
use redflash_tests::{Check, Received, Reply, Rules};
use serde_json::{Value, json};

use crate::vendor::{Account, CallbackRequest, Vendor, gateway};

/// The answers of an smsbox to a posted text.
pub(crate) const RULES: Rules = Rules {
    faults,
    refuse: |_| Reply::body(400, "Coding field misformed, rejected"),
    accept: |_, _| Reply::body(202, "0: Accepted for delivery"),
};

const VENDOR: Vendor = Vendor {
    gateway: table,
    rules: RULES,
    address: ("+447700900001", "0044 7700 900-001"),
    not_addresses: &["07700900001", "+44", "ann"],
    secrets: &["canary-kannel", "canary-callback"],
    reply: |behaviour| {
        Some(match behaviour {
            Behaviour::RefuseAccount => Some(Reply::body(403, "Authorization failed for sendsms")),
            Behaviour::Fail => Some(Reply::body(503, "Temporal failure, try again later.")),
            Behaviour::Throttle(_) => None,
            _ => return None,
        })
    },
};

fn table(base_url: &str) -> Value {
    json!({
        "type": "kannel", "base_url": base_url, "username": "tester",
        "password": "canary-kannel", "from": "RedFlash", "smsc": "fake1", "max_parts": 6,
        "callback_url": "https://alerts.example.org/ack/kannel/canary-callback",
    })
}

fn faults(request: &Received) -> Vec<String> {
    const KNOWN: [&str; 8] = [
        "coding", "dlr-mask", "dlr-url", "from", "password", "smsc", "to", "username",
    ];
    let mut check = Check::default();
    let header = |name: &str| request.header(&format!("x-kannel-{name}"));
    let mut own = request
        .headers
        .keys()
        .filter_map(|name| name.strip_prefix("x-kannel-"));
    check
        .rule(request.method == "POST", "the method is POST")
        .rule(request.path == "/cgi-bin/sendsms", "the path is Kannel's")
        .rule(own.all(|name| KNOWN.contains(&name)), "known headers only")
        .rule(
            request.header("content-type") == "text/plain; charset=UTF-8",
            "the body is a text",
        )
        .rule(header("username") == "tester", "the user is known")
        .rule(header("password") == "canary-kannel", "so is the password")
        .rule(
            header("to").bytes().all(|b| b"0123456789 +-".contains(&b)),
            "`to` keeps to sendsms-chars",
        )
        .rule(
            matches!(header("coding"), "0" | "2"),
            "the coding is 0 or 2",
        )
        .rule(header("dlr-mask") == "31", "every report is asked for")
        .rule(
            header("dlr-url").contains("type=%d"),
            "reports say what they report",
        )
        .faults()
}

async fn open() -> Account {
    Account::open(VENDOR).await
}

redflash_core::channel_conformance!(open);

#[tokio::test]
async fn request_follows_the_rules_of_an_smsbox() {
    let account = open().await;
    let accepted = account.send("Größe > 5 €").await.unwrap();
    assert_eq!(accepted.detail, "0: Accepted for delivery");
    assert_eq!((accepted.parts, accepted.message_id), (1, None));
    assert_eq!(
        account.last().written(),
        "POST /cgi-bin/sendsms\n\
         content-type: text/plain; charset=UTF-8\n\
         x-kannel-coding: 0\n\
         x-kannel-dlr-mask: 31\n\
         x-kannel-dlr-url: https://alerts.example.org/ack/kannel/canary-callback\
         ?ref=019f4a2b6c007d3e8f50617283000001&type=%d&answer=%A&id=%F\n\
         x-kannel-from: RedFlash\n\
         x-kannel-password: canary-kannel\n\
         x-kannel-smsc: fake1\n\
         x-kannel-to: +447700900001\n\
         x-kannel-username: tester\n\n\
         Größe > 5 €"
    );
    let mut message = account.message("Привет");
    message.sender = Some("Backups".into());
    account.channel().send(&message).await.unwrap();
    let request = account.last();
    assert_eq!(request.header("x-kannel-coding"), "2");
    assert_eq!(request.header("x-kannel-from"), "Backups");
}

#[tokio::test]
async fn truncates_texts_that_kannel_would_truncate() {
    let account = open().await;
    let accepted = account.send(&"a".repeat(2000)).await.unwrap();
    assert_eq!(accepted.parts, 6);
    assert_eq!(accepted.detail, "cut to 6 of 14 parts");
}

#[tokio::test]
async fn maps_every_answer() {
    use Retry::{After, Elsewhere, MayRepeat, Never, StopGateway};
    let account = open().await;
    for taken in [
        "0: Accepted for delivery",
        "3: Queued for later delivery",
        "Sent.",
        "Sent. Message splits: 2",
    ] {
        let result = account.answered(Reply::body(202, taken)).await;
        assert_eq!(result.unwrap().detail, taken);
    }
    for (status, text, retry) in [
        (202, "", MayRepeat),
        (200, "0: Accepted for delivery", MayRepeat),
        (400, "Missing receiver(s) number(s), rejected", Never),
        (400, "Empty receiver number not allowed, rejected", Never),
        (
            400,
            "Number(s) has/have been denied by white- and/or black-lists.",
            Elsewhere,
        ),
        (400, "Sender missing and no global set, rejected", Elsewhere),
        (400, "Coding field misformed, rejected", Never),
        (400, "DLR-Mask field misformed, rejected", Never),
        (400, "Charset or body misformed, rejected", Never),
        (400, "Invalid content-type", Never),
        (403, "Authorization failed for sendsms", StopGateway),
        (403, "Not routable. Do not try again.", Elsewhere),
        (404, "Unknown request.", Elsewhere),
        (500, "Sending failed.", After(None)),
        (503, "Temporal failure, try again later.", After(None)),
    ] {
        let error = account.answered(Reply::body(status, text)).await;
        assert_eq!(error.unwrap_err().retry(), retry, "{status} {text}");
    }
}

#[tokio::test]
async fn reads_reports_by_kind() {
    use ReceiptState::{Delivered, Failed, Pending};
    let account = open().await;
    let delivery = account.message("").delivery;
    let reference = delivery.to_string();
    for (kind, answer, state, detail) in [
        ("1", "", Delivered, "1: delivered"),
        (
            "2",
            "id:up1 stat:UNDELIV err:001",
            Failed,
            "2: cannot be delivered (id:up1 stat:UNDELIV err:001)",
        ),
        ("4", "", Pending, "4: queued at the SMS centre"),
        ("8", "ACK/", Pending, "8: accepted by the SMS centre (ACK/)"),
        (
            "16",
            "NACK/FAIL no route",
            Failed,
            "16: refused by the SMS centre (NACK/FAIL no route)",
        ),
        (
            "32",
            "",
            Pending,
            "32: intermediate notification from the SMS centre",
        ),
    ] {
        let called = CallbackRequest::form(&[
            ("ref", &reference),
            ("type", kind),
            ("answer", answer),
            ("id", "6945"),
        ]);
        for _ in 0..2 {
            let receipts = account.channel().parse_receipts(&called.callback());
            let [receipt] = &*receipts.unwrap() else {
                panic!("one report is one receipt")
            };
            assert_eq!(receipt.state, state, "{kind}");
            assert_eq!(receipt.detail, detail);
            assert_eq!(receipt.delivery, Some(delivery));
            assert_eq!(receipt.message_id, None);
        }
        let signed = account
            .channel()
            .authenticate(&called.callback(), Timestamp::default());
        assert_eq!(signed, Ok(Authenticity::Unsigned));
    }
    let url = format!("https://a.example/ack/k/s?ref={reference}&type=16&answer=NACK%2F%FF+no");
    let called = CallbackRequest::default().at(&url);
    let receipts = account.channel().parse_receipts(&called.callback());
    let detail = "16: refused by the SMS centre (NACK/\u{fffd} no)";
    assert_eq!(receipts.unwrap()[0].detail, detail);
    let read = |fields: &[(&str, &str)]| {
        let called = CallbackRequest::form(fields);
        account.channel().parse_receipts(&called.callback())
    };
    assert_eq!(read(&[]), Ok(vec![]));
    assert_eq!(
        read(&[("from", "447700900001"), ("text", "hi")]),
        Ok(vec![])
    );
    for nonsense in [
        &[("ref", "tx-1"), ("type", "1")][..],
        &[("ref", &reference)],
        &[("ref", &reference), ("type", "x")],
    ] {
        let error = read(nonsense).unwrap_err();
        assert!(matches!(error, CallbackError::Malformed(_)), "{nonsense:?}");
    }
}

#[tokio::test]
async fn reads_replies_in_any_alphabet() {
    let account = open().await;
    let read = |query: &str| {
        let called =
            CallbackRequest::default().at(&format!("https://alerts.example.org/in?{query}"));
        account.channel().parse_inbound(&called.callback())
    };
    let [message] = &*read(
        "from=447700900000&to=13013&text=ACK+tx-1+gr%C3%BC%C3%9Fe+%26+bye&coding=0&charset=UTF-8&id=457b",
    )
    .unwrap() else {
        panic!("one request is one message")
    };
    assert_eq!(message.from.as_str(), "+447700900000");
    assert_eq!(message.text, "ACK tx-1 grüße & bye");
    assert_eq!(message.message_id.as_deref(), Some("457b"));
    assert_eq!(
        (message.answers, message.answers_message.clone()),
        (None, None)
    );
    for (query, text) in [
        (
            "from=%2B447700900000&text=%04%1F%04%40%048%D8%3D%DD%25&coding=2&charset=UTF-16BE",
            "При🔥",
        ),
        (
            "from=%2B447700900000&text=%00a%D8%3D%00&coding=2&charset=UTF-16BE",
            "a\u{fffd}\u{fffd}",
        ),
        (
            "from=447700900000&text=%FF&coding=0&charset=UTF-8",
            "\u{fffd}",
        ),
        ("from=447700900000", ""),
    ] {
        assert_eq!(read(query).unwrap()[0].text, text, "{query}");
    }
    assert_eq!(read("from=447700900000&text=%00%FF&coding=1"), Ok(vec![]));
    assert_eq!(read("ref=a&type=8"), Ok(vec![]));
    assert_eq!(read("from=Info&text=hi").unwrap()[0].from.as_str(), "Info");
    let error = read("from=&text=hi").unwrap_err();
    assert!(matches!(error, CallbackError::Malformed(_)), "{error}");
    let form = CallbackRequest::form(&[("from", "447700900000"), ("text", "hi")]);
    let messages = account.channel().parse_inbound(&form.callback());
    assert_eq!(messages.unwrap()[0].text, "hi");
}

#[test]
fn requests_no_reports_without_callback_url() {
    let mut quiet = table("http://127.0.0.1:1");
    quiet.as_object_mut().unwrap().remove("callback_url");
    assert!(!gateway(quiet).channel.capabilities().receipts);
    let gateway = gateway(table("http://127.0.0.1:1"));
    let able = gateway.channel.capabilities();
    assert!(able.receipts && able.inbound && able.sender);
}

#[test]
fn rejects_invalid_settings_by_key() {
    for (key, value) in [
        ("username", json!("")),
        ("username", json!("a\nb")),
        ("password", json!("")),
        ("from", json!("A name too long")),
        ("smsc", json!("ä")),
        ("callback_url", json!("ftp://a/b")),
        ("callback_url", json!("https://a.example/100%")),
        ("max_parts", json!(0)),
        ("base_url", json!("ftp://a/")),
    ] {
        let mut wrong = table("http://127.0.0.1:1");
        wrong["name"] = json!("tested");
        wrong[key] = value;
        let settings = wrong.as_object().unwrap().clone();
        let error = redflash_channels::configure(settings, None).unwrap_err();
        assert_eq!(error.key.as_deref(), Some(key), "{error}");
        assert!(!error.to_string().contains("canary"));
    }
}
