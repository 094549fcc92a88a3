//! The pages of users.

use redflash_core::model::{Role, User};
use redflash_core::store::Directory;

use super::browser::Browser;
use super::world::World;
use crate::login::{HOSTILE, Who, hidden, says};

const PASSWORD: &str = "correct horse battery";

async fn find(world: &World, slug: &str) -> Option<User> {
    world.store.user(&slug.parse().unwrap()).await.unwrap()
}

#[tokio::test]
async fn creates_user_once_who_can_log_in() {
    let world = World::start().await;
    let blank = world.page("/admin/new/user").await;
    let once = hidden(&blank, "once");
    let fields = [
        ("slug", "ann"),
        ("name", HOSTILE),
        ("role", "viewer"),
        ("new_password", PASSWORD),
        ("repeat_password", PASSWORD),
        ("once", &*once),
    ];
    for _ in 0..2 {
        let location = world.done("/admin/users", &fields).await;
        assert_eq!(location, "/admin/users/ann?notice=added");
    }
    let entries = world.audit_log().await;
    assert!(
        entries[0].starts_with("user/boss added user/ann"),
        "{entries:?}"
    );
    assert!(
        !entries
            .iter()
            .any(|line| line.contains(PASSWORD) || line.contains("argon2"))
    );
    says(
        &world.page("/admin/users").await,
        &["3 users", ">password<", "&lt;script&gt;"],
    );
    let page = world.page("/admin/users/ann").await;
    assert!(!page.contains("argon2"));
    world.post("/admin/users", &fields[..5]).await.expect(422);
    let other = [
        &fields[..3],
        &[
            ("new_password", "another horse"),
            ("repeat_password", "another horse"),
            fields[5],
        ],
    ];
    world
        .post("/admin/users", &other.concat())
        .await
        .expect(422);
    world.is_guarded("/admin/users", &fields).await;
    let mut ann = Browser::new(&world.client, "");
    ann.log_in("ann", PASSWORD).await.expect(303);
    ann.get("/admin/contacts").await.expect(200);
}

#[tokio::test]
async fn shows_errors_at_fields() {
    let world = World::start().await;
    let bad = [
        ("slug", "a b"),
        ("name", ""),
        ("role", "root"),
        ("new_password", "short"),
        ("repeat_password", "short"),
    ];
    let refused = world.post("/admin/users", &bad).await.expect(422);
    let errors = [
        "slug-error",
        "name-error",
        "role-error",
        "new_password-error",
        "value=\"a b\"",
    ];
    says(&refused.body, &errors);
    assert!(!refused.body.contains("value=\"short\""));
    let twice = [
        ("slug", "ann"),
        ("name", "Ann"),
        ("role", "admin"),
        ("new_password", PASSWORD),
        ("repeat_password", "other"),
    ];
    let refused = world.post("/admin/users", &twice).await.expect(422);
    says(
        &refused.body,
        &[
            "repeat_password-error",
            "do not match",
            "value=\"admin\" selected",
        ],
    );
    assert!(!refused.body.contains(PASSWORD));
    assert_eq!(find(&world, "ann").await, None);
}

#[tokio::test]
async fn changes_user_unless_changed_meanwhile() {
    let world = World::start().await;
    let page = world.page("/admin/users/guest").await;
    let version = hidden(&page, "version");
    let fields = [("name", "Guest"), ("role", "admin"), ("version", &*version)];
    let location = world.done("/admin/users/guest", &fields).await;
    assert_eq!(location, "/admin/users/guest?notice=saved");
    let guest = find(&world, "guest").await.unwrap();
    assert_eq!((guest.name.as_str(), guest.role), ("Guest", Role::Admin));
    let late = [("name", "Mine"), ("role", "viewer"), ("version", &*version)];
    let refused = world.post("/admin/users/guest", &late).await.expect(409);
    says(
        &refused.body,
        &["Name: Guest", "Role: admin", "value=\"Mine\""],
    );
    world
        .post("/admin/users/guest", &late[..2])
        .await
        .expect(409);
    let bad = [
        ("name", ""),
        ("role", ""),
        ("version", &*hidden(&refused.body, "version")),
    ];
    let refused = world.post("/admin/users/guest", &bad).await.expect(422);
    says(&refused.body, &["name-error", "role-error"]);
    world.post("/admin/users/nobody", &fields).await.expect(404);
    for path in [
        "/admin/users/nobody",
        "/admin/users/%00",
        "/admin/users/..%2F",
    ] {
        world.get_as(Who::Admin, path).await.expect(404);
    }
}

#[tokio::test]
async fn keeps_last_admin() {
    let world = World::start().await;
    let version = hidden(&world.page("/admin/users/boss").await, "version");
    let demote = [("name", "boss"), ("role", "viewer"), ("version", &*version)];
    let off = [("enabled", "false")];
    for (path, fields) in [
        ("/admin/users/boss", &demote[..]),
        ("/admin/users/boss/switch", &off),
        ("/admin/users/boss/delete", &[]),
    ] {
        let refused = world.post(path, fields).await.expect(422);
        says(&refused.body, &["role-error", "last admin who can log in"]);
    }
    let boss = find(&world, "boss").await.unwrap();
    assert!(boss.enabled && boss.role == Role::Admin);
    world.user("ann", Role::Admin, PASSWORD).await;
    world.done("/admin/users/boss/switch", &off).await;
    assert!(!find(&world, "boss").await.unwrap().enabled);
    // Admins who disable themselves are logged out.
    world.get_as(Who::Admin, "/admin/users").await.expect(303);
}

#[tokio::test]
async fn ends_sessions_of_disabled_removed_and_changed_users() {
    let world = World::start().await;
    world.user("ann", Role::Viewer, PASSWORD).await;
    let mut ann = Browser::new(&world.client, "");
    ann.log_in("ann", PASSWORD).await.expect(303);
    ann.get("/admin/contacts").await.expect(200);
    let other = "another good horse";
    let fields = [("new_password", other), ("repeat_password", other)];
    let done = world.done("/admin/users/ann/password", &fields).await;
    assert_eq!(done, "/admin/users/ann?notice=password");
    assert_eq!(
        world.audit_log().await[0],
        "user/boss password_set user/ann"
    );
    ann.get("/admin/contacts").await.expect(303);
    ann.log_in("ann", PASSWORD).await.expect(401);
    ann.log_in("ann", other).await.expect(303);
    world
        .done("/admin/users/ann/switch", &[("enabled", "false")])
        .await;
    ann.get("/admin/contacts").await.expect(303);
    ann.log_in("ann", other).await.expect(401);
    world
        .done("/admin/users/ann/switch", &[("enabled", "true")])
        .await;
    ann.log_in("ann", other).await.expect(303);
    world.done("/admin/users/ann/delete", &[]).await;
    ann.get("/admin/contacts").await.expect(303);
    ann.log_in("ann", other).await.expect(401);
    world.post("/admin/users/ann/delete", &[]).await.expect(404);
    world
        .post("/admin/users/ann/password", &fields)
        .await
        .expect(404);
    let bad = [("new_password", other), ("repeat_password", "")];
    world
        .post("/admin/users/guest/password", &bad)
        .await
        .expect(422);
    world
        .post("/admin/users/guest/switch", &[])
        .await
        .expect(400);
    for (path, fields) in [
        ("password", &fields[..]),
        ("switch", &[("enabled", "false")]),
        ("delete", &[]),
    ] {
        world
            .is_guarded(&format!("/admin/users/guest/{path}"), fields)
            .await;
    }
}

#[tokio::test]
async fn hides_users_from_viewers() {
    let world = World::start().await;
    for path in ["/admin/users", "/admin/users/boss", "/admin/new/user"] {
        world.get_as(Who::Viewer, path).await.expect(403);
    }
    let page = world
        .get_as(Who::Viewer, "/admin/contacts")
        .await
        .expect(200);
    assert!(!page.body.contains("/admin/users") && !page.body.contains("/admin/keys"));
    says(
        &world.page("/admin/contacts").await,
        &["/admin/users", "/admin/keys"],
    );
}

#[tokio::test]
async fn admin_stays_logged_in_after_own_password_change() {
    let world = World::start().await;
    world.user("ann", Role::Admin, PASSWORD).await;
    let mut ann = Browser::new(&world.client, "");
    let mut elsewhere = Browser::new(&world.client, "");
    for browser in [&mut ann, &mut elsewhere] {
        browser.log_in("ann", PASSWORD).await.expect(303);
    }
    let fields = [
        ("new_password", "another horse"),
        ("repeat_password", "another horse"),
    ];
    let path = "/admin/users/ann";
    ann.fill(path, &format!("{path}/password"), &fields)
        .await
        .expect(303);
    ann.get(path).await.expect(200);
    elsewhere.get(path).await.expect(303);
}
