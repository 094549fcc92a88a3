//! The live preview of an event.

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn preview_marks_template_errors_and_shows_recipients() {
    let world = World::as_user("boss").await;
    world.hooked("ada").await;
    world.hooked("bob").await;
    world.site.run(["contact", "off", "bob"]).await;
    let browser = &world.browser;
    world.visit("/admin/new/event").await;
    world
        .says("#preview", "Enter a message to preview it")
        .await;

    browser
        .fill("[name=message]", "Disk on {{host}}\nis {{#if full}}full")
        .await;
    world.says("#preview .error", "Message.").await;
    world.says("#preview li.wrong", "is {{#if full}}full").await;
    world.says("#preview li.wrong .number", "2").await;

    browser
        .fill(
            "[name=message]",
            "Disk on {{host}}\nis {{#if full}}full{{/if}}",
        )
        .await;
    world.says("#preview .text", "Disk on ").await;
    assert!(!browser.exists("#preview .error").await);
    browser.click("[name=contacts][value=ada]").await;
    browser.click("[name=contacts][value=bob]").await;
    browser.click(".samples summary").await;
    browser.fill("[name=arguments]", "host=db1\nfull=yes").await;
    world.says("#preview .text", "Disk on db1\nis full").await;
    world.says("#preview", "1 message").await;
    world
        .says("#preview .where", &world.webhook.url("/ada"))
        .await;
    world.says("#preview", "Skipped").await;
    world.says("#preview", "switched off").await;

    assert_eq!(world.path().await, "/admin/new/event");
    assert_eq!(world.webhook.count(), 0);
    world.visit("/admin/events").await;
    world.page_says("No events yet").await;
}
