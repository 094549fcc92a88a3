//! `/api/v1/gateways`.

use std::collections::BTreeMap;

use redflash_http::{HttpConfig, HttpSettings};
use serde_json::{Value, json};

use super::world::{Who, World, refused};

#[tokio::test]
async fn shows_gateway_without_secret() {
    let secret = "canary-canary-canary";
    let mut settings = HttpSettings::default();
    settings.callback_secrets = BTreeMap::from([("pager".parse().unwrap(), vec![secret.into()])]);
    let config = HttpConfig {
        settings: settings.into(),
        public_url: Some("https://alerts.example".into()),
        ..HttpConfig::default()
    };
    let world = World::start_with(config).await;
    let list = world.get("gateways").await;
    let summary = json!({
        "name": "pager", "type": "pager", "channel": "pager", "features": ["receipts"],
        "prefixes": [], "state": "ok", "since": null, "last_error": null, "next_try_at": null,
        "waiting": 0,
    });
    assert_eq!(list, json!({"gateways": [summary], "next": null}));
    assert_eq!(world.get("gateways?limit=1").await, list);
    assert_eq!(
        world.get("gateways?cursor=pager").await["gateways"],
        json!([])
    );
    let shown = world
        .send(Who::Inspect, "GET", "gateways/pager", &[], "")
        .await
        .expect(200);
    let details = shown.json();
    assert_eq!(details["concurrency"], 32);
    assert_eq!(details["per_second"], Value::Null);
    assert_eq!(
        details["receipts"],
        "https://alerts.example/ack/pager/<callback_secret>"
    );
    assert_eq!(details["replies"], Value::Null);
    assert!(!shown.body.contains("canary"), "{}", shown.body);
    let nothing = world.ask("GET", "gateways/smoke", &Value::Null).await;
    refused(&nothing, 404, "not_found", "");
    let plain = world.send(Who::Plain, "GET", "gateways", &[], "").await;
    refused(&plain, 403, "not_allowed", "");
}

#[tokio::test]
async fn tests_gateway() {
    let world = World::start().await;
    let test = async |body: Value| world.ask("POST", "gateways/pager/test", &body).await;
    let tried = test(json!({"to": "p-ann"})).await.expect(201);
    let trial = tried.json();
    assert_eq!(trial["class"], "accepted", "{trial}");
    let place = &tried.headers["location"];
    let kept = world.get(place.trim_start_matches("/api/v1/")).await;
    assert_eq!(kept["id"], trial["notification"]);
    assert_eq!(kept["deliveries"][0]["state"], "sent");
    assert_eq!(
        kept["plan"]["message"]["body"],
        "This is a test of RedFlash."
    );
    let odd = json!({"to": "p-refuse", "message": "odd\u{0}\u{1b}"});
    let refusal = test(odd).await.expect(201).json();
    assert_eq!(
        (&refusal["class"], &refusal["price"]),
        (&json!("rejected"), &Value::Null)
    );
    assert!(
        refusal["detail"].as_str().unwrap().contains("not here"),
        "{refusal}"
    );
    let path = format!(
        "notifications/{}",
        refusal["notification"].as_str().unwrap()
    );
    assert_eq!(
        world.get(&path).await["plan"]["message"]["body"],
        "odd\u{fffd}"
    );
    let entries = world.audit_log().await;
    let first = format!(
        "p-ann, notification/{}",
        trial["notification"].as_str().unwrap()
    );
    assert_eq!(
        entries[1],
        format!("key/admin tested gateway/pager {first}")
    );
    for (body, field) in [
        (json!({}), "to"),
        (json!({"to": "9"}), "to"),
        (json!({"to": "p-ann", "message": " \n\u{1}"}), "message"),
        (json!({"to": "p-ann", "message": null}), "message"),
        (json!({"to": "p-ann", "wait": "1s"}), "wait"),
    ] {
        refused(&test(body).await, 422, "invalid", field);
    }
    assert_eq!(world.audit_log().await, entries);
    let nothing = world
        .ask("POST", "gateways/smoke/test", &json!({"to": "p-ann"}))
        .await;
    refused(&nothing, 404, "not_found", "");
    let inspect = world
        .send(Who::Inspect, "POST", "gateways/pager/test", &[], "{}")
        .await;
    refused(&inspect, 403, "not_allowed", "");
}
