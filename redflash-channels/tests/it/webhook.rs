//! Webhooks against a scripted receiver.

use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use redflash_channels::webhook::{Webhook, WebhookConfig, WebhookFormat};
use redflash_core::clock::Timestamp;
use redflash_core::conformance::channel::{Behaviour, Fixture, message};
use redflash_core::gateway::Channel;
use redflash_core::message::{Origin, OutboundMessage, Retry, SendError};
use redflash_core::model::Address;
use redflash_tests::{Reply, WebhookSink};
use serde_json::{Value, json};

use crate::vendor::class;

const SECRET: &str = "whsec_Y2FuYXJ5LXdlYmhvb2stc2lnbmluZy1rZXk=";

struct Hook {
    webhook: Webhook,
    sink: WebhookSink,
    /// The URL for messages instead of that of the sink.
    elsewhere: Mutex<Option<String>>,
}

fn config() -> WebhookConfig {
    WebhookConfig {
        allow_networks: vec!["127.0.0.0/8".parse().unwrap()],
        signing_secret: Some(SECRET.into()),
        timeout: Duration::from_secs(2),
        ..WebhookConfig::default()
    }
}

async fn open() -> Hook {
    Hook {
        webhook: Webhook::new(config()).unwrap(),
        sink: WebhookSink::start().await,
        elsewhere: Mutex::default(),
    }
}

/// The URL of a port on which nothing listens.
fn nowhere() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}/", listener.local_addr().unwrap())
}

#[async_trait]
impl Fixture for Hook {
    fn channel(&self) -> &dyn Channel {
        &self.webhook
    }

    fn address(&self) -> (String, String) {
        let elsewhere = self.elsewhere.lock().unwrap().clone();
        let url = elsewhere.unwrap_or_else(|| self.sink.url("/alerts"));
        (url.clone(), format!(" {url}#here"))
    }

    fn not_addresses(&self) -> Vec<String> {
        ["hooks", "ftp://hooks.example.org/", "http://10.0.0.1/"]
            .map(str::to_owned)
            .to_vec()
    }

    async fn prepare(&self, behaviour: Behaviour) -> bool {
        let reply = match behaviour {
            Behaviour::Accept => Reply::status(201),
            Behaviour::Reject => Reply::body(410, "no such hook"),
            // A receiver knows no account of ours.
            Behaviour::RefuseAccount => return false,
            Behaviour::Throttle(None) => Reply::status(429),
            Behaviour::Throttle(Some(seconds)) => {
                Reply::status(429).with("Retry-After", &seconds.to_string())
            }
            Behaviour::Fail => Reply::body(500, "out of order"),
            Behaviour::Hang => Reply::Hang,
            Behaviour::Drop => Reply::Drop,
            Behaviour::Garbage => Reply::Raw("SSH-2.0-OpenSSH_9.2\r\n\r\n".into()),
            Behaviour::Endless => Reply::Endless(200),
            Behaviour::Gone => {
                *self.elsewhere.lock().unwrap() = Some(nowhere());
                return true;
            }
        };
        self.sink.once(reply);
        true
    }

    async fn messages(&self) -> usize {
        self.sink.count()
    }

    fn secrets(&self) -> Vec<String> {
        vec![SECRET.into(), SECRET.trim_start_matches("whsec_").into()]
    }
}

redflash_core::channel_conformance!(open);

#[tokio::test]
async fn sends_the_old_form_with_a_signature() {
    let hook = open().await;
    let mut message = message(&hook.webhook, &hook.sink.url("/alerts"));
    message.body = "höher & weiter".into();
    let accepted = hook.webhook.send(&message).await.unwrap();
    assert!(accepted.delivered);
    let got = hook.sink.received().remove(0);
    assert_eq!(got.method, "POST");
    assert_eq!(got.path, format!("/alerts/{}", message.notification));
    assert_eq!(got.notification(), message.notification.to_string());
    assert_eq!(got.message(), "höher & weiter");
    assert_eq!(got.header("webhook-id"), message.delivery.to_string());
    assert!(got.is_signed_with(SECRET));
}

#[tokio::test]
async fn maps_every_status() {
    let is = |result: &Result<_, _>, expected| result.as_ref().is_err_and(|e| class(e) == expected);
    let hook = open().await;
    let message = message(&hook.webhook, &hook.sink.url("/"));
    for status in 200..=599 {
        hook.sink.once(Reply::status(status));
        let result = hook.webhook.send(&message).await;
        let expected = match status {
            200..300 => result.is_ok(),
            401 | 403 | 407 => is(&result, "refused"),
            404 | 429 => is(&result, "recipient later"),
            408 | 421 | 425 => is(&result, "message later"),
            300..500 => is(&result, "rejected"),
            // An intermediary does not know what the receiver did.
            502 | 504 | 520..=527 | 598 | 599 => is(&result, "unknown"),
            511 => is(&result, "unreachable"),
            _ => is(&result, "message later"),
        };
        assert!(expected, "{status}: {result:?}");
    }
}

#[tokio::test]
async fn retries_404_during_a_deployment() {
    const TEN_MINUTES: i64 = 10 * 60 * 1000;
    let hook = open().await;
    let mut message = message(&hook.webhook, &hook.sink.url("/"));
    let first = message.first_attempt_at.as_millis();
    for (tried_for, status, expected) in [
        (0, 404, "recipient later"),
        (TEN_MINUTES - 1, 404, "recipient later"),
        (TEN_MINUTES, 404, "rejected"),
        (0, 410, "rejected"),
        (TEN_MINUTES, 408, "message later"),
        (TEN_MINUTES, 429, "recipient later"),
    ] {
        message.at = Timestamp::from_millis(first + tried_for);
        hook.sink.once(Reply::status(status));
        let error = hook.webhook.send(&message).await.unwrap_err();
        assert_eq!(class(&error), expected, "{status} after {tried_for} ms");
    }
    hook.sink.once(Reply::status(429).with("Retry-After", "9"));
    let error = hook.webhook.send(&message).await.unwrap_err();
    assert_eq!(error.retry(), Retry::After(Some(Duration::from_secs(9))));
}

#[tokio::test]
async fn honours_retry_after_of_a_receiver() {
    let hook = open().await;
    let message = message(&hook.webhook, &hook.sink.url("/"));
    hook.sink.once(Reply::status(503).with("Retry-After", "9"));
    let result = hook.webhook.send(&message).await;
    let error = result.unwrap_err();
    assert_eq!(class(&error), "recipient later");
    assert_eq!(error.retry(), Retry::After(Some(Duration::from_secs(9))));
}

#[tokio::test]
async fn rejects_private_addresses_when_dialling() {
    let sink = WebhookSink::start().await;
    let webhook = Webhook::new(WebhookConfig::default()).unwrap();
    let port = sink.address().port();
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"] {
        let mut message = message(&webhook, "https://hooks.example.org/");
        message.to = Address::new(format!("http://{host}:{port}/")).unwrap();
        let result = webhook.send(&message).await;
        let Err(SendError::Unroutable { reason }) = result else {
            panic!("{host}: {result:?}");
        };
        assert!(reason.contains("allow_networks"), "{reason}");
    }
    assert_eq!(sink.count(), 0);
}

#[tokio::test]
async fn slow_body_is_still_a_success() {
    let hook = open().await;
    let message = message(&hook.webhook, &hook.sink.url("/"));
    hook.sink.once(Reply::DripBody(200));
    assert!(hook.webhook.send(&message).await.unwrap().delivered);
}

/// A sink, and what a webhook of this configuration posted to a path of it.
async fn posted(
    config: WebhookConfig,
    url: impl Fn(&WebhookSink) -> String,
    origin: Option<Origin>,
) -> (OutboundMessage, redflash_tests::Received) {
    let (webhook, sink) = (Webhook::new(config).unwrap(), WebhookSink::start().await);
    let mut message = message(&webhook, &url(&sink));
    message.link = Some(LINK.to_owned()).filter(|_| origin.is_some());
    message.origin = origin;
    webhook.send(&message).await.unwrap();
    (message, sink.received().remove(0))
}

const LINK: &str = "https://alerts.example.org/admin/log/019adf3b5c8e7000a1b2c3d4e5f60000";

fn json_config() -> WebhookConfig {
    WebhookConfig {
        format: WebhookFormat::Json,
        append_id: false,
        ..config()
    }
}

fn origin(target: &str, arguments: Option<Value>) -> Origin {
    Origin {
        target: target.parse().unwrap(),
        raised_at: Timestamp::from_millis(1_780_000_000_123),
        arguments: arguments.map(|value| Arc::new(value.as_object().unwrap().clone())),
    }
}

#[tokio::test]
async fn json_has_the_event_and_its_arguments() {
    let arguments =
        json!({"host": "db1", "percent": 97, "tags": ["a", null], "odd \u{1f525}": {"b": 0.5}});
    let raised = Some(origin("event/disk-full", Some(arguments.clone())));
    let (message, got) = posted(json_config(), |sink| sink.url("/alerts/?a=b"), raised).await;
    assert_eq!(got.path, "/alerts/?a=b");
    assert_eq!(got.header("content-type"), "application/json");
    let id = message.notification.to_string();
    let expected = json!({
        "type": "notification", "timestamp": "2026-05-28T20:26:40.123Z", "id": id,
        "event": "disk-full", "target": "event/disk-full", "subject": message.subject,
        "message": message.body, "arguments": arguments,
        "url": LINK,
    });
    assert_eq!(got.json(), expected);
    assert_eq!(got.header("webhook-id"), message.delivery.to_string());
    assert!(got.is_signed_with(SECRET));
}

#[tokio::test]
async fn json_has_null_for_missing_values() {
    for (raised, event, target, arguments) in [
        (None, json!(null), json!(null), json!({})),
        (
            Some(origin("contact/ann", None)),
            json!(null),
            json!("contact/ann"),
            json!({}),
        ),
        (
            Some(origin("event/a", None)),
            json!("a"),
            json!("event/a"),
            json!(null),
        ),
        (
            Some(origin("event/a", Some(json!({})))),
            json!("a"),
            json!("event/a"),
            json!({}),
        ),
    ] {
        let link = raised.is_some().then_some(LINK);
        let (_, got) = posted(json_config(), |sink| sink.url("/"), raised).await;
        let body = got.json();
        assert_eq!(body["event"], event);
        assert_eq!(body["target"], target);
        assert_eq!(body["arguments"], arguments);
        assert_eq!(body["url"], json!(link));
    }
}

#[tokio::test]
async fn requests_carry_configured_headers() {
    let with_headers = WebhookConfig {
        headers: [("X-Api-Key".to_owned(), "canary".into())].into(),
        authorization: Some("Bearer canary".into()),
        ..config()
    };
    let (_, got) = posted(with_headers.clone(), |sink| sink.url("/"), None).await;
    assert_eq!(got.header("x-api-key"), "canary");
    assert_eq!(got.header("authorization"), "Bearer canary");
    // An address with a user of its own gets that one.
    let url = |sink: &WebhookSink| sink.url("/a").replace("http://", "http://me:p%40ss@");
    let (message, got) = posted(with_headers.clone(), url, None).await;
    // me:p@ss
    assert_eq!(got.header("authorization"), "Basic bWU6cEBzcw==");
    assert_eq!(got.path, format!("/a/{}", message.notification));
    assert!(!got.header("host").contains('@'), "{got:?}");
    let webhook = Webhook::new(with_headers).unwrap();
    assert!(!format!("{webhook:?} {message:?}").contains("canary"));
    let host = webhook.host(&message.to).unwrap();
    assert!(!host.contains("me"), "{host}");
    assert!(!format!("{message:?}").contains("p%40ss"), "{message:?}");
}
