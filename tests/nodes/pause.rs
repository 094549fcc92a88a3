//! A node that is stopped until the others take over, and goes on as if nothing had been.

use std::sync::Arc;

use redflash_tests::{Config, Reply, Signal, until};
use tokio::sync::Notify;

use crate::world::{HOOKS, World, outcomes};

async fn world(lease: &str, timeout: &str, retry: &str) -> World {
    let hooks = HOOKS.replace("200ms", retry);
    let hooks = format!("{hooks}\ntimeout = \"{timeout}\"");
    let lease = format!("lease = \"{lease}\"");
    World::with(Config::new().delivery(&lease).gateway(&hooks)).await
}

/// Ends the sessions whose locks say that their nodes live. A node that is not stopped comes back.
async fn cut_off(world: &World) {
    let sessions =
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted";
    world
        .postgres
        .sql(world.site.database_url(), sessions)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn resumed_node_overwrites_nothing() {
    // So short a lease ends while the node is stopped, and its request with it.
    let world = world("6s", "1s", "200ms").await;
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
    assert_eq!(outcomes(&delivery)[..2], ["unknown", "ok"]);
    assert_eq!(world.sink.count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn late_success_cancels_resend() {
    let world = world("2m", "30s", "10m").await;
    let nodes = world.nodes(2).await;
    let gate = Arc::new(Notify::new());
    world.sink.once(Reply::Once(Arc::clone(&gate), 201));
    world.sink.once(Reply::status(503));
    let id = world.raise(&nodes[0]).await;
    world.sink.expect(1).await;
    nodes[0].signal(Signal::STOP);
    cut_off(&world).await;
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
