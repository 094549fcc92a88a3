//! `/api/v1/users`.

use redflash_core::clock::Timestamp;
use redflash_core::model::{Role, Session, User};
use redflash_core::store::{Directory, Sessions};
use serde_json::{Value, json};

use super::world::{Who, World, refused};

const PASSWORD: &str = "correct horse canary";

async fn user(world: &World, slug: &str, role: Role) {
    let slug: redflash_core::model::Slug = slug.parse().unwrap();
    let name = slug.as_str().parse().unwrap();
    let now = Timestamp::from_millis(1);
    world.save(User::new(slug, name, role, now)).await;
}

/// Logs a user in, and returns a check of whether the session is still valid.
async fn session(world: &World, slug: &str) -> impl AsyncFn() -> bool {
    let (session, _) = Session::start(slug.parse().unwrap(), Timestamp::from_millis(1));
    world.store.start_session(&session).await.unwrap();
    let store = world.store.clone();
    async move || store.session(&session.hash).await.unwrap().is_some()
}

#[tokio::test]
async fn creates_changes_and_removes_user() {
    let world = World::start().await;
    let new = json!({"slug": "ann", "name": "Ann Archer", "role": "admin", "password": PASSWORD});
    let made = world.ask("POST", "users", &new).await.expect(201);
    assert_eq!(made.headers["location"], "/api/v1/users/ann");
    let ann = made.json();
    assert_eq!(
        (&ann["role"], &ann["has_password"], &ann["enabled"]),
        (&json!("admin"), &json!(true), &json!(true))
    );
    let bob = json!({"slug": "bob", "name": "Bob", "role": "viewer", "enabled": false});
    let bob = world.ask("POST", "users", &bob).await.expect(201).json();
    assert_eq!(bob["has_password"], false);
    assert_eq!(world.get("users").await["users"], json!([ann, bob]));
    assert_eq!(world.get("users?q=archer").await["users"], json!([ann]));
    let promoted = json!({"role": "admin", "enabled": true});
    let changed = world.ask("PATCH", "users/bob", &promoted).await.expect(200);
    assert_eq!(changed.json()["role"], "admin");
    let stale = [("if-match", &*made.headers["etag"])];
    let outdated = world
        .send(Who::Admin, "DELETE", "users/bob", &stale, "")
        .await;
    refused(&outdated, 412, "outdated", "");
    let mut shown = vec![made.body, changed.body];
    for path in ["users", "users/ann", "audit"] {
        shown.push(world.ask("GET", path, &Value::Null).await.expect(200).body);
    }
    shown.extend(world.audit_log().await);
    for text in shown {
        assert!(
            !text.contains("canary") && !text.contains("argon2"),
            "{text}"
        );
    }
    world
        .ask("DELETE", "users/ann", &Value::Null)
        .await
        .expect(204);
    let gone = world.ask("GET", "users/ann", &Value::Null).await;
    refused(&gone, 404, "not_found", "");
}

#[tokio::test]
async fn ends_sessions_when_permissions_shrink() {
    let world = World::start().await;
    user(&world, "boss", Role::Admin).await;
    user(&world, "ann", Role::Viewer).await;
    let password = json!({"password": PASSWORD});
    for (method, path, body) in [
        ("PATCH", "users/ann", json!({"role": "admin"})),
        ("PUT", "users/ann/password", password.clone()),
        ("PATCH", "users/ann", json!({"enabled": false})),
        ("DELETE", "users/ann", Value::Null),
    ] {
        let holds = session(&world, "ann").await;
        let bystander = session(&world, "boss").await;
        world
            .ask(
                "PATCH",
                "users/ann",
                &json!({"name": format!("{method} {path}")}),
            )
            .await
            .expect(200);
        assert!(holds().await, "a name takes no right");
        let answer = world.ask(method, path, &body).await;
        assert!((200..300).contains(&answer.status), "{}", answer.body);
        assert!(!holds().await, "{method} {path}");
        assert!(bystander().await);
        world
            .ask("PATCH", "users/ann", &json!({"enabled": true}))
            .await;
    }
    let hash = async |slug: &str| world.store.user(&slug.parse().unwrap()).await.unwrap();
    assert!(hash("ann").await.is_none());
    world
        .ask("PUT", "users/boss/password", &password)
        .await
        .expect(204);
    let hash = hash("boss").await.unwrap().password.unwrap();
    assert!(hash.expose().starts_with("$argon2id$"));
    assert_eq!(
        world.audit_log().await[0],
        "key/admin password_set user/boss"
    );
}

#[tokio::test]
async fn keeps_last_admin() {
    let world = World::start().await;
    user(&world, "boss", Role::Admin).await;
    user(&world, "ann", Role::Viewer).await;
    let before = world.version().await;
    for (method, body) in [
        ("DELETE", Value::Null),
        ("PATCH", json!({"role": "viewer"})),
        ("PATCH", json!({"enabled": false})),
    ] {
        let answer = world.ask(method, "users/boss", &body).await;
        refused(&answer, 409, "last_admin", "");
        assert!(
            answer.body.contains("create another one first"),
            "{}",
            answer.body
        );
    }
    assert_eq!(world.version().await, before);
    let promoted = json!({"role": "admin"});
    world.ask("PATCH", "users/ann", &promoted).await.expect(200);
    world
        .ask("DELETE", "users/boss", &Value::Null)
        .await
        .expect(204);
}

#[tokio::test]
async fn names_invalid_field_of_user() {
    let world = World::start().await;
    user(&world, "ann", Role::Viewer).await;
    let long = "x".repeat(1025);
    for (change, status, code, field) in [
        (json!({"slug": "ann"}), 409, "exists", ""),
        (json!({"slug": "a b"}), 422, "invalid", "slug"),
        (json!({"name": ""}), 422, "invalid", "name"),
        (json!({"role": "root"}), 422, "invalid", "role"),
        (json!({"password": "canary7"}), 422, "invalid", "password"),
        (json!({"password": long}), 422, "invalid", "password"),
        (json!({"password": 123_456_789}), 422, "invalid", "password"),
        (json!({"password": null}), 422, "invalid", "password"),
        (json!({"subject": "x"}), 422, "invalid", "subject"),
    ] {
        let mut new = json!({"slug": "bob", "name": "Bob", "role": "viewer"});
        new.as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        let answer = world.ask("POST", "users", &new).await;
        refused(&answer, status, code, field);
        assert!(
            !answer.body.contains("canary") && !answer.body.contains("123456789"),
            "{}",
            answer.body
        );
    }
    let missing = world.ask("POST", "users", &json!({"slug": "bob"})).await;
    refused(&missing, 422, "invalid", "name");
    let password = json!({"password": PASSWORD});
    let nobody = world.ask("PUT", "users/bob/password", &password).await;
    refused(&nobody, 404, "not_found", "");
    let short = json!({"password": "short"});
    let short = world.ask("PUT", "users/ann/password", &short).await;
    refused(&short, 422, "invalid", "password");
    let renamed = world
        .ask("PATCH", "users/ann", &json!({"slug": "eve"}))
        .await;
    refused(&renamed, 422, "invalid", "slug");
}
