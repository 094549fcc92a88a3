//! Sending an alert from the web admin and following its deliveries.

use std::sync::Arc;

use redflash_tests::{Reply, WebhookSink};
use tokio::sync::Notify;

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn previews_sends_follows_and_resends_an_alert() {
    let world = World::as_user("boss").await;
    let (browser, elsewhere) = (&world.browser, WebhookSink::start().await);
    world.hooked("ada").await;
    let url = elsewhere.url("/bob");
    world
        .site
        .run(["contact", "add", "bob", "--name", "bob", "--webhook", &url])
        .await;
    let members = ["--contact", "ada", "--contact", "bob"];
    let add = ["group", "add", "ops", "--name", "Operations"];
    world.site.run(add.iter().chain(&members)).await;
    let gate = Arc::new(Notify::new());
    world.webhook.once(Reply::Once(Arc::clone(&gate), 201));
    elsewhere.once(Reply::status(410));

    world.visit("/admin/send").await;
    browser.click("main [href*='group%2Fops']").await;
    browser.fill("[name=message]", "Tea is ready").await;
    browser.submit("main form.form").await;
    world.says(".plan", "2 messages").await;
    world.says(".plan", &url).await;
    world.says(".plan .text", "Tea is ready").await;
    assert_eq!((world.webhook.count(), elsewhere.count()), (0, 0));

    browser.submit("form[action='/admin/send']").await;
    browser.wait_for("[data-events-url]").await;
    browser.execute("window.isTheSame = true").await;
    world.says(".tally", "sending").await;
    world.says(".stack", "failed").await;
    assert_eq!(elsewhere.received()[0].message(), "Tea is ready");
    gate.notify_one();
    world.says(".tally", "delivered").await;
    let is_the_same = browser.execute("return window.isTheSame").await;
    assert_eq!(is_the_same, true, "the page was reloaded");

    browser.submit(".outcome form").await;
    world.says(".flash.good", "Queued again.").await;
    world.says(".tally", "2 delivered").await;
    assert_eq!((world.webhook.count(), elsewhere.count()), (1, 2));
    let (first, second) = (&elsewhere.received()[0], &elsewhere.received()[1]);
    assert_eq!(first.notification(), second.notification());
    assert!(!browser.exists(".outcome form").await);
    world.visit("/admin/audit").await;
    world.page_says("resent").await;
}
