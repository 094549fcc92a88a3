//! The server as a process: alone on its store, stopped, killed, restarted.

use std::time::{Duration, Instant};

use redflash_tests::{Balance, Client, Config, Ledger, Reply, Signal, Site, promtool};

use crate::world::{World, outcomes, state};

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_finishes_running_requests_and_exits_0() {
    let mut world = World::start().await;
    world.hooked("ada").await;
    let ledger = Ledger::new();
    for number in 0..50 {
        ledger.accept(world.raise("contact/ada", &number.to_string()).await);
    }

    world.server.signal(Signal::TERM);
    assert_eq!(world.server.ended().await.code(), Some(0));
    world.restart().await;

    let arrived = world.webhook.expect(50).await;
    let balance = ledger.balance(&arrived);
    assert_eq!(balance, Balance::default(), "nothing lost, nothing twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_does_not_wait_for_a_silent_receiver_for_ever() {
    let mut world = World::start().await;
    world.hooked("ada").await;
    world.webhook.once(Reply::Hang);
    let id = world.raise("contact/ada", "hi").await;
    world.webhook.expect(1).await;
    let begun = Instant::now();

    world.server.signal(Signal::TERM);
    assert_eq!(world.server.ended().await.code(), Some(0));

    assert!(
        begun.elapsed() < Duration::from_secs(20),
        "{:?}",
        begun.elapsed()
    );
    world.restart().await;
    let delivery = world.settled(&id).await.remove(0);
    assert_eq!(outcomes(&delivery), ["unknown", "ok"]);
    assert_eq!(delivery["may_repeat"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn resumes_after_kill() {
    let mut world = World::start().await;
    world.hooked("ada").await;
    world.webhook.once(Reply::Hang);
    let id = world.raise("contact/ada", "hi").await;
    world.webhook.expect(1).await;

    world.server.signal(Signal::KILL);
    world.server.ended().await;
    world.restart().await;

    let delivery = world.settled(&id).await.remove(0);
    assert_eq!(state(&delivery), "delivered");
    assert_eq!(outcomes(&delivery), ["unknown", "ok"]);
    assert_eq!(delivery["attempts_made"][1]["may_repeat"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn alerts_raised_without_a_server_wait_for_one() {
    let mut world = World::start().await;
    world.hooked("ada").await;
    world.server.signal(Signal::TERM);
    world.server.ended().await;

    let sent = world
        .site
        .run(["send", "contact", "ada", "hi", "--json"])
        .await
        .json();
    assert_eq!(world.webhook.count(), 0);
    world.restart().await;

    let hooks = world.webhook.expect(1).await;
    assert_eq!(sent["notification_id"], hooks[0].notification());
}

#[tokio::test(flavor = "multi_thread")]
async fn command_line_raises_and_server_sends() {
    let world = World::start().await;
    world.hooked("ada").await;
    let event = [
        "event",
        "add",
        "disk",
        "--name",
        "D",
        "--message",
        "{{h}} full",
        "--contact",
        "ada",
    ];
    world.site.run(event).await;

    world
        .site
        .run(["send", "contact", "ada", "from the shell", "--wait"])
        .await;
    assert_eq!(world.webhook.received()[0].message(), "from the shell");
    world.site.run(["fire", "disk", "h=db1", "--wait"]).await;
    assert_eq!(world.webhook.received()[1].message(), "db1 full");
}

#[tokio::test(flavor = "multi_thread")]
async fn serves_health_readiness_and_metrics() {
    let world = World::start().await;
    world.hooked("ada").await;
    let id = world.raise("contact/ada", "hi").await;
    world.settled(&id).await;

    world.client.get("/healthz").await.expect(200);
    world.client.get("/readyz").await.expect(200);
    let metrics = world.client.get_as("/metrics", &world.key).await;
    assert_eq!(metrics.status, 200, "{}", metrics.body);
    for series in ["redflash_raised_total", "redflash_attempts_total"] {
        assert!(metrics.body.contains(series), "{series} is missing");
    }
    world.client.get("/metrics").await.expect(401);
    let unknown = world.client.get_as("/metrics", "rfk_nobody").await;
    unknown.expect(401);
    let plain = world.site.key("plain", &[]).await;
    world.client.get_as("/metrics", &plain).await.expect(403);
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_what_prometheus_wants() {
    let world = World::start().await;
    world.hooked("ada").await;
    world.contact("bob", &["--email", "bob@example.org"]).await;
    for target in ["contact/ada", "contact/bob"] {
        let id = world.raise(target, "hi").await;
        world.settled(&id).await;
    }
    world.webhook.once(Reply::status(410));
    let id = world.raise("contact/ada", "gone").await;
    world.settled(&id).await;
    world.client.raise("contact/ada", "rfk_no", &[]).await;

    let metrics = world.client.get_as("/metrics", &world.key).await;
    let text = metrics.expect(200).body;

    for line in [
        r#"redflash_deliveries_total{state="delivered",channel="webhook",gateway="hooks"} 1"#,
        r#"redflash_deliveries_total{state="failed",channel="webhook",gateway="hooks"} 1"#,
        r#"redflash_deliveries_total{state="sent",channel="email",gateway="office-mail"} 1"#,
        r#"redflash_build_info{version="0.1.0"} 1"#,
        "redflash_oldest_due_seconds 0",
        "redflash_refused_keys_total 1",
        r#"redflash_gateway_stopped{gateway="hooks"} 0"#,
    ] {
        assert!(text.contains(line), "{line} is missing in {text}");
    }
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let name = line.split(['{', ' ']).next().unwrap();
        let name = ["_bucket", "_sum", "_count"]
            .iter()
            .fold(name, |name, end| name.strip_suffix(end).unwrap_or(name));
        let help = format!("# HELP {name} ");
        assert!(
            name.is_empty() || text.contains(&help),
            "{name} has no HELP"
        );
    }
    assert_eq!(promtool(&text).await, "", "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_can_have_a_listener_of_their_own() {
    let world = World::with(Config::new().server("metrics_listen = \"127.0.0.1:0\"")).await;
    let log = world.server.log();
    let line = log.lines().find(|line| line.contains("metrics on http://"));
    let address = line.unwrap().split("http://").nth(1).unwrap();
    let address = address.trim_end_matches("/metrics").parse().unwrap();

    let metrics = Client::new(address).get("/metrics").await.expect(200);

    assert!(metrics.body.contains("redflash_queued"), "{}", metrics.body);
    Client::new(address).get("/healthz").await.expect(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn notifies_service_manager_when_ready() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notify");
    let manager = tokio::net::UnixDatagram::bind(&path).unwrap();
    let site = Site::new(&Config::new()).with_variable("NOTIFY_SOCKET", path.to_str().unwrap());

    let server = site.serve().await;

    let mut notice = [0; 100];
    let length = manager.recv(&mut notice).await.unwrap();
    assert_eq!(&notice[..length], b"READY=1\n");
    assert_eq!(server.stop().await.code(), Some(0));
    let length = manager.recv(&mut notice).await.unwrap();
    assert_eq!(&notice[..length], b"STOPPING=1\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn json_log_names_no_recipient() {
    let world = World::with(Config::new().top("log.format = \"json\"")).await;
    let hook = world.webhook.url("/ada-lovelace");
    world
        .contact("ada", &["--webhook", &hook, "--email", "ada@example.org"])
        .await;
    let id = world.raise("contact/ada", "a word nobody else says").await;
    world.settled(&id).await;

    let log = world.server.log();

    assert!(log.contains(&id), "{log}");
    for line in log.lines() {
        let parsed: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(parsed["level"].is_string(), "{line}");
    }
    for private in ["ada-lovelace", "ada@example.org", "a word nobody"] {
        assert!(!log.contains(private), "{private} is in\n{log}");
    }
}
