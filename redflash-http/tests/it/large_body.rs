//! Large bodies, such as those of an Alertmanager with hundreds of alerts.

use redflash_http::HttpConfig;
use redflash_tests::Answer;
use serde_json::{Value, json};

use crate::site::Site;

/// A body of about 600 kB.
fn alertmanager() -> Value {
    let alert = |number: u32| {
        let text = "a description of what happened, and what to do about it. ".repeat(20);
        json!({
            "status": "firing",
            "labels": { "alertname": "DiskFull", "instance": format!("db{number}") },
            "annotations": { "description": text },
            "host": format!("db{number}"),
        })
    };
    let alerts: Vec<_> = (0..500).map(alert).collect();
    json!({ "version": "4", "status": "firing", "alerts": alerts })
}

async fn post(site: &Site, path: &str, key: Option<&str>, body: &Value) -> Answer {
    let bearer = key.map(|key| format!("Bearer {key}"));
    let mut headers = vec![("content-type", "application/json")];
    headers.extend(bearer.as_deref().map(|bearer| ("authorization", bearer)));
    site.client
        .send("POST", path, &headers, body.to_string())
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn key_outside_the_body_allows_large_body() {
    let site = Site::start(HttpConfig::default()).await;
    let body = alertmanager();
    assert!(body.to_string().len() > 500_000);
    let with_query = format!("/event/disk/?api_key={}", site.plain);
    for (path, key) in [
        ("/event/disk", Some(&*site.plain)),
        (&*with_query, None),
        (&*with_query, Some("rfk_nobody")),
    ] {
        post(&site, path, key, &body).await.expect(201);
    }
    let api = json!({ "arguments": body });
    let path = "/api/v1/events/disk/messages";
    post(&site, path, Some(&site.plain), &api).await.expect(201);
    let path = "/api/v1/events/disk/explain";
    let plan = post(&site, path, Some(&site.key), &api).await.expect(200);
    let text = plan.json()["message"]["body"].as_str().unwrap().to_owned();
    assert!(
        text.starts_with("disk db0 db1 ") && text.ends_with("db499 "),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn checks_key_before_size_and_size_before_scope() {
    let site = Site::start(HttpConfig {
        max_body: 1024 * 1024,
        ..HttpConfig::default()
    })
    .await;
    let large = alertmanager();
    let mut with_key = large.clone();
    with_key["api_key"] = site.plain.clone().into();
    let too_large = json!({ "text": "x".repeat(1024 * 1024) });
    for (path, key, body, status, code) in [
        ("/event/disk", None, &large, 500, "too_large"),
        ("/event/disk", None, &with_key, 500, "too_large"),
        (
            "/event/disk",
            Some("rfk_nobody"),
            &large,
            403,
            "invalid_key",
        ),
        (
            "/event/disk",
            Some(&*site.revoked),
            &too_large,
            403,
            "invalid_key",
        ),
        (
            "/event/disk",
            Some(&*site.narrow),
            &too_large,
            500,
            "too_large",
        ),
        (
            "/event/disk",
            Some(&*site.narrow),
            &large,
            403,
            "not_allowed",
        ),
        (
            "/event/nobody",
            Some(&*site.narrow),
            &large,
            403,
            "not_allowed",
        ),
        (
            "/event/nobody",
            Some(&*site.plain),
            &large,
            404,
            "unknown_target",
        ),
        (
            "/api/v1/events/disk/messages",
            None,
            &large,
            401,
            "invalid_key",
        ),
        (
            "/api/v1/events/disk/messages",
            Some(&*site.narrow),
            &too_large,
            413,
            "too_large",
        ),
    ] {
        let answer = post(&site, path, key, body).await.expect(status);
        assert_eq!(answer.code(), code, "{path} {key:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_text_of_message() {
    let site = Site::start(HttpConfig::default()).await;
    let body = json!({ "message": "ä".repeat(500_000) });
    let path = "/contact/ann?wait=10s";
    post(&site, path, Some(&site.key), &body).await.expect(201);
    let sent = site.pager.sent_to("ann").remove(0);
    assert!(sent.len() <= 256 * 1024 + '…'.len_utf8() && sent.ends_with("ä…"));
}
