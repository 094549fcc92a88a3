//! Slack against a simulated workspace: its incoming webhooks, and `chat.postMessage`.

use std::time::Duration;

use redflash_core::conformance::channel::{Behaviour, Fixture as _};
use redflash_core::message::Retry;
use redflash_tests::{Check, Received, Reply, Rules};
use serde_json::{Value, json};

use crate::vendor::{Account, Vendor, class, refused_key};

const TOKEN: &str = "xoxb-canary-slack";
const HOOK: &str = "/services/T0001/B0001/canary-slack-hook";

fn table(base_url: &str) -> Value {
    json!({
        "type": "slack", "base_url": format!("{base_url}/api"), "bot_token": TOKEN,
        "rooms": {"ops": format!("{base_url}{HOOK}")},
    })
}

fn common(check: &mut Check, request: &Received, known: &[&str]) {
    let body = request.json();
    let fields = body.as_object().unwrap();
    let text = body["text"].as_str().unwrap_or_default();
    let plain = text
        .replace("&amp;", "")
        .replace("&lt;", "")
        .replace("&gt;", "");
    check
        .rule(request.method == "POST", "the method is POST")
        .rule(
            request
                .header("content-type")
                .starts_with("application/json"),
            "the body is JSON",
        )
        .rule(
            fields.keys().all(|name| known.contains(&&**name)),
            "there are known fields only",
        )
        .rule(!text.is_empty(), "no_text")
        .rule(
            !plain.contains(['&', '<', '>']),
            "the three characters are escaped",
        )
        .rule(body["mrkdwn"] == false, "the text is not formatted")
        .rule(text.chars().count() <= 40_000, "msg_too_long");
}

const KNOWN: [&str; 5] = ["channel", "text", "mrkdwn", "unfurl_links", "unfurl_media"];

const BOT: Rules = Rules {
    faults: |request| {
        let mut check = Check::default();
        common(&mut check, request, &KNOWN);
        check
            .rule(request.path == "/api/chat.postMessage", "the path")
            .rule(
                request.header("authorization") == format!("Bearer {TOKEN}"),
                "invalid_auth",
            )
            .rule(
                request.json()["channel"] == "C0123456789",
                "channel_not_found",
            )
            .faults()
    },
    refuse: |reason| error_reply(reason),
    accept: |request, number| {
        let channel = request.json()["channel"].clone();
        let ts = format!("1503435956.{number:06}");
        let answer = json!({"ok": true, "channel": channel, "ts": ts, "message": {"text": "…"}});
        Reply::body(200, answer.to_string())
    },
};

const WEBHOOK: Rules = Rules {
    faults: |request| {
        let mut check = Check::default();
        common(&mut check, request, &KNOWN[1..]);
        check.rule(request.path == HOOK, "no_service").faults()
    },
    refuse: |reason| Reply::body(400, reason),
    accept: |_, _| Reply::body(200, "ok"),
};

fn error_reply(code: &str) -> Reply {
    Reply::body(200, json!({"ok": false, "error": code}).to_string())
}

mod bot {
    use super::*;

    const VENDOR: Vendor = Vendor {
        gateway: table,
        rules: BOT,
        address: ("C0123456789", " C0123456789 "),
        not_addresses: &["#ops room", "https://hooks.slack.com/services/T/B/x", "ö"],
        secrets: &[TOKEN, "canary-slack-hook"],
        reply: |behaviour| {
            Some(Some(error_reply(match behaviour {
                Behaviour::Reject => "invalid_blocks",
                Behaviour::RefuseAccount => "token_revoked",
                Behaviour::Fail => "internal_error",
                Behaviour::Throttle(None) => "ratelimited",
                _ => return None,
            })))
        },
    };

    async fn open() -> Account {
        Account::open(VENDOR).await
    }

    redflash_core::channel_conformance!(open);

    #[tokio::test]
    async fn request_follows_the_vendors_rules() {
        let account = open().await;
        let accepted = account.send("<!channel> a & *b*").await.unwrap();
        assert_eq!(
            accepted.message_id.as_deref(),
            Some("C0123456789/1503435956.000001")
        );
        assert_eq!(
            account.last().written(),
            "POST /api/chat.postMessage\n\
             authorization: Bearer xoxb-canary-slack\n\
             content-type: application/json\n\n\
             {\"channel\":\"C0123456789\",\"mrkdwn\":false,\
             \"text\":\"&lt;!channel&gt; a &amp; *b*\",\
             \"unfurl_links\":false,\"unfurl_media\":false}"
        );
    }

    #[tokio::test]
    async fn maps_every_error() {
        let account = open().await;
        for (code, expected) in [
            ("ratelimited", "recipient later"),
            ("rate_limited", "recipient later"),
            ("message_limit_exceeded", "rate limited"),
            ("team_added_to_org", "unreachable"),
            ("invalid_auth", "unauthorized"),
            ("not_authed", "unauthorized"),
            ("account_inactive", "unauthorized"),
            ("token_revoked", "unauthorized"),
            ("token_expired", "unauthorized"),
            ("missing_scope", "unauthorized"),
            ("channel_not_found", "invalid address"),
            ("is_archived", "invalid address"),
            ("not_in_channel", "unroutable"),
            ("restricted_action", "unroutable"),
            ("internal_error", "message later"),
            ("service_unavailable", "message later"),
            ("request_timeout", "message later"),
            ("fatal_error", "unknown"),
            ("msg_too_long", "rejected"),
            ("no_text", "rejected"),
            ("invalid_blocks", "rejected"),
            ("too_many_attachments", "rejected"),
            ("of_tomorrow", "rejected"),
        ] {
            let error = account.answered(error_reply(code)).await.unwrap_err();
            assert_eq!(class(&error), expected, "{code}");
        }
        for nonsense in ["{}", "[]", "{\"ok\":false}", "{\"ok\":\"yes\"}"] {
            let error = account.answered(Reply::body(200, nonsense)).await;
            assert_eq!(class(&error.unwrap_err()), "unknown", "{nonsense}");
        }
    }

    #[tokio::test]
    async fn rate_limit_defers_one_conversation() {
        let account = open().await;
        let reply = Reply::status(429).with("Retry-After", "30");
        let error = account.answered(reply).await.unwrap_err();
        assert_eq!(class(&error), "recipient later");
        assert_eq!(error.retry(), Retry::After(Some(Duration::from_secs(30))));
    }

    #[tokio::test]
    async fn truncates_long_texts_and_notes_it() {
        let account = open().await;
        let accepted = account.send(&"&".repeat(9000)).await.unwrap();
        assert_eq!(accepted.detail, "ok, cut to 4000 characters");
        assert_eq!(account.simulator.faults(), [""; 0]);
    }
}

mod webhook {
    use super::*;

    const VENDOR: Vendor = Vendor {
        gateway: table,
        rules: WEBHOOK,
        address: ("ops", " OPS"),
        not_addresses: &["#ops room", "https://hooks.slack.com/services/T/B/x", "ö"],
        secrets: &[TOKEN, "canary-slack-hook"],
        reply: |behaviour| match behaviour {
            Behaviour::Reject => Some(Some(Reply::body(400, "invalid_payload"))),
            Behaviour::RefuseAccount => Some(Some(Reply::body(404, "no_service"))),
            Behaviour::Fail => Some(Some(Reply::body(500, "rollup_error"))),
            _ => None,
        },
    };

    async fn open() -> Account {
        Account::open(VENDOR).await
    }

    redflash_core::channel_conformance!(open);

    #[tokio::test]
    async fn request_follows_the_vendors_rules() {
        let account = open().await;
        let accepted = account.send("a > b").await.unwrap();
        assert!(accepted.delivered);
        assert_eq!(
            account.last().written(),
            "POST /services/T0001/B0001/canary-slack-hook\n\
             content-type: application/json\n\n\
             {\"mrkdwn\":false,\"text\":\"a &gt; b\",\
             \"unfurl_links\":false,\"unfurl_media\":false}"
        );
    }

    #[tokio::test]
    async fn maps_every_error() {
        let account = open().await;
        for (status, code, expected) in [
            (400, "invalid_payload", "rejected"),
            (400, "no_text", "rejected"),
            (400, "too_many_attachments", "rejected"),
            (400, "user_not_found", "invalid address"),
            (404, "channel_not_found", "invalid address"),
            (410, "channel_is_archived", "invalid address"),
            (403, "action_prohibited", "unauthorized"),
            (403, "invalid_token", "unauthorized"),
            (404, "no_service", "unauthorized"),
            (404, "no_team", "unauthorized"),
            (500, "rollup_error", "message later"),
            (502, "", "unknown"),
            (429, "rate_limited", "recipient later"),
            (200, "okay", "unknown"),
        ] {
            let error = account.answered(Reply::body(status, code)).await;
            assert_eq!(class(&error.unwrap_err()), expected, "{code}");
        }
    }

    #[tokio::test]
    async fn gives_each_room_its_own_lane() {
        let account = open().await;
        let channel = account.channel();
        let mut message = account.message("hi");
        assert_eq!(channel.host(&message.to).as_deref(), Some("ops"));
        message.to = channel.parse_address("C0123456789").unwrap();
        assert_eq!(channel.host(&message.to), None);
        message.to = channel.parse_address("dev").unwrap();
        let error = channel.send(&message).await.unwrap_err();
        assert_eq!(class(&error), "unroutable");
        assert!(account.simulator.received().is_empty());
    }
}

#[test]
fn rejects_invalid_settings_by_key() {
    for (table, key) in [
        (json!({}), "rooms"),
        (json!({"bot_token": ""}), "bot_token"),
        (json!({"bot_token": "a\nb"}), "bot_token"),
        (json!({"bot_token": "a", "base_url": "ftp://x"}), "base_url"),
        (json!({"rooms": {"ops": "canary"}}), "rooms.ops"),
        (json!({"rooms": {"Ops": "https://x/"}}), "rooms.Ops"),
    ] {
        assert_eq!(refused_key("slack", table.clone()), key, "{table}");
    }
}
