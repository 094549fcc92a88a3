//! Proxies and private certificate authorities, which all gateways that speak HTTP may have.

use std::time::Duration;

use redflash_channels::configure;
use redflash_core::conformance::channel::message;
use redflash_core::gateway::Gateway;
use redflash_core::message::SendError;
use redflash_core::model::Address;
use redflash_tests::{Authority, ConnectProxy, Reply, Rules, Simulator, TlsFront, WebhookSink};
use serde_json::{Value, json};
use tempfile::NamedTempFile;

/// An ntfy that takes everything.
const NTFY: Rules = Rules {
    faults: |_| Vec::new(),
    refuse: |reason| Reply::body(400, reason),
    accept: |_, _| Reply::body(200, r#"{"id":"abc"}"#),
};

fn gateway(table: &Value) -> Gateway {
    let mut table = table.as_object().cloned().unwrap();
    table.insert("name".into(), "peer".into());
    table.insert("timeout".into(), "5s".into());
    configure(table, None).unwrap().gateway
}

/// A gateway for webhooks that may dial this machine, with these keys beside.
fn webhook(more: &Value) -> Gateway {
    let mut table = json!({"type": "webhook", "allow_networks": ["127.0.0.0/8"]});
    let keys = table.as_object_mut().unwrap();
    keys.extend(more.as_object().unwrap().clone());
    gateway(&table)
}

async fn send(gateway: &Gateway, to: &str) -> Result<(), SendError> {
    let mut message = message(&*gateway.channel, "https://hooks.example.org/");
    message.to = Address::new(to).unwrap();
    gateway.channel.send(&message).await.map(|_| ())
}

fn lines(proxy: &ConnectProxy) -> Vec<String> {
    proxy.asked().into_iter().map(|asked| asked.line).collect()
}

fn file(contents: &str) -> NamedTempFile {
    let file = NamedTempFile::new().unwrap();
    std::fs::write(file.path(), contents).unwrap();
    file
}

#[tokio::test]
async fn tunnels_webhooks_to_the_checked_address() {
    let (sink, authority) = (WebhookSink::start().await, Authority::new());
    let front = TlsFront::of(&authority, sink.address()).await;
    let proxy = ConnectProxy::to(front.address()).await;
    let (ca, url) = (
        file(&authority.certificate),
        file(&format!("{}\n", proxy.url(Some("me:can%40ary")))),
    );
    let hooks = webhook(&json!({"proxy_file": url.path(), "ca_file": ca.path()}));
    for _ in 0..2 {
        send(&hooks, "https://localhost:4711/a").await.unwrap();
    }
    let asked = proxy.asked();
    assert_eq!(asked.len(), 1, "the connection is used again: {asked:?}");
    assert_eq!(asked[0].line, "CONNECT 127.0.0.1:4711 HTTP/1.1");
    // me:can@ary
    assert_eq!(
        asked[0].authorization.as_deref(),
        Some("Basic bWU6Y2FuQGFyeQ==")
    );
    assert_eq!(front.names(), ["localhost"]);
    let got = sink.received();
    assert_eq!(got.len(), 2);
    assert_eq!(got[0].header("host"), "localhost:4711");
    assert!(got[0].header("user-agent").starts_with("RedFlash/"));
    assert_eq!(got[0].header("proxy-authorization"), "");
    assert!(!format!("{hooks:?}").contains("can"), "{hooks:?}");
}

#[tokio::test]
async fn proxy_cannot_bypass_the_guard() {
    let sink = WebhookSink::start().await;
    let proxy = ConnectProxy::to(sink.address()).await;
    let hooks = gateway(&json!({"type": "webhook", "proxy": proxy.url(None)}));
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "10.0.0.1"] {
        for scheme in ["http", "https"] {
            let result = send(&hooks, &format!("{scheme}://{host}:4711/")).await;
            let Err(SendError::Unroutable { reason }) = result else {
                panic!("{host}: {result:?}");
            };
            assert!(reason.contains("allow_networks"), "{reason}");
        }
    }
    assert_eq!(lines(&proxy), [""; 0]);
    let hooks = webhook(&json!({"proxy": proxy.url(None)}));
    sink.once(Reply::status(302).with("Location", "http://127.0.0.1:1/"));
    let result = send(&hooks, "http://localhost:4711/").await;
    assert!(
        matches!(result, Err(SendError::Rejected { .. })),
        "{result:?}"
    );
    assert_eq!(lines(&proxy), ["CONNECT 127.0.0.1:4711 HTTP/1.1"]);
    assert_eq!(sink.count(), 1);
}

#[tokio::test]
async fn proxy_resolves_vendors_by_name() {
    let (vendor, authority) = (
        Simulator::start(NTFY).await,
        Authority::naming("ntfy.example"),
    );
    let front = TlsFront::of(&authority, vendor.address()).await;
    let proxy = ConnectProxy::to(front.address()).await;
    let ca = file(&authority.certificate);
    let mut table = json!({
        "type": "ntfy", "base_url": "https://ntfy.example", "proxy": proxy.url(None),
        "ca_file": ca.path(),
    });
    let ntfy = gateway(&table);
    let message = message(&*ntfy.channel, "topic");
    ntfy.channel.send(&message).await.unwrap();
    assert_eq!(lines(&proxy), ["CONNECT ntfy.example:443 HTTP/1.1"]);
    assert_eq!(front.names(), ["ntfy.example"]);
    // Without the file, this machine does not trust the issuer of the certificate.
    table.as_object_mut().unwrap().remove("ca_file");
    let result = gateway(&table).channel.send(&message).await;
    assert!(
        matches!(result, Err(SendError::Unreachable(_))),
        "{result:?}"
    );
}

#[tokio::test]
async fn trusts_the_ca_file_without_a_proxy() {
    let (sink, authority) = (WebhookSink::start().await, Authority::new());
    let front = TlsFront::of(&authority, sink.address()).await;
    let ca = file(&authority.certificate);
    let url = format!("https://localhost:{}/", front.address().port());
    let result = send(&webhook(&json!({})), &url).await;
    assert!(
        matches!(result, Err(SendError::Unreachable(_))),
        "{result:?}"
    );
    send(&webhook(&json!({"ca_file": ca.path()})), &url)
        .await
        .unwrap();
    assert_eq!(sink.count(), 1);
}

#[tokio::test]
async fn message_without_a_tunnel_is_unreachable() {
    for status in [
        "403 Forbidden",
        "407 Proxy Authentication Required",
        "502 Bad Gateway",
    ] {
        let proxy = ConnectProxy::refusing(status).await;
        let hooks = webhook(&json!({"proxy": proxy.url(Some("me:canary"))}));
        let Err(error @ SendError::Unreachable(_)) = send(&hooks, "http://localhost:4711/").await
        else {
            panic!("{status}");
        };
        let text = error.detail();
        assert!(
            text.contains("proxy 127.0.0.1:") && !text.contains("canary"),
            "{text}"
        );
    }
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = format!("http://{}", silent.local_addr().unwrap());
    let mut table = json!({"type": "webhook", "allow_networks": ["127.0.0.0/8"], "proxy": proxy});
    table["name"] = "peer".into();
    table["timeout"] = "400ms".into();
    let hooks = configure(table.as_object().cloned().unwrap(), None)
        .unwrap()
        .gateway;
    let begun = std::time::Instant::now();
    let result = send(&hooks, "http://localhost:4711/").await;
    assert!(
        matches!(result, Err(SendError::Unreachable(_))),
        "{result:?}"
    );
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn lost_answer_in_a_tunnel_is_an_unknown_outcome() {
    let sink = WebhookSink::start().await;
    let proxy = ConnectProxy::to(sink.address()).await;
    let hooks = webhook(&json!({"proxy": proxy.url(None)}));
    sink.once(Reply::Drop);
    let result = send(&hooks, "http://localhost:4711/").await;
    assert!(matches!(result, Err(SendError::Unknown(_))), "{result:?}");
    assert_eq!(sink.count(), 1);
}

#[test]
fn error_names_bad_proxy_and_certificate_file() {
    let (empty, broken) = (file(""), file("-----BEGIN CERTIFICATE-----\n!!!\n"));
    let broken_der = file("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    let path = |file: &NamedTempFile| file.path().to_str().unwrap().to_owned();
    for (key, value) in [
        ("proxy", "proxy.example.org:3128".to_owned()),
        ("proxy_file", "/nowhere".to_owned()),
        ("ca_file", "/nowhere".to_owned()),
        ("ca_file", path(&empty)),
        ("ca_file", path(&broken)),
        ("ca_file", path(&broken_der)),
    ] {
        for kind in ["webhook", "ntfy"] {
            let mut table = json!({"name": "peer", "type": kind});
            table[key] = value.clone().into();
            let error = configure(table.as_object().cloned().unwrap(), None).unwrap_err();
            assert_eq!(error.key.as_deref(), Some(key), "{error}");
            assert!(key == "proxy" || error.reason.contains(&value), "{error}");
        }
    }
    // Mail does not speak HTTP.
    let table = json!({"name": "a", "type": "console", "proxy": "none"});
    let error = configure(table.as_object().cloned().unwrap(), None).unwrap_err();
    assert!(error.reason.contains("unknown field `proxy`"), "{error}");
}
