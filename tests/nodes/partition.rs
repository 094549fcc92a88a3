//! A network that comes apart between a node and the database.

use std::time::{Duration, Instant};

use redflash_tests::{Config, Site, missing, until};

use crate::network::{Cable, Host};
use crate::world::{HOOKS, World};

#[tokio::test(flavor = "multi_thread")]
async fn node_recovers_after_losing_the_database() {
    let mut host = match Host::new() {
        Ok(host) => host,
        Err(reason) => missing(&format!("no network of our own can be made: {reason}")),
    };
    let hooks = HOOKS.replace("\"127.0.0.0/8\"", "\"127.0.0.0/8\", \"10.231.0.0/16\"");
    let hooks = format!("{hooks}\ntimeout = \"1s\"");
    let config = Config::new()
        .delivery("lease = \"6s\"")
        .section("[postgres]\ntimeout = \"1s\"")
        .gateway(&hooks);
    let world = World::with(config.clone()).await;
    let hook = host.forward(Cable::World, world.sink.address()).await;
    let address = format!("http://{hook}/ada");
    let endpoint = ["endpoint", "add", "ada", "webhook", &address];
    world.site.run(endpoint).await;
    let old = world.sink.url("/ada");
    world
        .site
        .run(["endpoint", "remove", "ada", "webhook", &old])
        .await;

    let loopback = ([127, 0, 0, 1], world.postgres.port()).into();
    let database = host.forward(Cable::Database, loopback).await;
    let near = format!("127.0.0.1:{}", world.postgres.port());
    let url = world
        .site
        .database_url()
        .replace(&near, &database.to_string());
    let away = Site::on(&config, format!("{url}?sslmode=disable"))
        .with_variable(
            "REDFLASH_SERVER__LISTEN",
            format!("{}:0", Host::there(Cable::World)),
        )
        .wrapped_in(host.wrapper());
    let (far, here) = (away.serve().await, world.site.serve().await);

    let raising = world.load.start(8, &[far.client(), here.client()]);
    world.load.accepted(100).await;
    host.cut(Cable::Database);
    let fields = [("message", "hi")];
    let begun = Instant::now();
    let refused = far.client().raise("contact/ada", &world.key, &fields).await;
    assert_eq!(refused.status, 500, "{}", refused.body);
    assert!(refused.code().starts_with("store_"), "{}", refused.body);
    assert!(
        begun.elapsed() < Duration::from_secs(8),
        "{:?}",
        begun.elapsed()
    );
    until("the node says that it cannot work", async || {
        (far.client().get("/readyz").await.status == 503).then_some(())
    })
    .await;
    // The other goes on, and takes over what the first had leased.
    world.load.accepted(100).await;

    host.mend(Cable::Database);
    until("the node works again", async || {
        (far.client().get("/readyz").await.status == 200).then_some(())
    })
    .await;
    world.load.accepted(100).await;
    drop(raising);

    world.nothing_is_lost(&here).await;
}
