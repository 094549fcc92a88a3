//! A database that dies, stops, restarts and falls silent, under load.

use std::time::{Duration, Instant};

use redflash_tests::{Config, Server, until};

use crate::world::{HOOKS, World};

/// Waits until a node takes alerts again, and returns how long it took.
async fn taken_again(world: &World, node: &Server) -> Duration {
    let begun = Instant::now();
    let fields = [("message", "hi")];
    until("alerts are taken again", async || {
        let answer = node
            .client()
            .raise("contact/ada", &world.key, &fields)
            .await;
        (answer.status == 201).then(|| world.load.ledger().accept(answer.notification()))
    })
    .await;
    begun.elapsed()
}

async fn ready(node: &Server, wanted: u16) {
    until("the node says whether it can work", async || {
        (node.client().get("/readyz").await.status == wanted).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn loses_nothing_when_database_is_killed() {
    let mut world = World::new().await;
    let nodes = world.nodes(2).await;
    let clients: Vec<_> = nodes.iter().map(Server::client).collect();
    for _ in 0..3 {
        let raising = world.load.start(8, &clients);
        world.load.accepted(100).await;
        world.postgres.kill().await;
        ready(&nodes[0], 503).await;
        world.postgres.restart().await;
        let took = taken_again(&world, &nodes[0]).await;
        eprintln!("alerts were taken {took:?} after the database was back");
        assert!(took < Duration::from_secs(1), "{took:?}");
        world.load.accepted(50).await;
        drop(raising);
    }
    world.nothing_is_lost(&nodes[1]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn loses_nothing_when_database_is_stopped() {
    let mut world = World::new().await;
    let nodes = world.nodes(2).await;
    let clients: Vec<_> = nodes.iter().map(Server::client).collect();
    for _ in 0..3 {
        let raising = world.load.start(8, &clients);
        world.load.accepted(100).await;
        world.postgres.stop_fast().await;
        let fields = [("message", "hi")];
        let answer = nodes[0]
            .client()
            .raise("contact/ada", &world.key, &fields)
            .await;
        assert_eq!(answer.status, 500);
        assert!(answer.code().starts_with("store_"), "{}", answer.body);
        assert!(answer.headers.contains_key("retry-after"), "{answer:?}");
        world.postgres.restart().await;
        taken_again(&world, &nodes[1]).await;
        drop(raising);
    }
    ready(&nodes[0], 200).await;
    world.nothing_is_lost(&nodes[1]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_in_time_while_database_is_silent() {
    let config = Config::new().gateway(HOOKS);
    let config = config.section("[postgres]\ntimeout = \"1s\"");
    let world = World::with(config).await;
    let nodes = world.nodes(2).await;
    let clients: Vec<_> = nodes.iter().map(Server::client).collect();
    let raising = world.load.start(8, &clients);
    world.load.accepted(100).await;

    world.postgres.pause();
    let fields = [("message", "hi")];
    let begun = Instant::now();
    let answer = nodes[0]
        .client()
        .raise("contact/ada", &world.key, &fields)
        .await;
    let took = begun.elapsed();
    assert_eq!(answer.status, 500, "{}", answer.body);
    assert!(answer.code().starts_with("store_"), "{}", answer.body);
    assert!(took < Duration::from_secs(8), "{took:?}");
    ready(&nodes[0], 503).await;
    world.postgres.resume();
    taken_again(&world, &nodes[0]).await;
    world.load.accepted(50).await;
    drop(raising);
    ready(&nodes[0], 200).await;
    world.nothing_is_lost(&nodes[1]).await;
}
