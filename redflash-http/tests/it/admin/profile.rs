//! The profile page.

use redflash_core::model::{Role, User};
use redflash_core::store::Directory;

use super::browser::Browser;
use super::world::World;
use crate::login::{HOSTILE, says};

const PASSWORD: &str = "correct horse battery";
const OTHER: &str = "another good horse";
const PATH: &str = "/admin/profile";

async fn ann(world: &World) -> User {
    world
        .store
        .user(&"ann".parse().unwrap())
        .await
        .unwrap()
        .unwrap()
}

async fn logged_in(world: &World) -> Browser {
    let mut browser = Browser::new(&world.client, "");
    browser.log_in("ann", PASSWORD).await.expect(303);
    browser
}

async fn filled(browser: &mut Browser, fields: &[(&str, &str)]) -> redflash_tests::Answer {
    let version = crate::login::hidden(&browser.get(PATH).await.expect(200).body, "version");
    let fields = [&[("version", &*version)], fields].concat();
    browser.fill(PATH, PATH, &fields).await
}

#[tokio::test]
async fn viewer_changes_own_name_only() {
    let world = World::start().await;
    world.user("ann", Role::Viewer, PASSWORD).await;
    let mut browser = logged_in(&world).await;
    let greedy = [
        ("name", HOSTILE),
        ("is_superuser", "1"),
        ("role", "admin"),
        ("enabled", "false"),
        ("slug", "boss"),
        ("subject", "x"),
    ];
    filled(&mut browser, &greedy).await.expect(303);
    let ann = ann(&world).await;
    assert_eq!(
        (ann.name.as_str(), ann.role, ann.enabled),
        (HOSTILE, Role::Viewer, true)
    );
    assert_eq!(ann.subject, None);
    says(
        &browser.get(PATH).await.expect(200).body,
        &["with read-only access", "&lt;script&gt;"],
    );
    let refused = filled(&mut browser, &[("name", " ")]).await.expect(422);
    says(&refused.body, &["name-error"]);
    let stale = [("name", "Ann"), ("version", "1")];
    browser.fill(PATH, PATH, &stale).await.expect(409);
    browser.post(PATH, &[("name", "Ann")]).await.expect(403);
}

#[tokio::test]
async fn password_change_ends_other_sessions() {
    let world = World::start().await;
    world.user("ann", Role::Admin, PASSWORD).await;
    let (mut here, mut elsewhere) = (logged_in(&world).await, logged_in(&world).await);
    let before = here.cookies["__Host-rf"].clone();
    let fields = [
        ("name", "ann"),
        ("password", PASSWORD),
        ("new_password", OTHER),
        ("repeat_password", OTHER),
    ];
    let done = filled(&mut here, &fields).await.expect(303);
    assert_eq!(done.headers["location"], "/admin/profile?notice=password");
    assert_ne!(here.cookies["__Host-rf"], before);
    here.get(PATH).await.expect(200);
    elsewhere.get(PATH).await.expect(303);
    elsewhere.log_in("ann", PASSWORD).await.expect(401);
    elsewhere.log_in("ann", OTHER).await.expect(303);
}

#[tokio::test]
async fn password_change_needs_current_password() {
    let world = World::start().await;
    world.user("ann", Role::Viewer, PASSWORD).await;
    let mut browser = logged_in(&world).await;
    let new = [
        ("name", "ann"),
        ("new_password", OTHER),
        ("repeat_password", OTHER),
    ];
    let refused = filled(&mut browser, &new).await.expect(422);
    says(&refused.body, &["password-error"]);
    let short = [
        ("name", "ann"),
        ("password", PASSWORD),
        ("new_password", "short"),
        ("repeat_password", "short"),
    ];
    let refused = filled(&mut browser, &short).await.expect(422);
    says(
        &refused.body,
        &["new_password-error", "at least 8 characters"],
    );
    let unlike = [
        ("name", "ann"),
        ("password", PASSWORD),
        ("new_password", OTHER),
    ];
    let refused = filled(&mut browser, &unlike).await.expect(422);
    says(&refused.body, &["repeat_password-error"]);
    for _ in 0..9 {
        filled(&mut browser, &new).await.expect(422);
    }
    filled(&mut browser, &new).await.expect(429);
    assert!(!browser.get(PATH).await.body.contains(PASSWORD));
}
