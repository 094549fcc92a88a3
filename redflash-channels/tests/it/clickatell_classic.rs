//! Clickatell's classic API against a simulated account that checks each request by the vendor's
//! rules.

mod callbacks;

use std::sync::Arc;
use std::time::Duration;

use redflash_core::conformance::channel::{Behaviour, Fixture as _};
use redflash_core::message::SendError;
use redflash_tests::{Check, Received, Reply, Rules};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::sms::{class, classes, ids, messages, refused};
use crate::vendor::{Account, Vendor};

const DELIVERY: &str = "019f4a2b6c007d3e8f50617283000001";

const VENDOR: Vendor = Vendor {
    gateway: table,
    rules: Rules {
        faults,
        refuse: |reason| error_reply(&format!("101, Invalid or missing parameters: {reason}")),
        accept: |request, _| answered(request),
    },
    address: ("+447700900001", "0044 7700 900-001"),
    not_addresses: &["07700900001", "+44", "ann", "+447700900001,+447700900002"],
    secrets: &["canary-classic"],
    reply: |behaviour| {
        Some(Some(match behaviour {
            Behaviour::Reject => error_reply("113, Maximum message parts exceeded"),
            Behaviour::RefuseAccount => error_reply("001, Authentication failed"),
            Behaviour::Throttle(None) => error_reply("130, MT limit exceeded"),
            // The suite's messages are of the second 1790000000.
            Behaviour::Throttle(Some(17)) => error_reply("130, MT limit exceeded until 1790000017"),
            Behaviour::Fail => error_reply("901, Internal error - please retry"),
            _ => return None,
        }))
    },
};

fn table(base_url: &str) -> Value {
    json!({
        "type": "clickatell-classic", "base_url": base_url, "user": "ann",
        "password": "canary-classic", "api_id": "12345",
    })
}

fn error_reply(text: &str) -> Reply {
    Reply::body(200, format!("ERR: {text}\n"))
}

fn answered(request: &Received) -> Reply {
    let form = request.form();
    let numbers: Vec<_> = form["to"].split(',').collect();
    if let [number] = *numbers {
        return Reply::body(200, format!("ID: id-of-{number}"));
    }
    let lines = numbers
        .iter()
        .map(|number| format!("ID: id-of-{number} To: {number}\n"));
    Reply::body(200, lines.collect::<String>())
}

fn faults(request: &Received) -> Vec<String> {
    const KNOWN: [&str; 10] = [
        "user", "password", "api_id", "to", "text", "unicode", "from", "concat", "callback",
        "climsgid",
    ];
    let form = request.form();
    let field = |name: &str| form.get(name).map_or("", String::as_str);
    let text = field("text");
    let hex =
        |text: &str| text.len().is_multiple_of(4) && text.bytes().all(|b| b.is_ascii_hexdigit());
    let (unicode, units) = match field("unicode") {
        "1" => (true, text.len() / 4),
        _ => (false, text.len()),
    };
    let parts: usize = field("concat").parse().unwrap_or(1);
    let room = match (unicode, parts) {
        (false, 1) => 160,
        (false, _) => parts * 153,
        (true, 1) => 70,
        (true, _) => parts * 67,
    };
    let numbers: Vec<_> = field("to").split(',').collect();
    let number = |text: &&str| {
        (7..=15).contains(&text.len())
            && !text.starts_with('0')
            && text.bytes().all(|b| b.is_ascii_digit())
    };
    Check::default()
        .rule(
            request.method == "POST" && request.path == "/http/sendmsg",
            "the path",
        )
        .rule(
            request.header("content-type") == "application/x-www-form-urlencoded",
            "a form",
        )
        .rule(
            field("user") == "ann"
                && field("password") == "canary-classic"
                && field("api_id") == "12345",
            "the login",
        )
        .rule(
            form.keys().all(|name| KNOWN.contains(&&**name)),
            "known fields only",
        )
        .rule(
            numbers.len() <= 100 && numbers.iter().all(number),
            "to is up to 100 numbers",
        )
        .rule(
            if unicode { hex(text) } else { text.is_ascii() },
            "the text",
        )
        .rule((1..=room).contains(&units) && parts <= 3, "its length")
        .rule(field("callback") == "7", "callback is 7")
        .rule(
            field("climsgid").len() <= 32
                && field("climsgid").bytes().all(|b| b.is_ascii_alphanumeric()),
            "climsgid",
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
    let accepted = account.send("Size > 5 [GB]").await.unwrap();
    assert_eq!(accepted.message_id.as_deref(), Some("id-of-447700900001"));
    assert_eq!((accepted.parts, &*accepted.detail), (1, "accepted"));
    assert_eq!(
        account.last().written(),
        "POST /http/sendmsg\n\
         content-type: application/x-www-form-urlencoded\n\n\
         user=ann&password=canary-classic&api_id=12345&to=447700900001\
         &text=Size+%3E+5+%5BGB%5D&callback=7&climsgid=019f4a2b6c007d3e8f50617283000001"
    );
}

#[tokio::test]
async fn sends_text_outside_of_ascii_as_utf_16() {
    let account = open().await;
    account.send("5 €").await.unwrap();
    let form = account.last().form();
    assert_eq!((&*form["text"], &*form["unicode"]), ("0035002020AC", "1"));
    let accepted = account.send(&"🔥".repeat(40)).await.unwrap();
    let form = account.last().form();
    assert_eq!((accepted.parts, &*form["concat"]), (2, "2"));
    assert_eq!(&form["text"][..8], "D83DDD25");
}

#[tokio::test]
async fn uses_the_sender_of_an_event() {
    let account = open().await;
    account.channel().check_sender("27833001171").unwrap();
    let mut message = account.message("hi");
    message.sender = Some("27833001171".into());
    account.channel().send(&message).await.unwrap();
    assert_eq!(account.last().form()["from"], "27833001171");
    assert!(account.channel().check_sender("+44").is_err());
}

#[tokio::test]
async fn truncates_long_texts_and_notes_it() {
    let account = open().await;
    let accepted = account.send(&"a".repeat(2000)).await.unwrap();
    assert_eq!(
        (accepted.parts, &*accepted.detail),
        (3, "cut to 3 of 14 parts")
    );
    assert_eq!(account.last().form()["concat"], "3");
}

const NUMBERS: [&str; 4] = [
    "+447700900001",
    "+447700900002",
    "+447700900003",
    "+447700900004",
];

#[tokio::test]
async fn messages_with_one_text_share_a_request() {
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
            "id-of-447700900004"
        ]
    );
    let form = account.last().form();
    assert_eq!(
        form["to"],
        "447700900001,447700900002,447700900003,447700900004"
    );
    assert_eq!(form.get("climsgid"), None);
    assert_eq!(account.simulator.received().len(), 1);
    assert!(account.channel().send_batch(&[]).await.is_empty());
}

#[tokio::test]
async fn different_messages_use_separate_requests() {
    let account = open().await;
    let mut messages = messages(&account, &NUMBERS);
    messages[1].body = "Another text".into();
    messages[2].sender = Some("Backups".into());
    messages[3].to = messages[0].to.clone();
    let outcomes = account.channel().send_batch(&messages).await;
    assert_eq!(
        ids(&outcomes),
        [
            "id-of-447700900001",
            "id-of-447700900002",
            "id-of-447700900003",
            "id-of-447700900001"
        ]
    );
    let forms: Vec<_> = account
        .simulator
        .received()
        .iter()
        .map(Received::form)
        .collect();
    let mut references: Vec<_> = forms.iter().map(|form| &*form["climsgid"]).collect();
    references.sort_unstable();
    let deliveries: Vec<_> = messages
        .iter()
        .map(|one| one.delivery.to_string())
        .collect();
    assert_eq!(references, deliveries);
    assert_eq!(account.simulator.faults(), [""; 0]);
}

#[tokio::test]
async fn different_messages_are_sent_in_concurrent_requests() {
    let account = open().await;
    let channel = account.channel();
    let mut messages = messages(&account, &NUMBERS);
    assert!(channel.goes_with(&[&messages[0], &messages[1]], &messages[2]));
    messages[1].body = "Another text".into();
    messages[2].sender = Some("Backups".into());
    messages[3].to = messages[0].to.clone();
    for other in &messages[1..] {
        assert!(!channel.goes_with(&[&messages[0]], other), "{other:?}");
    }
    // None is answered before all have come.
    let gate = Arc::new(Notify::new());
    for _ in &messages {
        account.simulator.once(Reply::Once(Arc::clone(&gate), 200));
    }
    let sending = channel.send_batch(&messages);
    let opening = async {
        account.simulator.expect(4).await;
        gate.notify_waiters();
    };
    let (outcomes, ()) = tokio::join!(sending, opening);
    assert_eq!(classes(&outcomes), ["unknown"; 4]);
}

#[tokio::test]
async fn reads_the_line_of_each_message() {
    for (lines, expected) in [
        (
            "ID: c To: 447700900003\nERR: 105, Invalid Destination Address To: 447700900002\n\
             ID: x To: 447700900009\nID: a To: 447700900001\n",
            ["accepted", "invalid address", "accepted", "unknown"],
        ),
        ("ERR: 301, No Credit Left\n", ["unauthorized"; 4]),
        (
            "ID: a To: 447700900001\nERR: 301, No Credit Left",
            ["accepted", "unauthorized", "unauthorized", "unauthorized"],
        ),
        // Refused as a whole: each is tried again, alone.
        (
            "ERR: 113, Maximum message parts exceeded",
            ["recipient later"; 4],
        ),
        // Of which of them is it?
        ("ID: a\n", ["unknown"; 4]),
        ("", ["unknown"; 4]),
    ] {
        let account = open().await;
        account.simulator.once(Reply::body(200, lines));
        let outcomes = account
            .channel()
            .send_batch(&messages(&account, &NUMBERS))
            .await;
        assert_eq!(classes(&outcomes), expected, "{lines}");
    }
    let account = open().await;
    account.simulator.once(Reply::Drop);
    let outcomes = account
        .channel()
        .send_batch(&messages(&account, &NUMBERS))
        .await;
    assert_eq!(classes(&outcomes), ["unknown"; 4]);
    account.simulator.once(Reply::status(503));
    let outcomes = account
        .channel()
        .send_batch(&messages(&account, &NUMBERS))
        .await;
    assert_eq!(classes(&outcomes), ["message later"; 4]);
}

#[tokio::test]
async fn maps_every_error_code() {
    let account = open().await;
    for (code, expected) in [
        ("001", "unauthorized"),
        ("002", "unauthorized"),
        ("003", "message later"),
        ("005", "unauthorized"),
        ("007", "unauthorized"),
        ("101", "rejected"),
        ("102", "rejected"),
        ("103", "rejected"),
        ("104", "rejected"),
        ("105", "invalid address"),
        ("106", "unroutable"),
        ("107", "rejected"),
        ("108", "unauthorized"),
        ("109", "rejected"),
        ("113", "rejected"),
        ("114", "unroutable"),
        ("115", "rejected"),
        ("116", "rejected"),
        ("120", "rejected"),
        ("121", "invalid address"),
        ("122", "invalid address"),
        ("123", "unroutable"),
        ("128", "invalid address"),
        ("130", "rate limited"),
        ("201", "rejected"),
        ("202", "rejected"),
        ("301", "unauthorized"),
        ("901", "message later"),
        ("999", "rejected"),
    ] {
        let outcome = account.answered(error_reply(&format!("{code}, no"))).await;
        assert_eq!(class(&outcome), expected, "{code}");
    }
    let limited = account
        .answered(error_reply("130, MT limit exceeded until 1790000060"))
        .await;
    let Err(SendError::RateLimited { retry_after, .. }) = limited else {
        panic!("{limited:?}")
    };
    assert_eq!(retry_after, Some(Duration::from_secs(60)));
}

#[test]
fn rejects_invalid_settings_by_key() {
    for (key, changes) in [
        ("user", json!({ "user": "" })),
        ("password", json!({ "password": "" })),
        ("api_id", json!({ "api_id": "" })),
        ("from", json!({ "from": "+27833001171" })),
        ("max_parts", json!({ "max_parts": 0 })),
        ("max_parts", json!({ "max_parts": 4 })),
        ("base_url", json!({ "base_url": "ftp://x/" })),
    ] {
        let found = refused(table("https://api.example.org"), &changes);
        assert_eq!(found.as_deref(), Some(key), "{changes}");
    }
}
