//! Logging in, and the end of sessions.

use redflash_core::model::Role;
use redflash_tests::Browser;

use crate::world::{PASSWORD, World};

const REFUSED: &str = "Incorrect user name or password.";

#[tokio::test(flavor = "multi_thread")]
async fn login_page_shows_the_command_to_create_the_first_user() {
    let world = World::with_users(&[]).await;
    world.visit("/admin/contacts").await;
    world.arrive("/admin/login").await;
    world.page_says("redflash user add NAME --role admin").await;
    world.enter("admin", "admin").await;
    world.page_says(REFUSED).await;
    world.page_says("redflash user add NAME --role admin").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_wrong_passwords_and_returns_to_the_requested_page() {
    let world = World::with_users(&[("boss", Role::Admin), ("gone", Role::Viewer)]).await;
    world.log_in("boss", PASSWORD).await;
    world.arrive("/admin").await;
    world.visit("/admin/users/gone").await;
    world.browser.click("header [role=switch]").await;
    world.page_says("This user is switched off").await;
    world.browser.submit(".side .account form").await;
    world.arrive("/admin/login").await;

    world.visit("/admin/log?q=disk").await;
    world.arrive("/admin/login").await;
    for (user, password) in [
        ("boss", "correct horse"),
        ("nobody", PASSWORD),
        ("gone", PASSWORD),
        ("<script>", PASSWORD),
    ] {
        world.enter(user, password).await;
        world.says("[role=alert]", REFUSED).await;
        let typed = "return [user.value, password.value]";
        let typed = world.browser.execute(typed).await;
        assert_eq!(typed, serde_json::json!([user, ""]));
        world
            .browser
            .execute("document.querySelector('[role=alert]').remove()")
            .await;
    }
    assert!(
        world
            .browser
            .cookies()
            .await
            .iter()
            .all(|cookie| cookie.name() != "__Host-rf")
    );

    world.enter("boss", PASSWORD).await;
    world.arrive("/admin/log").await;
    assert_eq!(world.path().await, "/admin/log?q=disk");
    let cookies = world.browser.cookies().await;
    let cookie = cookies
        .iter()
        .find(|cookie| cookie.name() == "__Host-rf")
        .unwrap();
    assert_eq!(cookie.http_only(), Some(true));
    assert_eq!(cookie.secure(), Some(true));
    assert_eq!(cookie.same_site().unwrap().to_string(), "Lax");
    assert_eq!(world.browser.execute("return document.cookie").await, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn logout_ends_the_session() {
    let world = World::as_user("guest").await;
    world.browser.submit(".side .account form").await;
    world.arrive("/admin/login").await;
    world.browser.execute("history.back()").await;
    world.visit("/admin/contacts").await;
    world.arrive("/admin/login").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changing_the_password_ends_other_sessions() {
    let world = World::as_user("boss").await;
    let elsewhere = Browser::start().await;
    elsewhere.goto(&world.server.url("/admin/profile")).await;
    elsewhere.fill("[name=user]", "boss").await;
    elsewhere.fill("[name=password]", PASSWORD).await;
    elsewhere.submit(".login form").await;
    elsewhere.wait_for("[name=repeat_password]").await;

    elsewhere.fill("[name=password]", "not this one").await;
    elsewhere
        .fill("[name=new_password]", "battery horse correct")
        .await;
    elsewhere
        .fill("[name=repeat_password]", "battery horse correct")
        .await;
    elsewhere.submit("main form").await;
    elsewhere.wait_for("#password-error").await;
    world.visit("/admin/contacts").await;
    world.arrive("/admin/contacts").await;

    elsewhere.fill("[name=password]", PASSWORD).await;
    elsewhere
        .fill("[name=new_password]", "battery horse correct")
        .await;
    elsewhere
        .fill("[name=repeat_password]", "battery horse correct")
        .await;
    elsewhere.submit("main form").await;
    elsewhere.wait_for(".flash.good").await;
    world.visit("/admin/contacts").await;
    world.arrive("/admin/login").await;
    world.enter("boss", PASSWORD).await;
    world.says("[role=alert]", REFUSED).await;
    world.enter("boss", "battery horse correct").await;
    world.arrive("/admin/contacts").await;
}
