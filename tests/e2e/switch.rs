//! Entries switched off on the command line while an alert is queued.

use redflash_tests::Reply;

use crate::world::{World, detail, outcomes, state};

/// Fires the event `disk` with the group `ops` of the contact `ada` at a failing webhook, runs a command,
/// and returns the final delivery.
async fn after(command: &[&str]) -> (World, serde_json::Value) {
    let world = World::start().await;
    world.hooked("ada").await;
    world
        .site
        .run(["group", "add", "ops", "--name", "Ops", "--contact", "ada"])
        .await;
    let event = [
        "event",
        "add",
        "disk",
        "--name",
        "Disk",
        "--message",
        "full",
        "--group",
        "ops",
    ];
    world.site.run(event).await;
    world.webhook.always(Reply::status(503));
    let id = world.fire("disk", &[]).await;
    world.attempted(&id, 1).await;

    let url = world.webhook.url("/ada");
    let arguments = command
        .iter()
        .map(|word| if *word == "URL" { &*url } else { word });
    world.site.run(arguments).await;
    world.webhook.always(Reply::status(201));

    let delivery = world.settled(&id).await.remove(0);
    (world, delivery)
}

#[tokio::test(flavor = "multi_thread")]
async fn cancels_queued_deliveries_and_logs_the_switch() {
    let switches: [(&[&str], &str); 4] = [
        (&["contact", "off", "ada"], "contact"),
        (&["endpoint", "off", "ada", "webhook", "URL"], "endpoint"),
        (&["group", "off", "ops"], "group"),
        (&["event", "off", "disk"], "event"),
    ];
    for (command, word) in switches {
        let (world, delivery) = after(command).await;
        assert_eq!(state(&delivery), "cancelled", "{command:?}");
        assert!(
            detail(&delivery).contains(word),
            "{command:?}: {}",
            detail(&delivery)
        );
        assert_eq!(outcomes(&delivery), ["retry"], "{command:?}");
        assert_eq!(world.webhook.count(), 1, "{command:?}");
        let log = world.site.run(["log", "--state", "cancelled"]).await.stdout;
        assert!(log.contains("disk"), "{log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn resends_cancelled_deliveries() {
    let (world, delivery) = after(&["contact", "off", "ada"]).await;
    let id = delivery["notification"].as_str().unwrap();

    world.site.run(["contact", "on", "ada"]).await;
    world.site.run(["resend", id]).await;

    assert_eq!(state(&world.settled(id).await[0]), "delivered");
}

#[tokio::test(flavor = "multi_thread")]
async fn applies_switch_to_the_next_raise() {
    let world = World::start().await;
    world.hooked("ada").await;
    world.raise("contact/ada", "hi").await;

    world.site.run(["contact", "off", "ada"]).await;
    let refused = world
        .client
        .raise("contact/ada", &world.key, &[("message", "hi")])
        .await;
    world.site.run(["contact", "on", "ada"]).await;

    assert_eq!(refused.expect(404).code(), "disabled");
    world.raise("contact/ada", "hi").await;
}
