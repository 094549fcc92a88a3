//! `/api/v1/keys`.

use redflash_core::clock::Timestamp;
use redflash_core::model::KeyHash;
use redflash_core::store::{Audit, Directory};
use serde_json::{Value, json};

use super::world::{Who, World, refused};

/// The secret of an older service's key.
const OLD: &str = "a1b2c3d4e5f6a7b8c9d0";

#[tokio::test]
async fn creates_key_and_shows_secret_once() {
    let world = World::start().await;
    world.contact("ann").await;
    let new = json!({"slug": "app", "only": ["contact/ann", "event/disk"]});
    let made = world.ask("POST", "keys", &new).await.expect(201);
    assert_eq!(made.headers["location"], "/api/v1/keys/app");
    let mut key = made.json();
    let secret = key["secret"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("rfk_"), "{secret}");
    key.as_object_mut().unwrap().remove("secret");
    let only = json!({"only": ["contact/ann", "event/disk"]});
    assert_eq!((&key["scope"], &key["enabled"]), (&only, &json!(true)));
    assert_eq!(
        (&key["inspect"], &key["admin"]),
        (&json!(false), &json!(false))
    );
    let read = world.ask("GET", "keys/app", &Value::Null).await.expect(200);
    assert_eq!(read.json(), key);
    assert_eq!(read.headers["etag"], made.headers["etag"]);
    assert_eq!(world.get("keys?q=APP").await["keys"], json!([key]));
    let raised = world
        .client
        .raise("contact/ann", &secret, &[("message", "x")])
        .await;
    raised.expect(201);
    let elsewhere = world
        .client
        .raise("contact/bob", &secret, &[("message", "x")])
        .await;
    elsewhere.expect(403);
    assert_eq!(
        world.audit_log().await[0],
        format!("key/admin added key/app {}", key["hint"].as_str().unwrap())
    );
}

#[tokio::test]
async fn never_shows_secret_or_hash_again() {
    let world = World::start().await;
    let new = json!({"slug": "old", "value": OLD, "admin": true});
    let made = world.ask("POST", "keys", &new).await.expect(201);
    assert_eq!(made.json()["secret"], Value::Null);
    assert_eq!(made.json()["inspect"], true);
    let mut shown = vec![made.body];
    let off = json!({"inspect": false});
    shown.push(world.ask("PATCH", "keys/old", &off).await.expect(200).body);
    for path in ["keys", "keys/old", "audit"] {
        shown.push(world.ask("GET", path, &Value::Null).await.expect(200).body);
    }
    let again = json!({"slug": "other", "value": OLD});
    let again = world.ask("POST", "keys", &again).await;
    refused(&again, 409, "exists", "");
    shown.push(again.body);
    for value in [
        json!("short canary"),
        json!("rfk_canarycanarycanary"),
        json!(["canary"]),
    ] {
        let bad = json!({"slug": "other", "value": value});
        let bad = world.ask("POST", "keys", &bad).await;
        refused(&bad, 422, "invalid", "value");
        shown.push(bad.body);
    }
    shown.extend(world.audit_log().await);
    let hash = KeyHash::of(OLD).to_string();
    for text in shown {
        assert!(!text.contains(OLD) && !text.contains(&hash), "{text}");
        assert!(!text.contains("canary"), "{text}");
    }
}

#[tokio::test]
async fn changes_and_removes_key() {
    let world = World::start().await;
    world
        .store
        .record_key_usage(&[("plain".parse().unwrap(), Timestamp::from_millis(7))])
        .await
        .unwrap();
    let seen = world
        .ask("GET", "keys/plain", &Value::Null)
        .await
        .expect(200);
    assert_eq!(seen.json()["last_used_at"], 7);
    let patch = async |changes: Value| world.ask("PATCH", "keys/plain", &changes).await;
    let none = patch(json!({"only": []})).await.expect(200).json();
    assert_eq!(
        (&none["scope"], &none["last_used_at"]),
        (&json!({"only": []}), &json!(7))
    );
    let all = patch(json!({"only": null, "admin": true}))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&all["scope"], &all["inspect"]),
        (&json!("all"), &json!(true))
    );
    // The permission `admin` includes `inspect`.
    let both = patch(json!({"inspect": false})).await.expect(200).json();
    assert_eq!(both["inspect"], true);
    let stale = [("if-match", &*seen.headers["etag"])];
    let outdated = world
        .send(Who::Admin, "PATCH", "keys/plain", &stale, "{}")
        .await;
    refused(&outdated, 412, "outdated", "");
    patch(json!({"enabled": false})).await.expect(200);
    let shut_out = world.send(Who::Plain, "GET", "keys", &[], "").await;
    refused(&shut_out, 401, "invalid_key", "");
    refused(&patch(json!({"hash": "x"})).await, 422, "invalid", "hash");
    refused(
        &patch(json!({"only": ["ann"]})).await,
        422,
        "invalid",
        "only[0]",
    );
    refused(
        &patch(json!({"enabled": null})).await,
        422,
        "invalid",
        "enabled",
    );
    let gone = async || world.ask("DELETE", "keys/plain", &Value::Null).await;
    gone().await.expect(204);
    refused(&gone().await, 404, "not_found", "");
    refused(&patch(json!({})).await, 404, "not_found", "");
}

#[tokio::test]
async fn rejects_disabling_own_key() {
    let world = World::start().await;
    let before = world.version().await;
    for (method, body) in [
        ("DELETE", ""),
        ("PATCH", "{\"enabled\":false}"),
        ("PATCH", "{\"admin\":false}"),
    ] {
        let own = world
            .send(Who::Admin, method, "keys/admin", &[], body)
            .await;
        refused(&own, 409, "own_key", "");
    }
    assert_eq!(world.version().await, before);
    let only = json!({"only": []});
    world.ask("PATCH", "keys/admin", &only).await.expect(200);
    let other = json!({"slug": "other", "admin": true});
    let other = world.ask("POST", "keys", &other).await.expect(201).json();
    let bearer = format!("Bearer {}", other["secret"].as_str().unwrap());
    let by_other = [("authorization", &*bearer)];
    let gone = world
        .client
        .send("DELETE", "/api/v1/keys/admin", &by_other, "")
        .await;
    gone.expect(204);
    assert!(
        world
            .store
            .api_key(&"admin".parse().unwrap())
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn hides_keys_users_and_audit_log_from_others() {
    let world = World::start().await;
    for path in ["keys", "keys/plain", "users", "users/ann", "audit"] {
        for who in [Who::Plain, Who::Inspect] {
            let answer = world.send(who, "GET", path, &[], "").await;
            refused(&answer, 403, "not_allowed", "");
        }
    }
}
