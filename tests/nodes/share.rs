//! State shared by nodes: the work, the switches, the keys and the health of gateways.

use std::collections::HashMap;
use std::time::Duration;

use redflash_tests::{Config, Reply, Server, until};
use serde_json::json;

use crate::world::{HOOKS, World, outcomes};

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_deliveries_are_sent_once_by_three_nodes() {
    const CONTACTS: usize = 100;
    const RAISES: usize = 100;
    let world = World::new().await;
    let contacts: Vec<_> = (0..CONTACTS)
        .map(|number| {
            let endpoint =
                json!({ "channel": "webhook", "address": world.sink.url(&format!("/c{number}")) });
            json!({ "slug": format!("c{number}"), "name": "Somebody", "endpoints": [endpoint] })
        })
        .collect();
    let members: Vec<_> = (0..CONTACTS).map(|number| format!("c{number}")).collect();
    let group = json!({ "slug": "all", "name": "All", "enabled": true, "contacts": members });
    let document = json!({ "version": 1, "contacts": contacts, "groups": [group] });
    let import = world.site.cli(["import", "-"]).input(document.to_string());
    import.run().await.succeeded();
    let nodes = world.nodes(3).await;
    let clients: Vec<_> = nodes.iter().map(Server::client).collect();
    for number in 0..RAISES {
        let client = &clients[number % clients.len()];
        let fields = [("message", "hi")];
        client
            .raise("group/all", &world.key, &fields)
            .await
            .expect(201);
        if number % 10 == 9 {
            world.sink.expect((number - 9) * CONTACTS).await;
        }
    }
    world.sink.expect(RAISES * CONTACTS).await;
    world.site.all_sent().await;

    let mut seen: HashMap<String, usize> = HashMap::new();
    for request in world.sink.received() {
        *seen.entry(request.path).or_default() += 1;
    }
    assert_eq!(seen.len(), RAISES * CONTACTS);
    let twice = seen.iter().filter(|(_, count)| **count > 1).count();
    assert_eq!(twice, 0, "sent more than once");
    for node in &nodes {
        assert!(node.log().contains("attempt"), "a node has sent nothing");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn applies_switch_on_all_nodes_at_once() {
    let world = World::new().await;
    let nodes = world.nodes(2).await;
    let fields = [("message", "hi")];
    for node in &nodes {
        world.raise(node).await;
    }
    world.site.run(["contact", "off", "ada"]).await;
    for node in &nodes {
        let refused = node
            .client()
            .raise("contact/ada", &world.key, &fields)
            .await;
        refused.expect(404);
    }
    world.site.run(["contact", "on", "ada"]).await;
    for node in &nodes {
        world.raise(node).await;
    }
    world.site.run(["key", "off", "monitor"]).await;
    for node in &nodes {
        let refused = node
            .client()
            .raise("contact/ada", &world.key, &fields)
            .await;
        refused.expect(403);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn idempotency_key_holds_on_all_nodes() {
    let world = World::new().await;
    let nodes = world.nodes(2).await;
    let mut raising = tokio::task::JoinSet::new();
    for number in 0..50 {
        let (client, key) = (nodes[number % 2].client(), world.key.clone());
        raising.spawn(async move {
            let fields = [("message", "once")];
            let headers = [("idempotency-key", "the-same")];
            let answer = client.raise_with("contact/ada", &key, &fields, &headers);
            answer.await.expect(201).notification()
        });
    }
    let mut ids = raising.join_all().await;
    ids.dedup();
    assert_eq!(ids.len(), 1);
    world.site.all_sent().await;
    assert_eq!(world.sink.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn shares_stopped_gateways_among_nodes() {
    let hooks = HOOKS.replace("200ms", "10m");
    let world = World::with(Config::new().gateway(&hooks)).await;
    // The second comes later, so that all five are the first one's.
    let mut nodes = world.nodes(1).await;
    world.sink.always(Reply::Drop);
    for _ in 0..5 {
        world.raise(&nodes[0]).await;
    }
    world.sink.expect(5).await;
    nodes.extend(world.nodes(1).await);
    for node in &nodes {
        until("the node knows", async || {
            let metrics = node.client().get_as("/metrics", &world.key).await;
            let mut lines = metrics.body.lines();
            let is_closed = |line: &str| {
                let is_closed = line.contains("\"stopped\"") || line.contains("\"paused\"");
                line.starts_with("redflash_gateway_state{") && is_closed && line.ends_with(" 1")
            };
            lines.any(is_closed).then_some(())
        })
        .await;
    }
    let id = world.raise(&nodes[1]).await;
    let delivery = world.delivery(&nodes[1], &id).await;
    assert_eq!(delivery["state"], "queued");
    assert_eq!(outcomes(&delivery), [""; 0]);
    assert_eq!(world.sink.count(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn shares_rate_among_nodes() {
    let hooks = format!("{HOOKS}\nper_second = 10.0");
    let world = World::with(Config::new().gateway(&hooks)).await;
    let nodes = world.nodes(2).await;
    until("the nodes know of each other", async || {
        let metrics = nodes[1].client().get_as("/metrics", &world.key).await;
        metrics.body.contains("redflash_nodes 2").then_some(())
    })
    .await;
    for number in 0..60 {
        world.raise(&nodes[number % 2]).await;
    }
    let received = world.sink.expect(60).await;
    let took = received[59].at - received[0].at;
    // Each saves up a second's worth at most: 10 at once, and 10 a second from then on.
    assert!(took > Duration::from_millis(3500), "{took:?}");
}
