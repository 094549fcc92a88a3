//! Switching an endpoint off on a phone while an alert is queued.

use redflash_tests::{Reply, until};

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn switching_off_cancels_queued_messages_and_logs_the_reason() {
    let world = World::as_user("boss").await;
    world.hooked("ada").await;
    let key = world.site.key("monitor", &["--inspect"]).await;
    world.webhook.always(Reply::status(503));
    let id = world.raise("contact/ada", &key, "disk full").await;
    world.webhook.expect(1).await;

    world.browser.set_size(360, 740).await;
    world.visit("/admin/contacts/ada").await;
    world.browser.click(".endpoints [role=switch]").await;
    world
        .says(".flash.good", "This also applies to queued messages.")
        .await;
    world.browser.click(".flash.good button").await;
    world.says(".flash.good", "Switched on.").await;
    assert!(world.browser.exists(".endpoints [aria-checked=true]").await);
    world.browser.click(".endpoints [role=switch]").await;
    world.says(".flash.good", "Switched off").await;
    assert!(
        world
            .browser
            .exists(".endpoints [aria-checked=false]")
            .await
    );
    world.webhook.always(Reply::status(201));

    world.visit(&format!("/admin/log/{id}")).await;
    world.says(".stack", "cancelled").await;
    let state = until("the delivery is final", async || {
        let delivery = world.notification(&id, &key).await["deliveries"][0].clone();
        (delivery["state"] != "queued").then_some(delivery)
    })
    .await;
    assert_eq!(state["state"], "cancelled");
    world.page_says(state["detail"].as_str().unwrap()).await;
    world.page_says("switched off").await;
    assert_eq!(world.webhook.count(), 1);
}
