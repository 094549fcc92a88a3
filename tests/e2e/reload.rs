//! `SIGHUP`: a running server applies a new configuration, or keeps its current one.

use redflash_tests::{Config, Reply, Server, Signal, Vonage, until};

use crate::sms::{report, sent};
use crate::world::{CALLBACK_SECRET, World, hooks, state};

/// Requests a reload and waits until the log reports its outcome.
async fn reload(server: &Server, outcome: &str) -> String {
    let before = server.log().len();
    server.signal(Signal::HUP);
    until("the reload is logged", async || {
        let log = server.log();
        let new = log.get(before..).unwrap_or_default();
        new.contains(outcome).then(|| new.to_owned())
    })
    .await
}

/// A gateway of the channel `pager`, which a program serves.
fn pager(program: &str) -> String {
    format!("name = \"pager\"\ntype = \"exec\"\nchannel = \"pager\"\nprogram = \"{program}\"")
}

#[tokio::test(flavor = "multi_thread")]
async fn replaces_gateways_and_keeps_queue() {
    let world = World::start().await;
    world.hooked("ada").await;
    world.webhook.always(Reply::status(503));
    let queued = world.raise("contact/ada", "before").await;
    world.attempted(&queued, 1).await;
    let add = ["contact", "add", "bob", "--name", "Bob"];
    world.site.run(add).await;

    let config = Config::new().gateway(&hooks()).gateway(&pager("/bin/cat"));
    world.site.configure(&config);
    reload(&world.server, "reloaded the configuration").await;

    let endpoint = ["endpoint", "add", "bob", "pager", "4711"];
    world.site.run(endpoint).await;
    let through = world.raise("contact/bob", "after").await;
    let delivery = world.settled(&through).await.remove(0);
    assert_eq!(delivery["gateway"], "pager");
    world.webhook.always(Reply::status(201));
    let delivery = world.settled(&queued).await.remove(0);
    assert_eq!(state(&delivery), "delivered");
}

#[tokio::test(flavor = "multi_thread")]
async fn keeps_settings_if_file_is_invalid() {
    let world = World::start().await;
    world.hooked("ada").await;
    let config = Config::new()
        .section("[log]\nlevel = \"trace\"")
        .gateway("name = \"hooks\"\ntype = \"wehbook\"");
    world.site.configure(&config);

    let log = reload(&world.server, "cannot reload the configuration").await;

    assert!(log.contains("nothing was changed"), "{log}");
    assert!(log.contains("wehbook"), "{log}");
    let id = world.raise("contact/ada", "still here").await;
    assert_eq!(state(&world.settled(&id).await[0]), "delivered");
    assert!(!world.server.log().contains("TRACE"));
}

#[tokio::test(flavor = "multi_thread")]
async fn names_keys_that_require_restart() {
    let world = World::start().await;
    let config = Config::new()
        .server("max_connections = 7")
        .delivery("lease = \"10m\"")
        .section("[log]\nlevel = \"debug\"")
        .gateway(&hooks());
    world.site.configure(&config);

    let log = reload(&world.server, "reloaded the configuration").await;

    assert!(
        log.contains("server.max_connections, delivery.lease"),
        "{log}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn applies_new_callback_secret() {
    let world = World::start().await;
    world.contact("ada", &["--sms", "+447700900001"]).await;
    let (id, request, message) = sent(&world).await;
    let receipt = Vonage::receipt(&request, &message, "delivered", 0);
    let secret = "another-secret-of-callbacks";
    let gateway = world.vonage.gateway("vonage-uk");
    let config = Config::new().gateway(&format!("{gateway}\ncallback_secret = \"{secret}\""));
    world.site.configure(&config);
    reload(&world.server, "reloaded the configuration").await;

    let old = format!("/ack/vonage-uk/{CALLBACK_SECRET}");
    report(&world, &old, &receipt).await.expect(200);
    assert_eq!(state(&world.settled(&id).await[0]), "sent");
    let new = format!("/ack/vonage-uk/{secret}");
    report(&world, &new, &receipt).await.expect(200);
    assert_eq!(state(&world.settled(&id).await[0]), "delivered");
}

#[tokio::test(flavor = "multi_thread")]
async fn keeps_settings_if_file_is_empty_or_missing() {
    let world = World::start().await;
    world.hooked("ada").await;
    std::fs::write(world.site.config(), "\n").unwrap();
    reload(&world.server, "the file is empty").await;
    std::fs::remove_file(world.site.config()).unwrap();
    reload(&world.server, "there is no file").await;
    let id = world.raise("contact/ada", "still here").await;
    assert_eq!(state(&world.settled(&id).await[0]), "delivered");
}
