//! The main tasks without JavaScript.

use redflash_tests::{Reply, until};

use crate::world::{PASSWORD, World};

#[tokio::test(flavor = "multi_thread")]
async fn works_without_javascript() {
    let world = World::start().await;
    let browser = &world.browser;
    browser.javascript(false).await;
    world.hooked("bob").await;
    world.log_in("boss", PASSWORD).await;
    world.arrive("/admin").await;

    add_a_contact_and_switch_it(&world).await;
    preview_and_add_an_event(&world).await;
    send_an_alert(&world).await;
    browser.submit(".side .account form").await;
    world.arrive("/admin/login").await;
}

async fn add_a_contact_and_switch_it(world: &World) {
    let browser = &world.browser;
    world.visit("/admin/new/contact").await;
    world.fill_in_ada().await;
    browser.click(".head [role=switch]").await;
    world.page_says("This contact is switched off").await;
    browser.click(".head [role=switch]").await;
    world.says(".flash.good", "Switched on.").await;
}

async fn preview_and_add_an_event(world: &World) {
    let browser = &world.browser;
    world.visit("/admin/new/event").await;
    browser.fill("[name=name]", "Disk full").await;
    browser.fill("[name=slug]", "disk").await;
    browser.fill("[name=message]", "Disk on {{#if host}}").await;
    browser.click("[name=contacts][value=ada]").await;
    browser.click("[name=preview]").await;
    world
        .says("#preview li.wrong", "Disk on {{#if host}}")
        .await;
    browser.fill("[name=message]", "Disk on {{host}}").await;
    browser.click("[name=preview]").await;
    world.says("#preview .text", "Disk on host").await;
    browser.fill("[name='arg.host']", "db1").await;
    browser.click("[name=preview]").await;
    world.says("#preview .text", "Disk on db1").await;
    world.says("#preview", "1 message").await;
    browser.submit("main form.form").await;
    world.arrive("/admin/events/disk").await;
}

async fn send_an_alert(world: &World) {
    let browser = &world.browser;
    world.webhook.once(Reply::status(410));
    world.visit("/admin/send?target=event/disk").await;
    browser.fill("[name='arg.host']", "db2").await;
    browser.submit("main form.form").await;
    world.says(".plan .text", "Disk on db2").await;
    assert_eq!(world.webhook.count(), 0);
    browser.submit("form[action='/admin/send']").await;
    world
        .page_says("Alert sent. This page shows its deliveries.")
        .await;
    world.webhook.expect(1).await;
    until("the page shows the failure", async || {
        if browser.exists(".outcome a").await {
            browser.click(".outcome a").await;
        }
        browser.exists(".outcome form").await.then_some(())
    })
    .await;
    browser.submit(".outcome form").await;
    world.says(".flash.good", "Queued again.").await;
    let received = world.webhook.expect(2).await;
    assert_eq!(received[1].message(), "Disk on db2");
}
