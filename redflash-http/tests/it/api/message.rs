//! `/api/v1/…/messages` and `/explain`.

use std::num::NonZeroU32;

use redflash_core::clock::Timestamp;
use redflash_core::model::{ApiKey, Contact, Group, Scope};
use redflash_core::store::{Directory, EntryRef};
use redflash_http::HttpConfig;
use redflash_tests::Answer;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::world::{Who, World, refused};

const HELLO: &str = r#"{"message":"hello"}"#;

/// Starts a server with an event and contacts: one has no endpoint, and one rejects messages.
async fn people() -> World {
    people_with(HttpConfig::default()).await
}

async fn people_with(config: HttpConfig) -> World {
    let world = World::start_with(config).await;
    world.contact("ann").await;
    world.contact("refuse").await;
    let bare = Contact::new("bare".parse().unwrap(), "Bare".parse().unwrap());
    world.save(bare).await;
    for (slug, members) in [
        ("well", &["ann"][..]),
        ("some", &["ann", "bare"]),
        ("both", &["ann", "refuse"]),
    ] {
        let members = members.iter().map(|slug| slug.parse().unwrap()).collect();
        world
            .save(Group::new(
                slug.parse().unwrap(),
                slug.parse().unwrap(),
                members,
            ))
            .await;
    }
    let event = json!({"slug": "disk", "name": "Disk", "message": "{{host}}", "contacts": ["ann"]});
    world.ask("POST", "events", &event).await.expect(201);
    world
}

async fn raise(world: &World, path: &str, body: &str) -> Answer {
    world.send(Who::Plain, "POST", path, &[], body).await
}

#[tokio::test]
async fn raises_alert_to_every_target() {
    let world = people().await;
    for (path, body, status) in [
        ("contacts/ann/messages", HELLO, 201),
        ("groups/well/messages", HELLO, 201),
        ("groups/some/messages", HELLO, 202),
        (
            "events/disk/messages",
            r#"{"arguments":{"host":"db1"}}"#,
            201,
        ),
    ] {
        let answer = raise(&world, path, body).await.expect(status);
        let raised = answer.json();
        assert_eq!(
            (&raised["queued"], &raised["recipients"]),
            (&json!(1), &Value::Null),
            "{path}"
        );
        let id = raised["notification_id"].as_str().unwrap();
        let place = format!("/api/v1/notifications/{id}");
        assert_eq!(answer.headers["location"], place);
        let kept = world.get(place.trim_start_matches("/api/v1/")).await;
        assert_eq!(kept["raised_by"], "plain");
    }
    let raised = world
        .send(Who::Inspect, "POST", "groups/some/messages", &[], HELLO)
        .await;
    assert_eq!(
        raised.expect(202).json()["recipients"][1]["skip"],
        "no_endpoint"
    );
    let odd = r#"{"message":"a\u0000b"}"#;
    raise(&world, "contacts/ann/messages", odd)
        .await
        .expect(201);
}

#[tokio::test]
async fn waits_for_sent_deliveries() {
    let world = people().await;
    for (path, status, sent) in [
        ("contacts/ann/messages?wait=10s", 201, 1),
        ("groups/both/messages?wait=10s", 202, 1),
        ("contacts/refuse/messages?wait=10s", 202, 0),
    ] {
        let raised = raise(&world, path, HELLO).await.expect(status).json();
        assert_eq!(raised["sent"], sent, "{path}");
    }
    for wait in ["soon", "", "-1s"] {
        let answer = raise(&world, &format!("contacts/ann/messages?wait={wait}"), HELLO).await;
        refused(&answer, 422, "invalid", "wait");
    }
}

#[tokio::test]
async fn maps_refusals_to_statuses() {
    let world = people().await;
    world
        .ask("PATCH", "groups/well", &json!({"enabled": false}))
        .await
        .expect(200);
    for (path, body, status, code, field) in [
        ("contacts/nobody/messages", HELLO, 404, "unknown_target", ""),
        ("contacts/a%20b/messages", HELLO, 404, "not_found", ""),
        ("groups/well/messages", HELLO, 409, "disabled", ""),
        ("contacts/bare/messages", HELLO, 422, "no_recipients", ""),
        (
            "contacts/ann/messages",
            r#"{"message":" "}"#,
            422,
            "empty_message",
            "",
        ),
        ("contacts/ann/messages", "{}", 422, "invalid", "message"),
        (
            "events/disk/messages",
            r#"{"host":"db1"}"#,
            422,
            "invalid",
            "host",
        ),
        (
            "events/disk/messages",
            r#"{"arguments":[]}"#,
            422,
            "invalid",
            "arguments",
        ),
    ] {
        let answer = raise(&world, path, body).await;
        refused(&answer, status, code, field);
        assert_eq!(answer.json()["recipients"], Value::Null, "{path}");
    }
    let answer = world
        .send(Who::Inspect, "POST", "contacts/bare/messages", &[], HELLO)
        .await;
    assert_eq!(answer.json()["recipients"][0]["contact"], "bare");
}

#[tokio::test]
async fn enforces_scope_and_rate_of_keys() {
    let world = people_with(HttpConfig {
        rate_per_key: NonZeroU32::new(1),
        ..HttpConfig::default()
    })
    .await;
    let only = Scope::Only(["contact/ann".parse().unwrap()].into());
    let now = Timestamp::from_millis(1);
    let (key, secret) = ApiKey::generate("narrow".parse().unwrap(), false, only, now);
    world.save(key).await;
    let bearer = format!("Bearer {}", secret.expose_secret());
    let headers = [
        ("authorization", &*bearer),
        ("content-type", "application/json"),
    ];
    let post = async |path: &str| world.client.send("POST", path, &headers, HELLO).await;
    refused(
        &post("/api/v1/groups/well/messages").await,
        403,
        "not_allowed",
        "",
    );
    post("/api/v1/contacts/ann/messages").await.expect(201);
    let answer = post("/api/v1/contacts/ann/messages").await;
    refused(&answer, 429, "rate_limited", "");
    assert_eq!(answer.headers["retry-after"], "1");
}

#[tokio::test]
async fn raises_once_per_idempotency_key() {
    let world = people().await;
    let post = async |key: &str, body: &str| {
        let promise = [("idempotency-key", key)];
        world
            .send(Who::Plain, "POST", "contacts/ann/messages", &promise, body)
            .await
    };
    let first = post("one", HELLO).await.expect(201).json();
    assert_eq!(post("one", HELLO).await.expect(201).json(), first);
    let other = post("one", r#"{"message":"else"}"#).await;
    refused(&other, 409, "idempotency_mismatch", "");
    refused(&post("", HELLO).await, 400, "bad_idempotency_key", "");
    assert_ne!(post("two", HELLO).await.expect(201).json(), first);
}

#[tokio::test]
async fn answers_repeated_request_despite_rate_limit() {
    let world = people_with(HttpConfig {
        rate_per_key: NonZeroU32::new(1),
        ..HttpConfig::default()
    })
    .await;
    let post = async |who, key: &str, body: &str| {
        let promise = [("idempotency-key", key)];
        world
            .send(who, "POST", "contacts/ann/messages", &promise, body)
            .await
    };
    let first = post(Who::Plain, "one", HELLO).await.expect(201).json();
    refused(
        &post(Who::Plain, "two", HELLO).await,
        429,
        "rate_limited",
        "",
    );
    let again = post(Who::Plain, "one", HELLO).await;
    assert_eq!(again.expect(201).json(), first);
    let other = post(Who::Plain, "one", r#"{"message":"else"}"#).await;
    refused(&other, 409, "idempotency_mismatch", "");
    // Idempotency keys of another API key are independent.
    let others = post(Who::Inspect, "one", HELLO).await.expect(201).json();
    assert_ne!(others["notification_id"], first["notification_id"]);
    let plain = EntryRef::ApiKey("plain".parse().unwrap());
    world.store.remove(&plain).await.unwrap();
    let revoked = post(Who::Plain, "one", HELLO).await;
    refused(&revoked, 401, "invalid_key", "");
}

#[tokio::test]
async fn explains_alert_without_raising_it() {
    let world = people().await;
    let explain =
        async |who, path: &str, body: &str| world.send(who, "POST", path, &[], body).await;
    let plan = explain(Who::Inspect, "groups/some/explain", HELLO)
        .await
        .expect(200)
        .json();
    assert_eq!(plan["recipients"][1]["skip"], "no_endpoint");
    assert_eq!(plan["refusal"], Value::Null);
    let plan = explain(Who::Inspect, "contacts/bare/explain", HELLO)
        .await
        .expect(200)
        .json();
    assert_eq!(plan["refusal"], "no_recipients");
    let filling = r#"{"arguments":{"host":"db1"}}"#;
    let plan = explain(Who::Inspect, "events/disk/explain", filling)
        .await
        .expect(200)
        .json();
    assert_eq!(plan["message"]["body"], "db1");
    let answer = explain(Who::Inspect, "contacts/nobody/explain", HELLO).await;
    refused(&answer, 404, "unknown_target", "");
    let answer = explain(Who::Plain, "contacts/ann/explain", HELLO).await;
    refused(&answer, 403, "not_allowed", "");
    let status = world.get("status").await;
    assert_eq!(
        (&status["backlog"]["queued"], &status["recent"]["states"]),
        (&json!(0), &json!({}))
    );
}

#[tokio::test]
async fn reports_status() {
    let world = people().await;
    raise(&world, "groups/both/messages?wait=10s", HELLO)
        .await
        .expect(202);
    let status = world.get("status").await;
    assert_eq!(status["health"]["running"], true);
    assert_eq!(status["health"]["gateways"][0]["state"], "ok");
    assert_eq!(status["recent"]["states"], json!({"failed": 1, "sent": 1}));
}

#[tokio::test]
async fn lists_missing_and_unused_arguments() {
    let world = people().await;
    let path = "events/disk/messages";
    let typo = r#"{"arguments":{"hots":"db1","more":1}}"#;
    let raised = raise(&world, path, typo).await.expect(201).json();
    assert_eq!(raised["missing"], json!(["host"]));
    assert_eq!(raised["unused"], json!(["hots", "more"]));
    let id = raised["notification_id"].as_str().unwrap();
    let kept = world.get(&format!("notifications/{id}")).await;
    assert_eq!(kept["plan"]["missing"], json!(["host"]));
    assert_eq!(kept["plan"]["message"]["body"], "[host?]");
    let explain = "events/disk/explain";
    let plan = world.send(Who::Inspect, "POST", explain, &[], typo).await;
    assert_eq!(plan.expect(200).json()["unused"], json!(["hots", "more"]));
    let well = r#"{"arguments":{"host":"db1"},"strict":true}"#;
    let raised = raise(&world, path, well).await.expect(201).json();
    assert_eq!(
        (&raised["missing"], &raised["unused"]),
        (&Value::Null, &Value::Null)
    );
}

#[tokio::test]
async fn rejects_missing_arguments_if_strict() {
    let world = people().await;
    let path = "events/disk/messages";
    let strict = r#"{"arguments":{},"strict":true}"#;
    let answer = raise(&world, path, strict).await;
    refused(&answer, 422, "missing_arguments", "");
    assert_eq!(answer.json()["missing"], json!(["host"]));
    let more = r#"{"arguments":{"host":"a","hots":"b"},"strict":true}"#;
    let answer = raise(&world, path, more).await;
    refused(&answer, 422, "unused_arguments", "");
    assert_eq!(answer.json()["unused"], json!(["hots"]));
    let refuse = json!({"missing_arguments": "refuse"});
    world.ask("PATCH", "events/disk", &refuse).await.expect(200);
    let answer = raise(&world, path, "{}").await;
    refused(&answer, 422, "missing_arguments", "");
    let plan = world
        .send(Who::Inspect, "POST", "events/disk/explain", &[], "{}")
        .await;
    assert_eq!(plan.expect(200).json()["refusal"], "missing_arguments");
    assert_eq!(world.get("notifications").await["notifications"], json!([]));
}

#[tokio::test]
async fn old_urls_accept_missing_arguments_unless_event_refuses() {
    let world = people().await;
    let key = world.secret(Who::Plain);
    for (choice, status) in [("blank", 500), ("mark", 201), ("refuse", 500)] {
        let choice = json!({"missing_arguments": choice});
        world.ask("PATCH", "events/disk", &choice).await.expect(200);
        let answer = world
            .client
            .raise("event/disk", key, &[])
            .await
            .expect(status);
        if choice["missing_arguments"] == "blank" {
            // No text is left.
            assert_eq!(answer.code(), "empty_message");
        }
        if choice["missing_arguments"] == "refuse" {
            assert_eq!(answer.code(), "missing_arguments");
            assert!(
                answer.body.contains("is missing arguments: host"),
                "{}",
                answer.body
            );
        }
    }
    let words = json!({"message": "at {{host}}", "missing_arguments": "blank"});
    world.ask("PATCH", "events/disk", &words).await.expect(200);
    let raised = world
        .client
        .raise("event/disk", key, &[])
        .await
        .expect(201)
        .json();
    assert_eq!(raised["missing"], json!(["host"]));
}
