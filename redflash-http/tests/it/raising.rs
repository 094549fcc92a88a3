//! Limits on misbehaving clients, and the responses to a raise.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use redflash_http::{HttpConfig, Mode};
use redflash_tests::raw::{Step, exchange};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use crate::site::Site;

fn impatient() -> HttpConfig {
    HttpConfig {
        header_timeout: Duration::from_millis(300),
        body_timeout: Duration::from_millis(300),
        ..HttpConfig::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn closes_connection_of_silent_client() {
    let site = Site::start(impatient()).await;
    for steps in [
        vec![],
        vec![Step::Send("POST /contact/ann HTTP/1.1\r\n".into())],
        vec![Step::Repeat(
            "X-A: b\r\n".into(),
            Duration::from_millis(100),
        )],
    ] {
        let begun = Instant::now();
        let talk = exchange(site.address, &steps, Duration::from_secs(5)).await;
        assert!(talk.closed.is_some(), "still open");
        assert!(
            begun.elapsed() < Duration::from_secs(4),
            "{:?}",
            begun.elapsed()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_slow_body() {
    let site = Site::start(impatient()).await;
    let steps = [
        site.request(1000, "message=hi"),
        Step::Repeat("x".into(), Duration::from_millis(100)),
    ];
    let talk = exchange(site.address, &steps, Duration::from_secs(5)).await;
    assert_eq!(talk.status(), Some(500), "{}", talk.text());
    assert!(talk.text().contains("too_slow"), "{}", talk.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_large_body_unread() {
    let config = HttpConfig {
        max_body: 1000,
        ..HttpConfig::default()
    };
    let site = Site::start(config).await;
    let steps = [site.request(10_737_418_240, "")];
    let talk = exchange(site.address, &steps, Duration::from_secs(2)).await;
    assert_eq!(talk.status(), Some(500), "{}", talk.text());
    assert!(talk.text().contains("too_large") && talk.closed.is_some());
    let whole = "message=".len() + 992;
    let steps = [site.request(whole, &format!("message={}", "a".repeat(992)))];
    let talk = exchange(site.address, &steps, Duration::from_millis(500)).await;
    assert_eq!(talk.status(), Some(201), "{}", talk.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn rate_limit_applies_per_key() {
    let config = HttpConfig {
        rate_per_key: NonZeroU32::new(2),
        ..HttpConfig::default()
    };
    let site = Site::start(config).await;
    let raise = async |key: &str| {
        site.client
            .raise("contact/ann", key, &[("message", "hi")])
            .await
    };
    for _ in 0..2 {
        raise(&site.key).await.expect(201);
    }
    let refused = raise(&site.key).await.expect(500);
    assert_eq!(refused.code(), "rate_limited");
    assert_eq!(refused.headers["retry-after"], "1");
    raise(&site.plain).await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn repeated_request_passes_rate_limit() {
    let config = HttpConfig {
        rate_per_key: NonZeroU32::new(1),
        ..HttpConfig::default()
    };
    let site = Site::start(config).await;
    let raise = async |promise: &str| {
        let headers = [("idempotency-key", promise)];
        let fields = [("message", "hi")];
        site.client
            .raise_with("contact/ann", &site.key, &fields, &headers)
            .await
    };
    let first = raise("one").await.expect(201).json();
    assert_eq!(raise("two").await.expect(500).code(), "rate_limited");
    assert_eq!(raise("one").await.expect(201).json(), first);
    assert_eq!(raise("").await.expect(500).code(), "bad_idempotency_key");
}

#[tokio::test(flavor = "multi_thread")]
async fn sync_response_counts_sent_deliveries() {
    let config = HttpConfig {
        mode: Mode::Sync,
        ..HttpConfig::default()
    };
    let site = Site::start(config).await;
    for (target, status, sent) in [
        ("contact/ann", 201, 1),
        ("group/both", 202, 1),
        ("contact/refuse", 500, 0),
    ] {
        let fields = [("message", "hi")];
        let answer = site
            .client
            .raise(target, &site.key, &fields)
            .await
            .expect(status);
        assert_eq!(answer.json()["sent"], sent, "{target}");
    }
    let path = "contact/refuse?wait=0s";
    site.client
        .raise(path, &site.key, &[("message", "hi")])
        .await
        .expect(201);
    let refused = site
        .client
        .raise("contact/ann?wait=soon", &site.key, &[("message", "hi")])
        .await;
    assert_eq!(refused.expect(500).code(), "bad_wait");
}

#[tokio::test(flavor = "multi_thread")]
async fn shows_recipients_to_inspecting_keys_only() {
    let site = Site::start(HttpConfig::default()).await;
    let fields = [("message", "hi")];
    let answer = site
        .client
        .raise("group/both", &site.key, &fields)
        .await
        .expect(201);
    assert_eq!(answer.json()["recipients"][0]["contact"], "ann");
    let answer = site
        .client
        .raise("group/both", &site.plain, &fields)
        .await
        .expect(201);
    assert_eq!(answer.json().get("recipients"), None);
    let id = answer.notification();
    let path = format!("/api/v1/notifications/{id}");
    let summary = site
        .client
        .get_as(&path, &site.plain)
        .await
        .expect(200)
        .json();
    assert_eq!(summary["queued"], 2);
    assert_eq!(summary.get("plan"), None);
    let unknown = site
        .client
        .get_as("/api/v1/notifications/none", &site.key)
        .await
        .expect(404);
    assert_eq!(unknown.headers["content-type"], "application/problem+json");
}

#[tokio::test(flavor = "multi_thread")]
async fn keeps_safe_request_id() {
    let site = Site::start(HttpConfig::default()).await;
    for (given, kept) in [("a-1.B_2", true), ("a b", false), (&*"x".repeat(65), false)] {
        let answer = site
            .client
            .send("GET", "/healthz", &[("x-request-id", given)], String::new())
            .await;
        assert_eq!(answer.headers["x-request-id"] == given, kept, "{given}");
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn caches_assets_only() {
    let site = Site::start(HttpConfig::default()).await;
    let login = site.client.get("/admin/login").await.expect(200);
    assert_eq!(login.headers["cache-control"], "no-store");
    let urls = login.body.split('"');
    let assets: Vec<_> = urls.filter(|url| url.contains("/admin/assets/")).collect();
    assert_eq!(assets.len(), 3, "{}", login.body);
    for url in assets {
        let asset = site.client.get(url).await.expect(200);
        let kept = &asset.headers["cache-control"];
        assert_eq!(kept, "public, max-age=31536000, immutable", "{url}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_refuses_new_requests_and_ends() {
    let mut site = Site::start(HttpConfig::default()).await;
    // A connection without a request, as browsers open them ahead of need.
    let mut ahead = TcpStream::connect(site.address).await.unwrap();
    site.client.get("/readyz").await.expect(200);
    let begun = Instant::now();
    site.stop.take().unwrap().send(()).unwrap();
    site.serving.await.unwrap().unwrap();
    assert!(begun.elapsed() < HttpConfig::default().drain);
    assert_eq!(ahead.read(&mut [0]).await.unwrap_or(0), 0);
    assert!(TcpStream::connect(site.address).await.is_err());
}
