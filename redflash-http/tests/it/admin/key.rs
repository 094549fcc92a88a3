//! The pages of API keys.

use redflash_core::clock::Timestamp;
use redflash_core::model::{ApiKey, KeyHash, Scope};
use redflash_core::store::{Audit, Directory};

use super::world::World;
use crate::login::{Who, hidden, says};

async fn find(world: &World, slug: &str) -> Option<ApiKey> {
    world.store.api_key(&slug.parse().unwrap()).await.unwrap()
}

fn secret(page: &str) -> &str {
    let (_, rest) = page
        .split_once("<code>rfk_")
        .expect("the page shows a secret");
    let (rest, _) = rest.split_once("</code>").unwrap();
    rest
}

#[tokio::test]
async fn shows_secret_once() {
    let world = World::start().await;
    world.contact("ann", "Ann").await;
    says(&world.page("/admin/keys").await, &["No API keys yet"]);
    let once = hidden(&world.page("/admin/new/key").await, "once");
    let fields = [("slug", "app"), ("scope", "all"), ("once", &*once)];
    let made = world.post("/admin/keys", &fields).await.expect(200);
    assert_eq!(made.headers["cache-control"], "no-store");
    says(&made.body, &["data-copy", "cannot show it again"]);
    let secret = format!("rfk_{}", secret(&made.body));
    assert_eq!(
        find(&world, "app").await.unwrap().hash,
        KeyHash::of(&secret)
    );
    world
        .client
        .raise("contact/ann", &secret, &[("message", "hi")])
        .await
        .expect(201);

    let again = world.done("/admin/keys", &fields).await;
    assert_eq!(again, "/admin/keys/app?notice=added");
    let hint = format!("rfk_…{}", &secret[secret.len() - 4..]);
    for path in ["/admin/keys", "/admin/keys/app", &*again] {
        let page = world.page(path).await;
        says(&page, &[&hint, "raise all targets"]);
        assert!(!page.contains(&secret));
    }
    let entries = world.audit_log().await;
    assert!(
        entries[0].starts_with("user/boss added key/app"),
        "{entries:?}"
    );
    assert!(!entries.iter().any(|line| line.contains(&secret)));
    world.post("/admin/keys", &fields[..2]).await.expect(422);
    let other = [
        ("slug", "app"),
        ("scope", "all"),
        ("inspect", "true"),
        ("once", &*once),
    ];
    world.post("/admin/keys", &other).await.expect(422);
    world.is_guarded("/admin/keys", &fields).await;
}

#[tokio::test]
async fn sets_permissions_of_key() {
    let world = World::start().await;
    world.contact("ann", "Ann").await;
    world.group("both", &["ann"]).await;
    world.event("disk", "full", "ann", "both").await;
    let bad = [("slug", "app"), ("scope", "some")];
    says(
        &world.post("/admin/keys", &bad).await.expect(422).body,
        &["scope-error"],
    );
    let bad = [("slug", ""), ("scope", "only")];
    let refused = world.post("/admin/keys", &bad).await.expect(422);
    says(
        &refused.body,
        &["slug-error", "targets-error", "value=\"only\" selected"],
    );
    let bad = [
        ("slug", "app"),
        ("scope", "only"),
        ("targets", "event/disk"),
        ("targets", ".."),
    ];
    let refused = world.post("/admin/keys", &bad).await.expect(422);
    says(
        &refused.body,
        &["targets-error", "value=\"event/disk\" checked"],
    );
    let fields = [
        ("slug", "app"),
        ("scope", "only"),
        ("targets", "event/disk"),
        ("inspect", "true"),
    ];
    let made = world.post("/admin/keys", &fields).await.expect(200);
    says(&made.body, &["POST /event/disk"]);
    let key = find(&world, "app").await.unwrap();
    assert_eq!(
        key.scope,
        Scope::Only(["event/disk".parse().unwrap()].into())
    );
    assert!(key.inspect && !key.admin);
    says(
        &world.page("/admin/keys").await,
        &["raise event/disk, read all data"],
    );

    let page = world.page("/admin/keys/app").await;
    let version = hidden(&page, "version");
    let fields = [
        ("scope", "only"),
        ("targets", "contact/ann"),
        ("admin", "true"),
        ("version", &*version),
    ];
    world.done("/admin/keys/app", &fields).await;
    let key = find(&world, "app").await.unwrap();
    assert_eq!(
        key.scope,
        Scope::Only(["contact/ann".parse().unwrap()].into())
    );
    assert!(key.admin && key.inspect);
    let late = world.post("/admin/keys/app", &fields).await.expect(409);
    says(
        &late.body,
        &["Permissions: raise contact/ann, read and change all data"],
    );
    world
        .post("/admin/keys/app", &fields[..3])
        .await
        .expect(409);
    let empty = [
        ("scope", "only"),
        ("version", &*hidden(&late.body, "version")),
    ];
    world.post("/admin/keys/app", &empty).await.expect(422);
    world.done("/admin/contacts/ann/delete", &[]).await;
    says(
        &world.page("/admin/keys/app").await,
        &["removed", "value=\"contact/ann\" checked"],
    );
}

#[tokio::test]
async fn toggles_and_removes_key() {
    let world = World::start().await;
    let now = Timestamp::from_millis(1);
    let (key, _) = ApiKey::generate("app".parse().unwrap(), false, Scope::All, now);
    world.save(key.clone()).await;
    says(&world.page("/admin/keys").await, &["Never"]);
    world
        .store
        .record_key_usage(&[(key.slug.clone(), now)])
        .await
        .unwrap();
    says(&world.page("/admin/keys/app").await, &["1970-01-01"]);
    let off = [("enabled", "false")];
    world.done("/admin/keys/app/switch", &off).await;
    assert!(!find(&world, "app").await.unwrap().enabled);
    says(&world.page("/admin/keys/app").await, &["are refused"]);
    assert_eq!(world.audit_log().await[0], "user/boss switched_off key/app");
    world
        .is_guarded("/admin/keys/app/switch", &[("enabled", "true")])
        .await;
    world.is_guarded("/admin/keys/app/delete", &[]).await;
    world.is_guarded("/admin/keys/app", &[]).await;
    world.post("/admin/keys/app/switch", &[]).await.expect(400);
    world.done("/admin/keys/app/delete", &[]).await;
    assert_eq!(find(&world, "app").await, None);
    for path in ["", "/switch", "/delete"] {
        let path = format!("/admin/keys/app{path}");
        world.post(&path, &off).await.expect(404);
    }
}

#[tokio::test]
async fn hides_keys_from_viewers() {
    let world = World::start().await;
    for path in ["/admin/keys", "/admin/keys/app", "/admin/new/key"] {
        world.get_as(Who::Viewer, path).await.expect(403);
    }
    world
        .get_as(Who::Admin, "/admin/keys/app")
        .await
        .expect(404);
}
