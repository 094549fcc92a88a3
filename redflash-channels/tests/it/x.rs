//! X against a simulated account that checks each request by the vendor's description.
//!
//! The suite sends to a numeric id, where a message is one request. Names are tested
//! beside it, look-ups and messages counted apart.

use std::time::Duration;

use redflash_channels::configure;
use redflash_core::clock::Timestamp;
use redflash_core::conformance::channel::{Behaviour, Fixture as _, message};
use redflash_core::message::{Accepted, Retry, SendError};
use redflash_tests::{Check, Received, Reply, Rules};
use serde_json::{Value, json};

use crate::vendor::{Account, Vendor};

pub(crate) const ID: &str = "2244994945";

const VENDOR: Vendor = Vendor {
    gateway: table,
    rules: Rules {
        faults,
        refuse: |reason| problem(400, "invalid-request", reason),
        accept,
    },
    address: (ID, " 2244994945 "),
    not_addresses: &[
        "@",
        "@a b",
        "@sixteen_letters_",
        "ä",
        "https://x.com/ann",
        "01",
        "12345678901234567890",
    ],
    secrets: &["canary-consumer", "canary-access", "canary-access-secret"],
    reply: |behaviour| match behaviour {
        Behaviour::Reject => Some(Some(problem(400, "invalid-request", "no"))),
        Behaviour::RefuseAccount => Some(Some(problem(401, "about:blank", "Unauthorized"))),
        _ => None,
    },
};

pub(crate) fn table(base_url: &str) -> Value {
    json!({
        "type": "twitter", "base_url": base_url, "consumer_key": "key",
        "consumer_secret": "canary-consumer", "access_token": "canary-access",
        "access_token_secret": "canary-access-secret",
    })
}

fn problem(status: u16, kind: &str, detail: &str) -> Reply {
    let document = json!({
        "title": "A title", "detail": detail, "status": status,
        "type": format!("https://api.x.com/2/problems/{kind}"),
    });
    Reply::body(status, document.to_string())
}

fn numbered(status: u16, code: u32) -> Reply {
    let document = json!({ "errors": [{ "code": code, "message": "Words." }] });
    Reply::body(status, document.to_string())
}

fn is_lookup(request: &Received) -> bool {
    request.path.starts_with("/2/users/by/username/")
}

fn accept(request: &Received, number: u32) -> Reply {
    if is_lookup(request) {
        let user = json!({ "id": ID, "name": "Ops", "username": "RedFlash_Ops" });
        return Reply::body(200, json!({ "data": user }).to_string());
    }
    let event = json!({
        "dm_conversation_id": format!("1-{ID}"), "dm_event_id": format!("11223344556677{number}"),
    });
    Reply::body(201, json!({ "data": event }).to_string())
}

fn faults(request: &Received) -> Vec<String> {
    const SIGNED: [&str; 7] = [
        "oauth_consumer_key=\"key\"",
        "oauth_nonce=\"",
        "oauth_signature=\"",
        "oauth_signature_method=\"HMAC-SHA1\"",
        "oauth_timestamp=\"1790000000\"",
        "oauth_token=\"canary-access\"",
        "oauth_version=\"1.0\"",
    ];
    let header = request.header("authorization");
    let mut check = Check::default();
    check
        .rule(header.starts_with("OAuth "), "the request is signed")
        .rule(
            SIGNED.iter().all(|field| header.contains(field)),
            "the signature has its fields",
        );
    if is_lookup(request) {
        return check
            .rule(request.method == "GET", "a look-up is a GET")
            .rule(request.body.is_empty(), "a look-up has no body")
            .faults();
    }
    let document = request.json();
    let fields = document.as_object().unwrap();
    let text = document["text"].as_str().unwrap_or_default();
    check
        .rule(request.method == "POST", "the method is POST")
        .rule(
            request.path == format!("/2/dm_conversations/with/{ID}/messages"),
            "the path names the recipient",
        )
        .rule(
            request.header("content-type") == "application/json",
            "the body is JSON",
        )
        .rule(fields.len() == 1, "there is a text and nothing else")
        .rule(
            (1..=10_000).contains(&text.chars().count()),
            "the text has 1 to 10000 characters",
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
    let accepted = account.send("Disk <full> & \"hot\" 🔥").await.unwrap();
    assert_eq!(accepted.message_id.as_deref(), Some("112233445566771"));
    assert_eq!((accepted.parts, accepted.delivered), (1, false));
    let request = account.last();
    let signature = request
        .header("authorization")
        .split_once("oauth_signature=\"")
        .map(|(_, rest)| rest.trim_end_matches('"').to_owned());
    assert_eq!(
        request.written().replace(&signature.unwrap(), "SIGNATURE"),
        "POST /2/dm_conversations/with/2244994945/messages\n\
         authorization: OAuth oauth_consumer_key=\"key\", \
         oauth_nonce=\"019f4a2b6c007d3e8f506172830000011POST\", \
         oauth_signature_method=\"HMAC-SHA1\", oauth_timestamp=\"1790000000\", \
         oauth_token=\"canary-access\", oauth_version=\"1.0\", oauth_signature=\"SIGNATURE\"\n\
         content-type: application/json\n\n\
         {\"text\":\"Disk <full> & \\\"hot\\\" 🔥\"}"
    );
    let accepted = account.send(&"a".repeat(10_001)).await.unwrap();
    assert_eq!(accepted.detail, "accepted, cut to 10000 characters");
}

/// Sends a message to a name at this time.
async fn to_name(account: &Account, name: &str, at: i64) -> Result<Accepted, SendError> {
    let mut message = message(account.channel(), name);
    // The simulated vendor wants one time: what is counted here are days.
    message.at = Timestamp::from_millis(1_790_000_000_000 + at);
    account.channel().send(&message).await
}

/// Returns the number of received look-ups and messages.
fn counted(account: &Account) -> (usize, usize) {
    let received = account.simulator.received();
    let lookups = received.iter().filter(|one| is_lookup(one)).count();
    (lookups, received.len() - lookups)
}

#[tokio::test]
async fn looks_up_names_once_a_day() {
    const DAY: i64 = 24 * 60 * 60 * 1000;
    let account = Account::open(Vendor {
        rules: Rules {
            faults: |_| Vec::new(),
            ..VENDOR.rules
        },
        ..VENDOR
    });
    let account = account.await;
    for (name, at, counts) in [
        ("@RedFlash_Ops", 0, (1, 1)),
        ("redflash_ops", 1, (1, 2)),
        ("@redflash_ops", DAY - 1, (1, 3)),
        ("@redflash_ops", DAY, (2, 4)),
        ("@redflash_ops", DAY + 5, (2, 5)),
        ("@others", DAY + 5, (3, 6)),
    ] {
        to_name(&account, name, at).await.unwrap();
        assert_eq!(counted(&account), counts, "{name} {at}");
    }
    assert_eq!(
        account.simulator.received()[0].path,
        "/2/users/by/username/redflash_ops"
    );
    // A recipient that is gone is looked up again.
    account
        .simulator
        .once(problem(404, "resource-not-found", "gone"));
    let error = to_name(&account, "@others", DAY + 6).await.unwrap_err();
    assert!(matches!(error, SendError::InvalidAddress { .. }));
    to_name(&account, "@others", DAY + 7).await.unwrap();
    assert_eq!(counted(&account), (4, 8));
}

#[tokio::test]
async fn lookup_errors_differ_from_send_errors() {
    use Retry::{After, Never, StopGateway};
    let unknown = json!({ "errors": [{
        "title": "Not Found Error", "detail": "Could not find user with username: [ops].",
        "type": "https://api.x.com/2/problems/resource-not-found",
    }] });
    let account = open().await;
    let wait = Duration::from_secs(60);
    for (reply, retry) in [
        (Reply::body(200, unknown.to_string()), Never),
        (Reply::body(200, "{}"), After(None)),
        (Reply::body(200, r#"{"data":{"id":"../1"}}"#), After(None)),
        (Reply::body(200, "<html>"), After(None)),
        (problem(401, "about:blank", "Unauthorized"), StopGateway),
        (problem(403, "client-forbidden", "no"), StopGateway),
        (problem(503, "about:blank", "later"), After(None)),
        (problem(502, "about:blank", "later"), After(None)),
        (
            Reply::status(429).with("x-rate-limit-reset", "1790000060"),
            After(Some(wait)),
        ),
        (Reply::Hang, After(None)),
        (Reply::Drop, After(None)),
    ] {
        let reply_text = format!("{reply:?}");
        account.simulator.once(reply);
        let error = to_name(&account, "@ops", 0).await.unwrap_err();
        assert_eq!(error.retry(), retry, "{reply_text}");
    }
    assert_eq!(counted(&account), (11, 0));
    account
        .simulator
        .once(Reply::body(200, unknown.to_string()));
    let error = to_name(&account, "@ops", 0).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "invalid address: @ops: Not Found Error: Could not find user with username: [ops]."
    );
}

#[tokio::test]
async fn maps_every_error_in_both_forms() {
    use Retry::{After, Elsewhere, MayRepeat, Never, StopGateway};
    let account = open().await;
    let wrong_id = json!({
        "title": "Invalid Request", "detail": "One or more parameters was invalid.",
        "type": "https://api.x.com/2/problems/invalid-request",
        "errors": [{ "parameters": { "participant_id": ["0"] }, "message": "no id" }],
    });
    for (reply, retry) in [
        (problem(400, "invalid-request", "bad"), Never),
        (Reply::body(400, wrong_id.to_string()), Never),
        (problem(401, "about:blank", "Unauthorized"), StopGateway),
        (numbered(401, 89), StopGateway),
        (problem(402, "credits-depleted", "pay"), StopGateway),
        (problem(403, "usage-capped", "cap"), StopGateway),
        (problem(429, "usage-capped", "cap"), StopGateway),
        (problem(403, "client-forbidden", "plan"), StopGateway),
        (problem(403, "oauth1-permissions", "app"), StopGateway),
        (numbered(403, 93), StopGateway),
        (numbered(403, 64), StopGateway),
        (numbered(403, 326), StopGateway),
        (numbered(403, 349), Elsewhere),
        (numbered(403, 150), Elsewhere),
        (problem(403, "not-authorized-for-resource", "no"), Elsewhere),
        (problem(403, "about:blank", "not permitted"), Elsewhere),
        (problem(404, "resource-not-found", "no"), Never),
        (numbered(404, 34), Never),
        (numbered(400, 108), Never),
        (numbered(429, 88), After(None)),
        (numbered(400, 88), After(None)),
        (problem(500, "about:blank", "oops"), After(None)),
        (problem(502, "about:blank", "oops"), MayRepeat),
        (problem(503, "about:blank", "oops"), After(None)),
        (numbered(503, 130), After(None)),
        (problem(504, "about:blank", "oops"), MayRepeat),
        (Reply::body(201, "{}"), MayRepeat),
    ] {
        let reply_text = format!("{reply:?}");
        let error = account.answered(reply).await.unwrap_err();
        assert_eq!(error.retry(), retry, "{reply_text}");
    }
}

#[tokio::test]
async fn explains_recipients_that_accept_no_messages() {
    let account = open().await;
    let refusal = "You do not have permission to DM one or more participants.";
    for reply in [problem(403, "about:blank", refusal), numbered(403, 349)] {
        let error = account.answered(reply).await.unwrap_err();
        let text = error.to_string();
        assert!(text.contains("must follow it or allow messages"), "{text}");
    }
}

#[tokio::test]
async fn duplicate_of_an_accepted_message_is_a_success() {
    let account = open().await;
    let refusal = "You are not allowed to create a Tweet with duplicate content.";
    for reply in [numbered(403, 187), problem(403, "about:blank", refusal)] {
        account.simulator.once(reply.clone());
        account.simulator.once(reply);
        let mut message = account.message("hello");
        // Without an attempt before this one it is another message that had the same text.
        let error = account.channel().send(&message).await.unwrap_err();
        assert_eq!(error.retry(), Retry::Never);
        assert!(
            error.to_string().contains("make the texts differ"),
            "{error}"
        );
        message.attempt = 2;
        let accepted = account.channel().send(&message).await.unwrap();
        assert!(accepted.detail.starts_with("already accepted before: "));
        assert_eq!(accepted.message_id, None);
    }
}

#[tokio::test]
async fn waits_for_the_end_of_a_rate_limit() {
    let account = open().await;
    let window = |name: &str, left: &str, reset: &str| {
        let reply = problem(429, "about:blank", "Too Many Requests")
            .with(&format!("{name}-remaining"), left)
            .with(&format!("{name}-reset"), reset);
        if name == "x-rate-limit" {
            return reply;
        }
        reply
            .with("x-rate-limit-remaining", "14")
            .with("x-rate-limit-reset", "1790000009")
    };
    for (reply, seconds) in [
        (window("x-rate-limit", "0", "1790000600"), Some(600)),
        (
            window("x-user-limit-24hour", "0", "1790080000"),
            Some(80_000),
        ),
        (
            window("x-app-limit-24hour", "0", "1790080000"),
            Some(80_000),
        ),
        (window("x-user-limit-24hour", "7", "1790080000"), None),
        (window("x-rate-limit", "0", "soon"), None),
        (window("x-rate-limit", "0", "1789999999"), None),
        (
            window("x-rate-limit", "0", "1790000600").with("Retry-After", "5"),
            Some(5),
        ),
    ] {
        let reply_text = format!("{reply:?}");
        let error = account.answered(reply).await.unwrap_err();
        let wait = seconds.map(Duration::from_secs);
        assert_eq!(error.retry(), Retry::After(wait), "{reply_text}");
    }
}

#[tokio::test]
async fn normalizes_addresses() {
    let account = open().await;
    for (raw, normal) in [
        ("@RedFlash_Ops", "@redflash_ops"),
        (" redflash_ops ", "@redflash_ops"),
        ("@123", "@123"),
        ("123", "123"),
        ("9223372036854775807", "9223372036854775807"),
    ] {
        let address = account.channel().parse_address(raw).unwrap();
        assert_eq!(address.as_str(), normal);
    }
    let able = account.channel().capabilities();
    assert!(!able.receipts && !able.inbound && !able.sender);
    assert_eq!(account.channel().kind().as_str(), "x");
}

#[test]
fn rejects_invalid_settings_by_key() {
    for (key, value) in [
        ("consumer_key", ""),
        ("consumer_secret", ""),
        ("access_token", ""),
        ("access_token_secret", ""),
        ("base_url", "ftp://x/"),
    ] {
        let mut wrong = table("http://127.0.0.1:1");
        wrong["name"] = json!("tested");
        wrong[key] = json!(value);
        let settings = wrong.as_object().unwrap().clone();
        let error = configure(settings, None).unwrap_err();
        assert_eq!(error.key.as_deref(), Some(key), "{error}");
    }
}
