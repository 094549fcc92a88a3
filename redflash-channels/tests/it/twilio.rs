//! Twilio against a simulated account that checks each request by the vendor's rules.

use redflash_core::clock::Timestamp;
use redflash_core::conformance::channel::{Behaviour, Fixture as _};
use redflash_core::delivery::ReceiptState;
use redflash_core::gateway::{Authenticity, CallbackError, Capabilities};
use redflash_tests::{Check, Received, Reply, Rules};
use serde_json::{Value, json};

use crate::sms::{class, refused};
use crate::vendor::{Account, CallbackRequest, Vendor, gateway};

const ACCOUNT: &str = "AC0123456789abcdef0123456789abcdef";
const DELIVERY: &str = "019f4a2b6c007d3e8f50617283000001";

const VENDOR: Vendor = Vendor {
    gateway: table,
    rules: Rules {
        faults,
        refuse: |reason| error_reply(400, 21602, reason),
        accept: |request, number| {
            let form = request.form();
            let answer = json!({
                "sid": format!("SM{number:032x}"), "account_sid": ACCOUNT, "status": "queued",
                "to": form["To"], "from": form.get("From"), "body": form["Body"],
                "num_segments": "1", "num_media": "0", "price": null, "price_unit": null,
                "error_code": null, "error_message": null, "direction": "outbound-api",
                "api_version": "2010-04-01",
            });
            Reply::body(201, answer.to_string()).with("Content-Type", "application/json")
        },
    },
    address: ("+447700900001", "0044 7700 900-001"),
    not_addresses: &["07700900001", "+44", "ann", "whatsapp:+447700900001"],
    secrets: &["canary-twilio-token", "canary-previous", "canary-shared"],
    reply: |behaviour| {
        Some(Some(match behaviour {
            Behaviour::Reject => {
                error_reply(400, 21610, "Attempt to send to unsubscribed recipient")
            }
            Behaviour::RefuseAccount => error_reply(401, 20003, "Authenticate"),
            Behaviour::Throttle(None) => error_reply(429, 20429, "Too Many Requests"),
            _ => return None,
        }))
    },
};

fn table(base_url: &str) -> Value {
    json!({
        "type": "twilio", "base_url": base_url, "account_sid": ACCOUNT, "from": "+14155550100",
        "auth_token": "canary-twilio-token", "previous_auth_token": "canary-previous",
        "shared_key_id": "WK01", "shared_key_secret": "canary-shared",
    })
}

fn error_reply(status: u16, code: u32, message: &str) -> Reply {
    let more = format!("https://www.twilio.com/docs/errors/{code}");
    let body = json!({ "code": code, "message": message, "more_info": more, "status": status });
    Reply::body(status, body.to_string())
}

fn faults(request: &Received) -> Vec<String> {
    const KNOWN: [&str; 5] = [
        "To",
        "From",
        "MessagingServiceSid",
        "Body",
        "StatusCallback",
    ];
    let form = request.form();
    let field = |name: &str| form.get(name).map_or("", String::as_str);
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let number = |text: &str| {
        let digits = text.strip_prefix('+').filter(|rest| digits(rest));
        digits.is_some_and(|digits| (7..=15).contains(&digits.len()))
    };
    let named = |text: &str| {
        (1..=11).contains(&text.len()) && (text.len() < 7 || !digits(text)) && !text.contains('+')
    };
    let (from, service) = (field("From"), field("MessagingServiceSid"));
    let callback = field("StatusCallback");
    let path = format!("/2010-04-01/Accounts/{ACCOUNT}/Messages.json");
    Check::default()
        .rule(request.method == "POST" && request.path == path, "the path")
        .rule(
            request.header("content-type") == "application/x-www-form-urlencoded",
            "a form",
        )
        .rule(
            // The account and its token.
            request.header("authorization")
                == "Basic QUMwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZjpjYW5hcnktdHdpbGlvLXRva2Vu",
            "the login",
        )
        .rule(
            form.keys().all(|name| KNOWN.contains(&&**name)),
            "known fields only",
        )
        .rule(number(field("To")), "To is a number with its plus")
        .rule(
            number(from) || named(from) || service.len() == 34,
            "a sender",
        )
        .rule(from.is_empty() != service.is_empty(), "one kind of sender")
        .rule(
            (1..=1600).contains(&field("Body").chars().count()),
            "Body has 1 to 1600 characters",
        )
        .rule(
            callback.is_empty() || callback.starts_with("https://alerts.example.org/ack/tested?"),
            "StatusCallback is ours",
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
    assert_eq!(
        accepted.message_id.as_deref(),
        Some("SM00000000000000000000000000000001")
    );
    assert_eq!((accepted.parts, accepted.delivered), (1, false));
    assert_eq!(accepted.detail, "status queued");
    assert_eq!(
        account.last().written(),
        "POST /2010-04-01/Accounts/AC0123456789abcdef0123456789abcdef/Messages.json\n\
         authorization: Basic QUMwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZjpjYW5hcnktdHdpbGlvLXRva2Vu\n\
         content-type: application/x-www-form-urlencoded\n\n\
         To=%2B447700900001&Body=Gr%C3%B6%C3%9Fe+%3E+5+%E2%82%AC&From=%2B14155550100\
         &StatusCallback=https%3A%2F%2Falerts.example.org%2Fack%2Ftested%3Fdelivery%3D019f4a2b6c007d3e8f50617283000001"
    );
}

#[tokio::test]
async fn messaging_service_replaces_the_sender() {
    let account = open().await;
    let mut table = table(&account.simulator.base_url());
    table.as_object_mut().unwrap().remove("from");
    table["messaging_service_sid"] = json!("MG0123456789abcdef0123456789abcdef");
    let service = gateway(table).channel;
    let mut message = account.message("hi");
    service.send(&message).await.unwrap();
    let form = account.last().form();
    assert_eq!(
        form["MessagingServiceSid"],
        "MG0123456789abcdef0123456789abcdef"
    );
    // Unless an event names its own sender.
    message.sender = Some("Backups".into());
    service.send(&message).await.unwrap();
    assert_eq!(account.last().form()["From"], "Backups");
}

#[tokio::test]
async fn api_key_replaces_the_auth_token() {
    let account = open().await;
    let mut table = table(&account.simulator.base_url());
    table["api_key"] = json!("SK0123456789abcdef0123456789abcdef");
    table["api_key_secret"] = json!("canary-key");
    let channel = gateway(table).channel;
    let _refused = channel.send(&account.message("hi")).await;
    let request = account.simulator.received().pop().unwrap();
    assert_eq!(
        request.header("authorization"),
        "Basic U0swMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZjpjYW5hcnkta2V5"
    );
}

#[tokio::test]
async fn uses_the_sender_of_an_event() {
    let account = open().await;
    for (sender, written) in [
        ("Backups", "Backups"),
        ("447700900999", "+447700900999"),
        ("+447700900999", "+447700900999"),
        ("60300", "60300"),
    ] {
        account.channel().check_sender(sender).unwrap();
        let mut message = account.message("hi");
        message.sender = Some(sender.into());
        account.channel().send(&message).await.unwrap();
        assert_eq!(account.last().form()["From"], written);
    }
    assert!(account.channel().check_sender("+44").is_err());
}

#[tokio::test]
async fn truncates_long_texts_and_notes_it() {
    let account = open().await;
    let accepted = account.send(&"a".repeat(2000)).await.unwrap();
    assert_eq!(accepted.detail, "cut to 6 of 14 parts");
    assert_eq!(account.last().form()["Body"].len(), 918);
}

#[tokio::test]
async fn uses_the_vendors_part_count() {
    let account = open().await;
    for (counted, parts) in [(json!("3"), 3), (json!("0"), 1), (json!(null), 1)] {
        let answer = json!({ "sid": "SM1", "status": "accepted", "num_segments": counted });
        let accepted = account.answered(Reply::body(201, answer.to_string())).await;
        assert_eq!(accepted.unwrap().parts, parts, "{answer}");
    }
}

#[tokio::test]
async fn maps_every_error_code() {
    let account = open().await;
    for (status, code, expected) in [
        (401, 20003, "unauthorized"),
        (403, 20005, "unauthorized"),
        (404, 20404, "unauthorized"),
        (429, 20429, "rate limited"),
        (429, 63038, "rate limited"),
        (400, 14107, "rate limited"),
        (400, 21211, "invalid address"),
        (400, 21614, "invalid address"),
        (400, 21610, "invalid address"),
        (400, 21212, "unroutable"),
        (400, 21603, "unroutable"),
        (400, 21606, "unroutable"),
        (403, 21408, "unroutable"),
        (400, 21408, "unroutable"),
        (400, 21608, "unroutable"),
        (400, 21612, "unroutable"),
        (400, 21602, "rejected"),
        (400, 21604, "rejected"),
        (400, 21609, "rejected"),
        (429, 21611, "rate limited"),
        (400, 21611, "rate limited"),
        (400, 21617, "rejected"),
        (400, 99999, "rejected"),
        (403, 99999, "refused"),
        (500, 20500, "message later"),
        (503, 20503, "message later"),
    ] {
        let outcome = account.answered(error_reply(status, code, "no")).await;
        assert_eq!(class(&outcome), expected, "{status} {code}");
    }
    let error = account
        .answered(error_reply(400, 21211, "Invalid 'To'"))
        .await;
    assert_eq!(
        error.unwrap_err().detail(),
        "invalid address: error 21211: Invalid 'To'"
    );
}

#[tokio::test]
async fn rejects_invalid_settings_by_key() {
    for (key, changes) in [
        ("account_sid", json!({ "account_sid": "AC1" })),
        (
            "account_sid",
            json!({ "account_sid": "SK0123456789abcdef0123456789abcdef" }),
        ),
        ("auth_token", json!({ "auth_token": "" })),
        (
            "api_key",
            json!({ "api_key": "SK0123456789abcdef0123456789abcdef" }),
        ),
        (
            "api_key",
            json!({ "api_key": "key", "api_key_secret": "canary" }),
        ),
        ("shared_key_id", json!({ "shared_key_id": null })),
        ("from", json!({ "from": "+44" })),
        ("from", json!({ "from": null })),
        (
            "from",
            json!({ "messaging_service_sid": "MG0123456789abcdef0123456789abcdef" }),
        ),
        (
            "messaging_service_sid",
            json!({ "from": null, "messaging_service_sid": "MG1" }),
        ),
        ("max_parts", json!({ "max_parts": 0 })),
        ("max_parts", json!({ "max_parts": 11 })),
        ("callback_url", json!({ "callback_url": "canary" })),
        (
            "callback_url",
            json!({ "callback_url": "https://my_host.example.org/canary" }),
        ),
        ("base_url", json!({ "base_url": "ftp://x/" })),
        ("timeout", json!({ "timeout": "0s" })),
    ] {
        let found = refused(table("https://api.example.org"), &changes);
        assert_eq!(found.as_deref(), Some(key), "{changes}");
    }
}

#[tokio::test]
async fn receipts_require_a_callback_url() {
    let channel = open().await;
    let all = Capabilities {
        receipts: true,
        inbound: true,
        sender: true,
        ..Capabilities::default()
    };
    assert_eq!(channel.channel().capabilities(), all);
    let mut table = table("https://api.example.org");
    table["name"] = json!("hidden");
    let table = table.as_object().unwrap().clone();
    let hidden = redflash_channels::configure(table, None).unwrap().gateway;
    assert!(!hidden.channel.capabilities().receipts);
}

#[tokio::test]
async fn reads_receipts_by_status() {
    use ReceiptState::{Delivered, Failed, Pending};
    let account = open().await;
    for (status, code, state, detail) in [
        ("accepted", "", Pending, "accepted"),
        ("scheduled", "", Pending, "scheduled"),
        ("queued", "", Pending, "queued"),
        ("sending", "", Pending, "sending"),
        ("sent", "", Pending, "sent"),
        ("delivered", "", Delivered, "delivered"),
        ("read", "", Delivered, "read"),
        ("partially_delivered", "", Pending, "partially_delivered"),
        (
            "undelivered",
            "30005",
            Failed,
            "undelivered (30005: unknown handset)",
        ),
        ("failed", "30007", Failed, "failed (30007: filtered)"),
        ("failed", "12345", Failed, "failed (12345)"),
        ("canceled", "", Failed, "canceled"),
        ("no such\nstatus", "", Pending, "no such status"),
    ] {
        let called = CallbackRequest::form(&[
            ("delivery", DELIVERY),
            ("MessageSid", "SM1"),
            ("MessageStatus", status),
            ("ErrorCode", code),
            ("RawDlrDoneDate", "2611241200"),
        ]);
        let receipts = account
            .channel()
            .parse_receipts(&called.callback())
            .unwrap();
        let [receipt] = &*receipts else {
            panic!("{receipts:?}")
        };
        assert_eq!((receipt.state, &*receipt.detail), (state, detail));
        assert_eq!(receipt.message_id.as_deref(), Some("SM1"));
        assert_eq!(receipt.delivery, DELIVERY.parse().ok());
        assert_eq!(receipt.price, None);
    }
}

#[tokio::test]
async fn ignores_other_callbacks() {
    let account = open().await;
    let read = |fields: &[(&str, &str)]| {
        let called = CallbackRequest::form(fields);
        account.channel().parse_receipts(&called.callback())
    };
    assert_eq!(
        read(&[("SmsStatus", "received"), ("Body", "ACK")]),
        Ok(vec![])
    );
    assert!(matches!(read(&[]), Err(CallbackError::Malformed(_))));
    let bare = read(&[
        ("SmsStatus", "delivered"),
        ("SmsSid", "SM2"),
        ("delivery", "x"),
    ])
    .unwrap();
    assert_eq!(bare[0].message_id.as_deref(), Some("SM2"));
    assert_eq!(bare[0].delivery, None);
}

#[tokio::test]
async fn reads_replies() {
    let account = open().await;
    let read = |fields: &[(&str, &str)]| {
        let called = CallbackRequest::form(fields);
        account.channel().parse_inbound(&called.callback())
    };
    let reply = read(&[
        ("MessageSid", "SM9"),
        ("SmsStatus", "received"),
        ("From", "+447700900001"),
        ("To", "+14155550100"),
        ("Body", "ACK 42"),
        ("NumMedia", "0"),
    ]);
    let reply = reply.unwrap().remove(0);
    assert_eq!(reply.message_id.as_deref(), Some("SM9"));
    assert_eq!(reply.from.as_str(), "+447700900001");
    assert_eq!((&*reply.text, reply.answers), ("ACK 42", None));
    let short_code = read(&[("SmsStatus", "received"), ("From", "60300")]).unwrap();
    assert_eq!(
        (short_code[0].from.as_str(), &*short_code[0].text),
        ("60300", "")
    );
    assert_eq!(
        read(&[("MessageStatus", "sent"), ("SmsStatus", "sent")]),
        Ok(vec![])
    );
    assert_eq!(read(&[]), Ok(vec![]));
    let without_sender = read(&[("SmsStatus", "received")]);
    assert!(matches!(without_sender, Err(CallbackError::Malformed(_))));
}

#[tokio::test]
async fn checks_callback_signatures() {
    let mut table = table("https://api.example.org");
    table["auth_token"] = json!("12345");
    let channel = gateway(table).channel;
    let now = Timestamp::from_millis(0);
    let judge = |signature: &str| {
        let called = CallbackRequest::form(&[("Digits", "1234"), ("CallSid", "CA1")]);
        let called = called.at("https://alerts.example.org/ack/tested?delivery=1");
        let called = called.with(&[("x-twilio-signature", signature)]);
        channel.authenticate(&called.callback(), now)
    };
    // Made with OpenSSL.
    assert_eq!(
        judge("EJFVxWD7AcV+Ye7JtVlWrlw3jys="),
        Ok(Authenticity::Signed)
    );
    assert!(matches!(judge("x"), Err(CallbackError::Signature(_))));
}
