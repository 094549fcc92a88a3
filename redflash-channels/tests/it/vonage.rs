//! Vonage against a simulated account that checks each request by the vendor's rules.

use redflash_channels::configure;
use redflash_core::clock::Timestamp;
use redflash_core::conformance::channel::{Behaviour, Fixture as _};
use redflash_core::delivery::{Receipt, ReceiptState};
use redflash_core::gateway::{Authenticity, CallbackError, Channel};
use redflash_core::message::{Accepted, Retry};
use redflash_tests::{VONAGE, Vonage};
use serde_json::{Value, json};

use crate::vendor::{Account, CallbackRequest, Vendor, gateway};

const VENDOR: Vendor = Vendor {
    gateway: |base_url| {
        json!({
            "type": "nexmo", "base_url": base_url, "from": "RedFlash",
            "api_key": Vonage::API_KEY, "api_secret": Vonage::API_SECRET,
        })
    },
    rules: VONAGE,
    address: ("+447700900001", "0044 7700 900-001"),
    not_addresses: &["07700900001", "+44", "ann", "+44770090000112345"],
    secrets: &[Vonage::API_SECRET],
    reply: |behaviour| {
        Some(Some(Vonage::status(match behaviour {
            Behaviour::Reject => 3,
            Behaviour::RefuseAccount => 4,
            Behaviour::Throttle(None) => 1,
            Behaviour::Fail => 5,
            _ => return None,
        })))
    },
};

async fn open() -> Account {
    Account::open(VENDOR).await
}

redflash_core::channel_conformance!(open);

async fn send(account: &Account, body: &str) -> Accepted {
    account.send(body).await.unwrap()
}

#[tokio::test]
async fn request_follows_the_vendors_rules() {
    let account = open().await;
    let accepted = send(&account, "Größe > 5 €").await;
    assert_eq!(accepted.price.unwrap().as_str(), Vonage::PRICE);
    assert!(accepted.message_id.is_some() && !accepted.delivered);
    assert_eq!(
        account.last().written(),
        "POST /sms/json\n\
         content-type: application/x-www-form-urlencoded\n\n\
         api_key=a1b2c3d4&api_secret=canary-vonage-5EcRe7&from=RedFlash&to=447700900001\
         &text=Gr%C3%B6%C3%9Fe+%3E+5+%E2%82%AC&type=text\
         &client-ref=019f4a2b6c007d3e8f50617283000001"
    );
}

#[tokio::test]
async fn uses_the_sender_of_an_event() {
    let account = open().await;
    for sender in ["Backups", "447700900999"] {
        account.channel().check_sender(sender).unwrap();
        let mut message = account.message("hi");
        message.sender = Some(sender.into());
        account.channel().send(&message).await.unwrap();
        assert_eq!(account.last().form()["from"], sender);
    }
    assert!(account.channel().check_sender("+44").is_err());
}

#[tokio::test]
async fn truncates_long_texts_and_notes_it() {
    let account = open().await;
    let accepted = send(&account, &"a".repeat(2000)).await;
    assert_eq!(accepted.parts, 6);
    assert_eq!(accepted.detail, "cut to 6 of 14 parts");
    assert_eq!(account.simulator.faults(), [""; 0]);
}

#[tokio::test]
async fn maps_every_send_status() {
    use Retry::{After, Elsewhere, Never, StopGateway};
    let account = open().await;
    for (status, retry) in [
        (1, After(None)),
        (2, Never),
        (3, Never),
        (4, StopGateway),
        (5, After(None)),
        (6, Never),
        (7, Never),
        (8, StopGateway),
        (9, StopGateway),
        (10, After(None)),
        (11, StopGateway),
        (12, Never),
        (13, After(None)),
        (14, StopGateway),
        (15, Elsewhere),
        (22, Never),
        (23, Never),
        (29, Elsewhere),
        (32, StopGateway),
        (33, Never),
        (34, Never),
        (77, Never),
    ] {
        let error = account.answered(Vonage::status(status)).await;
        assert_eq!(error.unwrap_err().retry(), retry, "{status}");
    }
}

/// The gateway of an account that signs.
fn signing(base_url: &str) -> Value {
    json!({
        "type": "vonage", "base_url": base_url, "from": "RedFlash",
        "api_key": Vonage::API_KEY,
        "signature_secret": "canary-signature", "previous_signature_secret": "canary-previous",
    })
}

async fn open_signing() -> Account {
    Account::open(Vendor {
        gateway: signing,
        secrets: &["canary-signature", "canary-previous"],
        ..VENDOR
    })
    .await
}

mod signed {
    redflash_core::channel_conformance!(super::open_signing);
}

#[tokio::test]
async fn signature_replaces_the_api_secret() {
    let account = open_signing().await;
    account.send("a & b = c").await.unwrap();
    // The signature is the MD5 of
    // &api_key=a1b2c3d4&client-ref=019f4a2b6c007d3e8f50617283000001&from=RedFlash&text=a _ b _ c
    // &timestamp=1790000000&to=447700900001&type=text, in one line, and the secret.
    assert_eq!(
        account.last().written(),
        "POST /sms/json\n\
         content-type: application/x-www-form-urlencoded\n\n\
         api_key=a1b2c3d4&from=RedFlash&to=447700900001&text=a+%26+b+%3D+c&type=text\
         &client-ref=019f4a2b6c007d3e8f50617283000001&timestamp=1790000000\
         &sig=0457f83f4118eac453c613cd0fc8af5e"
    );
}

/// A receipt whose signature another program has made, for this time and with this secret.
fn signed_receipt(method: &str) -> (&'static str, Vec<(&'static str, &'static str)>) {
    let signature = match method {
        "md5hash" => "7024445ab6a178083e6f744d4b52024a",
        "md5" => "9861655613dbfcd3b8f6d1c9185e49d4",
        "sha1" => "c9cc42d01062ffe7f3e34cbf6a47a7ca9ac0b435",
        "sha256" => "d0c6710ab6398b8fe9535ba4268fe9d0c15438986cb48d2ffbd90536d2e7edca",
        _ => {
            "c3c9d59a4a74e7879e53d7a4e520c802623c2ba918d0d11c75ae832d8dbe480b\
             7cd26a3ed6b5001b749e9564da599c0764c0ee9386fd3362570692fb6be8d1ba"
        }
    };
    let fields = vec![
        ("msisdn", "447700900000"),
        ("messageId", "0A0000001234567B"),
        ("status", "delivered"),
        ("err-code", "0"),
        ("nonce", "a=b&c"),
        ("timestamp", "1790000000"),
    ];
    (signature, fields)
}

const SIGNED_AT: i64 = 1_790_000_000;

fn seconds(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1000)
}

#[test]
fn authenticates_callbacks_by_signature() {
    for method in ["md5hash", "md5", "sha1", "sha256", "sha512"] {
        for current in [true, false] {
            let mut table = signing("http://127.0.0.1:1");
            table["signature_method"] = json!(method);
            if !current {
                table["previous_signature_secret"] = json!("canary-signature");
                table["signature_secret"] = json!("canary-new");
            }
            let channel = gateway(table).channel;
            let (signature, mut fields) = signed_receipt(method);
            let judged = |fields: &[(&str, &str)], at| {
                channel.authenticate(&CallbackRequest::form(fields).callback(), seconds(at))
            };
            let refused = |fields: &[(&str, &str)], at| {
                let error = judged(fields, at).unwrap_err();
                assert!(matches!(error, CallbackError::Signature(_)), "{error}");
            };
            refused(&fields, SIGNED_AT);
            let upper = signature.to_uppercase();
            for signature in [signature, &upper] {
                let mut fields = fields.clone();
                fields.push(("sig", signature));
                for at in [SIGNED_AT, SIGNED_AT - 300, SIGNED_AT + 300] {
                    assert_eq!(judged(&fields, at), Ok(Authenticity::Signed), "{method}");
                }
                for at in [SIGNED_AT - 301, SIGNED_AT + 301, 0, i64::MAX / 1000] {
                    refused(&fields, at);
                }
            }
            fields.push(("sig", signature));
            for (name, value) in [
                ("status", "failed"),
                ("timestamp", "1790000001"),
                ("timestamp", "soon"),
                ("sig", ""),
                ("more", "1"),
            ] {
                let mut forged = fields.clone();
                forged.push((name, value));
                refused(&forged, SIGNED_AT);
            }
        }
    }
    let plain = gateway((VENDOR.gateway)("http://127.0.0.1:1")).channel;
    let judged = plain.authenticate(&CallbackRequest::form(&[]).callback(), seconds(0));
    assert_eq!(judged, Ok(Authenticity::Unsigned));
}

fn receipts(channel: &dyn Channel, fields: &[(&str, &str)]) -> Result<Vec<Receipt>, CallbackError> {
    channel.parse_receipts(&CallbackRequest::form(fields).callback())
}

#[test]
fn reads_receipts_by_status() {
    use ReceiptState::{Delivered, Failed, Pending};
    let channel = gateway((VENDOR.gateway)("http://127.0.0.1:1")).channel;
    let read = |fields: &[(&str, &str)]| receipts(&*channel, fields).unwrap().remove(0);
    for (status, state) in [
        ("delivered", Delivered),
        ("failed", Failed),
        ("rejected", Failed),
        ("expired", Failed),
        ("accepted", Pending),
        ("buffered", Pending),
        ("unknown", Pending),
        ("x", Pending),
    ] {
        let receipt = read(&[("status", status), ("err-code", "0"), ("messageId", "A1")]);
        assert_eq!(receipt.state, state, "{status}");
        assert_eq!(receipt.message_id.as_deref(), Some("A1"));
    }
    let reference = "019f4a2b6c007d3e8f50617283000001";
    let receipt = read(&[
        ("client-ref", reference),
        ("status", "rejected"),
        ("err-code", "9"),
        ("price", "-5"),
    ]);
    assert_eq!(receipt.detail, "rejected (9: illegal number, or opted out)");
    assert_eq!(receipt.price, None);
    assert_eq!(receipt.delivery, reference.parse().ok());
    let receipt = read(&[("err-code", "0"), ("messageId", "A1"), ("price", "0.0333")]);
    assert_eq!(receipt.state, Delivered);
    assert_eq!(receipt.price.unwrap().as_str(), "0.0333");
    assert_eq!(
        read(&[("err-code", "7"), ("messageId", "A1")]).state,
        Pending
    );
    let read = |fields: &[(&str, &str)]| receipts(&*channel, fields);
    assert_eq!(read(&[]), Ok(vec![]));
    assert_eq!(read(&INBOUND), Ok(vec![]));
    let nameless = read(&[("status", "delivered"), ("client-ref", "tx-1")]);
    assert!(matches!(nameless, Err(CallbackError::Malformed(_))));
}

const INBOUND: [(&str, &str); 7] = [
    ("api-key", "a1b2c3d4"),
    ("msisdn", "447700900000"),
    ("to", "447700900999"),
    ("messageId", "0B01"),
    ("text", "Ack 42"),
    ("type", "text"),
    ("keyword", "ACK"),
];

#[test]
fn reads_replies_in_parts() {
    let channel = gateway((VENDOR.gateway)("http://127.0.0.1:1")).channel;
    let read = |more: &[(&str, &str)]| {
        let fields = [&INBOUND, more].concat();
        channel.parse_inbound(&CallbackRequest::form(&fields).callback())
    };
    let message = read(&[]).unwrap().remove(0);
    assert_eq!(message.from.as_str(), "+447700900000");
    assert_eq!(message.text, "Ack 42");
    assert_eq!(message.message_id.as_deref(), Some("0B01"));
    assert_eq!((message.answers, message.answers_message), (None, None));
    let part = [
        ("concat", "true"),
        ("concat-ref", "7"),
        ("concat-part", "2"),
        ("concat-total", "3"),
    ];
    assert_eq!(read(&part).unwrap()[0].text, "Ack 42 (2/3)");
    assert_eq!(read(&[("type", "binary"), ("data", "00")]), Ok(vec![]));
    assert_eq!(read(&[("status", "delivered")]), Ok(vec![]));
    let named = read(&[("msisdn", " ")]);
    assert!(matches!(named, Err(CallbackError::Malformed(_))));
    let nothing = channel.parse_inbound(&CallbackRequest::form(&[]).callback());
    assert_eq!(nothing, Ok(vec![]));
    assert!(channel.capabilities().inbound);
}

#[test]
fn rejects_invalid_settings_by_key() {
    for (key, value) in [
        ("api_key", json!("")),
        ("api_secret", json!("")),
        ("api_secret", json!(null)),
        ("signature_secret", json!("")),
        ("previous_signature_secret", json!("canary")),
        ("signature_method", json!("rot13")),
        ("callback_format", json!("xml")),
        ("from", json!("A name too long")),
        ("from", json!("+447700900000")),
        ("max_parts", json!(0)),
        ("max_parts", json!(21)),
        ("base_url", json!("ftp://x/")),
    ] {
        let mut table = (VENDOR.gateway)("http://127.0.0.1:1");
        table["name"] = json!("tested");
        table[key] = value;
        let mut settings = table.as_object().unwrap().clone();
        settings.retain(|_, value| !value.is_null());
        let error = configure(settings, None).unwrap_err();
        assert_eq!(error.key.as_deref(), Some(key), "{error}");
        assert!(!error.to_string().contains("canary"));
    }
}
