//! A node that dies, and nodes that are replaced one after the other.

use std::time::{Duration, Instant};

use redflash_tests::{Config, Reply, Server, Signal};

use crate::world::{HOOKS, World};

/// Number of deliveries that the node has in flight when it dies.
const IN_FLIGHT: usize = 64;

#[tokio::test(flavor = "multi_thread")]
async fn takes_over_deliveries_of_killed_node_at_once() {
    let hooks = format!("{HOOKS}\nconcurrency = {IN_FLIGHT}");
    let world = World::with(Config::new().gateway(&hooks)).await;
    let mut nodes = world.nodes(2).await;
    world.sink.always(Reply::Hang);
    let mut ids = Vec::new();
    for _ in 0..IN_FLIGHT {
        ids.push(world.raise(&nodes[0]).await);
    }
    world.sink.expect(IN_FLIGHT).await;
    world.sink.always(Reply::status(201));

    let killed = Instant::now();
    nodes.remove(0).kill().await;
    let received = world.sink.expect(2 * IN_FLIGHT).await;
    let took = received.last().unwrap().at - killed;

    eprintln!("{IN_FLIGHT} deliveries were taken over within {took:?}");
    assert!(took < Duration::from_secs(3), "{took:?}");
    world.site.all_sent().await;
    assert_eq!(world.sink.count(), 2 * IN_FLIGHT);
    for id in &ids {
        let delivery = world.delivery(&nodes[0], id).await;
        assert_eq!(delivery["state"], "delivered");
        assert_eq!(crate::world::outcomes(&delivery), ["unknown", "ok"]);
        assert_eq!(delivery["may_repeat"], true);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_killed_under_load_lose_nothing() {
    const ROUNDS: usize = 10;
    let world = World::new().await;
    let mut nodes = world.nodes(2).await;
    for round in 0..ROUNDS {
        let clients: Vec<_> = nodes.iter().map(Server::client).collect();
        let raising = world.load.start(8, &clients);
        // Another moment each time.
        world.load.accepted(50 + round * 13 % 40).await;
        nodes.remove(0).kill().await;
        world.load.accepted(20).await;
        drop(raising);
        nodes.push(world.site.serve().await);
    }
    assert_eq!(world.load.refused(), 0);
    world.nothing_is_lost(&nodes[0]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_replaced_one_after_the_other_refuse_nothing() {
    let world = World::new().await;
    let mut nodes = world.nodes(2).await;
    for _ in 0..4 {
        let clients: Vec<_> = nodes.iter().map(Server::client).collect();
        let raising = world.load.start(8, &clients);
        world.load.accepted(100).await;
        let mut oldest = nodes.remove(0);
        oldest.signal(Signal::TERM);
        assert_eq!(oldest.ended().await.code(), Some(0), "{}", oldest.log());
        world.load.accepted(100).await;
        drop(raising);
        nodes.push(world.site.serve().await);
    }
    assert_eq!(world.load.refused(), 0);
    let balance = world.nothing_is_lost(&nodes[0]).await;
    assert!(balance.repeated.is_empty(), "{:?}", balance.repeated);
    // One request for each connection to a node that went away, and those cut off with the load.
    assert!(balance.unannounced.len() <= 4 * 16);
}
