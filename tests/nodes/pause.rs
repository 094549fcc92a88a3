//! A node that is stopped for longer than its lease, and goes on as if nothing had been.

use std::sync::Arc;

use redflash_tests::{Config, Reply, Signal, until};
use tokio::sync::Notify;

use crate::world::{HOOKS, World, outcomes};

async fn world(retry: &str) -> World {
    let hooks = HOOKS.replace("200ms", retry);
    let config = Config::new().delivery("lease = \"2s\"").gateway(&hooks);
    World::with(config).await
}

#[tokio::test(flavor = "multi_thread")]
async fn it_overwrites_nothing() {
    let world = world("200ms").await;
    let nodes = world.nodes(2).await;
    let gate = Arc::new(Notify::new());
    world.sink.once(Reply::Once(Arc::clone(&gate), 500));
    let id = world.raise(&nodes[0]).await;
    world.sink.expect(1).await;
    nodes[0].signal(Signal::STOP);
    world.sink.expect(2).await;
    until("the other has delivered it", async || {
        let delivery = world.delivery(&nodes[1], &id).await;
        (delivery["state"] == "delivered").then_some(())
    })
    .await;

    gate.notify_one();
    nodes[0].signal(Signal::CONT);
    let delivery = until("the late outcome is logged", async || {
        let delivery = world.delivery(&nodes[1], &id).await;
        (outcomes(&delivery).len() == 3).then_some(delivery)
    })
    .await;

    assert_eq!(delivery["state"], "delivered");
    assert_eq!(outcomes(&delivery), ["unknown", "ok", "retry"]);
    assert_eq!(world.sink.count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn its_late_success_cancels_the_resend() {
    let world = world("10m").await;
    let nodes = world.nodes(2).await;
    let gate = Arc::new(Notify::new());
    world.sink.once(Reply::Once(Arc::clone(&gate), 201));
    world.sink.once(Reply::status(503));
    let id = world.raise(&nodes[0]).await;
    world.sink.expect(1).await;
    nodes[0].signal(Signal::STOP);
    world.sink.expect(2).await;
    until("the other waits to try again", async || {
        let delivery = world.delivery(&nodes[1], &id).await;
        (delivery["state"] == "queued" && outcomes(&delivery).len() == 2).then_some(())
    })
    .await;

    gate.notify_one();
    nodes[0].signal(Signal::CONT);
    let delivery = until("the late success counts", async || {
        let delivery = world.delivery(&nodes[1], &id).await;
        (delivery["state"] == "delivered").then_some(delivery)
    })
    .await;

    assert_eq!(outcomes(&delivery), ["unknown", "retry", "ok"]);
    world.site.all_sent().await;
    assert_eq!(world.sink.count(), 2);
}
