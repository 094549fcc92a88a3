//! Setting up an empty database by forms, up to an alert that arrives.

use crate::world::{PASSWORD, World};

#[tokio::test(flavor = "multi_thread")]
async fn forms_create_everything_that_an_alert_needs() {
    let world = World::as_user("boss").await;
    make_contact(&world).await;
    make_group(&world).await;
    make_event(&world).await;
    let secret = make_key(&world).await;
    make_user(&world).await;

    let answer = world
        .client
        .raise("contact/ada", &secret, &[("message", "hi")]);
    answer.await.expect(403);
    let answer = world
        .client
        .raise("event/down", &secret, &[("host", "db1")]);
    let id = answer.await.expect(201).notification();
    let received = world.webhook.expect(1).await;
    assert_eq!(received[0].message(), "db1 is down");
    let texts = world.vonage.expect(1).await;
    assert_eq!(texts[0].form()["text"], "db1 is down");

    world.visit(&format!("/admin/log/{id}")).await;
    world.page_says("db1 is down").await;
    world.page_says("nagios").await;
}

/// Creates a contact with a webhook and an SMS endpoint.
async fn make_contact(world: &World) {
    let browser = &world.browser;
    world.page_says("No contacts yet").await;
    browser.click(".empty a.button").await;
    world.arrive("/admin/new/contact").await;
    world.fill_in_ada().await;
    world.says(".flash.good", "Added.").await;

    let add = |field: &str| format!("form[action$='/endpoints'] [name={field}]");
    browser.choose(&add("channel"), "sms").await;
    browser.fill(&add("address"), "0123").await;
    browser.submit("form[action$='/endpoints']").await;
    world
        .says("#address-error", "write it with its country")
        .await;
    browser.fill(&add("address"), "+44 7700 900123").await;
    browser.submit("form[action$='/endpoints']").await;
    world.says(".endpoints", "+447700900123").await;
    world.says(".endpoints", &world.webhook.url("/ada")).await;
}

async fn make_group(world: &World) {
    let browser = &world.browser;
    world.visit("/admin/groups").await;
    browser.click(".empty a.button").await;
    world.arrive("/admin/new/group").await;
    browser.fill("[name=name]", "Operations").await;
    browser.fill("[name=slug]", "ops").await;
    browser.fill("[data-filter]", "lovelace").await;
    browser.click("[name=contacts][value=ada]").await;
    browser.submit("main form.form").await;
    world.arrive("/admin/groups/ops").await;
    world.page_says("1 member").await;
    world.page_says("Ada Lovelace").await;
}

async fn make_event(world: &World) {
    let browser = &world.browser;
    world.visit("/admin/events").await;
    browser.click(".empty a.button").await;
    world.arrive("/admin/new/event").await;
    browser.fill("[name=name]", "Host down").await;
    browser.fill("[name=slug]", "down").await;
    browser.fill("[name=message]", "{{host}} is down").await;
    browser.click("[name=groups][value=ops]").await;
    browser.submit("main form.form").await;
    world.arrive("/admin/events/down").await;
    world.says("#preview", "host is down").await;
}

/// Creates an API key for the event only, and returns its secret.
async fn make_key(world: &World) -> String {
    let browser = &world.browser;
    world.visit("/admin/keys").await;
    browser.click(".empty a.button").await;
    world.arrive("/admin/new/key").await;
    browser.fill("[name=slug]", "nagios").await;
    browser.choose("[name=scope]", "only").await;
    browser.click("[value='event/down']").await;
    browser.submit("main form.form").await;
    browser.wait_for(".secret").await;
    let secret = browser.text(".secret code").await;
    assert!(secret.starts_with("rfk_"), "{secret} is no API key");

    browser.execute("location.reload()").await;
    world.arrive("/admin/keys/nagios").await;
    world.page_says("raise event/down").await;
    for path in ["/admin/keys/nagios", "/admin/keys", "/admin/audit"] {
        world.visit(path).await;
        assert!(!browser.source().await.contains(&secret), "{path}");
    }
    secret
}

/// Creates a viewer, who logs in and sees the contact.
async fn make_user(world: &World) {
    let browser = &world.browser;
    world.visit("/admin/users").await;
    browser.click("a.button[href='/admin/new/user']").await;
    world.arrive("/admin/new/user").await;
    browser.fill("[name=name]", "Grace Hopper").await;
    browser.fill("[name=slug]", "grace").await;
    browser.choose("[name=role]", "viewer").await;
    browser.fill("[name=new_password]", PASSWORD).await;
    browser.fill("[name=repeat_password]", PASSWORD).await;
    browser.submit("main form.form").await;
    world.arrive("/admin/users/grace").await;
    browser.submit(".side .account form").await;
    world.arrive("/admin/login").await;
    world.enter("grace", PASSWORD).await;
    world.arrive("/admin").await;
    world.says(".side .account", "Grace Hopper").await;
    world.visit("/admin/contacts").await;
    world.page_says("Ada Lovelace").await;
}
