//! Webhooks: what arrives, and what becomes of an alert when the receiver misbehaves.

use std::time::{Duration, Instant};

use redflash_tests::{Config, ConnectProxy, Reply, Site, WebhookSink, until};
use serde_json::json;

use crate::world::{SIGNING_SECRET, World, detail, outcomes, state};

#[tokio::test(flavor = "multi_thread")]
async fn both_200_and_201_are_a_delivery() {
    let world = World::start().await;
    world.hooked("ada").await;
    for status in [200, 201] {
        world.webhook.once(Reply::status(status));
        let id = world.raise("contact/ada", "hi").await;
        assert_eq!(state(&world.settled(&id).await[0]), "delivered", "{status}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn signs_requests() {
    let world = World::start().await;
    world.hooked("ada").await;

    world.raise("contact/ada", "héllo & good bye").await;

    let hooks = world.webhook.expect(1).await;
    assert_eq!(hooks[0].method, "POST");
    assert_eq!(hooks[0].message(), "héllo & good bye");
    assert!(
        hooks[0].is_signed_with(SIGNING_SECRET),
        "{:?}",
        hooks[0].headers
    );
    assert!(!hooks[0].is_signed_with("whsec_bm90IHRoZSBrZXk="));
}

#[tokio::test(flavor = "multi_thread")]
async fn repeat_keeps_id_and_counts_as_delivery() {
    let world = World::start().await;
    world.hooked("ada").await;
    world.webhook.once(Reply::status(503));

    let id = world.raise("contact/ada", "hi").await;

    let hooks = world.webhook.expect(2).await;
    assert_eq!(hooks[0].header("webhook-id"), hooks[1].header("webhook-id"));
    assert_eq!(state(&world.settled(&id).await[0]), "delivered");
}

#[tokio::test(flavor = "multi_thread")]
async fn follows_no_redirect() {
    let world = World::start().await;
    let elsewhere = WebhookSink::start().await;
    world.hooked("ada").await;
    let away = Reply::status(302).with("Location", &elsewhere.url("/x"));
    world.webhook.once(away);

    let id = world.raise("contact/ada", "hi").await;

    let delivery = world.attempted(&id, 1).await;
    assert_ne!(outcomes(&delivery)[0], "ok");
    let shown = delivery.to_string();
    assert!(shown.contains("302"), "{shown}");
    assert_eq!(elsewhere.count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn dials_private_address_only_when_allowed() {
    let sink = WebhookSink::start().await;
    let config = Config::new().gateway("name = \"hooks\"\ntype = \"webhook\"");
    let open =
        "name = \"hooks\"\ntype = \"webhook\"\nallow_networks = [\"127.0.0.0/8\", \"::1/128\"]";
    let site = Site::new(&config);
    let port = sink.address().port();
    for (number, host) in [
        "127.0.0.1",
        "127.1",
        "0x7f000001",
        "[::1]",
        "[::ffff:127.0.0.1]",
    ]
    .iter()
    .enumerate()
    {
        let url = format!("http://{host}:{port}/");
        let slug = format!("literal-{number}");
        let added = site
            .cli(["contact", "add", &slug, "--name", "x", "--webhook", &url])
            .run()
            .await;
        assert_ne!(added.code, Some(0), "{url} was taken");
        assert!(added.stderr.contains("allow_networks"), "{}", added.stderr);
    }

    // A name is judged by what it resolves to when it is dialled.
    let by_name = format!("http://localhost:{port}/");
    site.configure(&Config::new().gateway(open));
    site.run([
        "contact",
        "add",
        "named",
        "--name",
        "x",
        "--webhook",
        &by_name,
    ])
    .await;
    site.configure(&config);
    let key = site.key("monitor", &["--inspect"]).await;
    let server = site.serve().await;
    let client = server.client();
    let answer = client
        .raise("contact/named", &key, &[("message", "hi")])
        .await;
    let path = format!(
        "/api/v1/notifications/{}",
        answer.expect(201).notification()
    );
    let detail = until("the attempt is logged", async || {
        let shown = client.get_as(&path, &key).await.json();
        let attempts = shown["deliveries"][0]["attempts_made"].as_array().cloned();
        let first = attempts.unwrap().into_iter().next()?;
        Some(first["detail"].as_str().unwrap().to_owned())
    })
    .await;
    assert!(detail.contains("allow_networks"), "{detail}");
    assert_eq!(sink.count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_receiver_delays_no_other_recipient() {
    let world = World::start().await;
    let silent = WebhookSink::start().await;
    silent.always(Reply::Hang);
    let url = silent.url("/");
    world.contact("silent", &["--webhook", &url]).await;
    world.hooked("ada").await;
    for _ in 0..40 {
        world.raise("contact/silent", "hi").await;
    }
    silent.expect(1).await;

    let begun = Instant::now();
    let id = world.raise("contact/ada", "hi").await;
    world.webhook.expect(1).await;

    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(state(&world.settled(&id).await[0]), "delivered");
}

#[tokio::test(flavor = "multi_thread")]
async fn retries_refused_connection() {
    let world = World::start().await;
    let gone = WebhookSink::start().await;
    let url = gone.url("/");
    drop(gone);
    world.contact("gone", &["--webhook", &url]).await;

    let id = world.raise("contact/gone", "hi").await;

    let delivery = world.attempted(&id, 1).await;
    assert_eq!(outcomes(&delivery)[0], "retry");
    assert_eq!(state(&delivery), "queued");
    assert_eq!(delivery["may_repeat"], false, "nothing was sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn retries_unresolved_name_without_delaying_others() {
    let world = World::start().await;
    // Names under .invalid never resolve (RFC 6761, section 6.4).
    world
        .contact("lost", &["--webhook", "http://hooks.invalid/"])
        .await;
    world.hooked("ada").await;
    let begun = Instant::now();
    let id = world.raise("contact/lost", "hi").await;
    let other = world.raise("contact/ada", "hi").await;
    assert_eq!(state(&world.settled(&other).await[0]), "delivered");
    let delivery = world.attempted(&id, 1).await;
    assert!(
        begun.elapsed() < Duration::from_secs(8),
        "resolving is bounded"
    );
    assert_eq!(outcomes(&delivery)[0], "retry");
    assert_eq!(delivery["may_repeat"], false, "nothing was sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn records_unknown_outcome_and_marks_repeat() {
    for lost in [Reply::Drop, Reply::Reset] {
        let world = World::start().await;
        world.hooked("ada").await;
        world.webhook.once(lost);

        let id = world.raise("contact/ada", "hi").await;

        world.webhook.expect(2).await;
        let delivery = world.settled(&id).await.remove(0);
        assert_eq!(outcomes(&delivery), ["unknown", "ok"]);
        assert_eq!(delivery["attempts_made"][0]["may_repeat"], false);
        assert_eq!(delivery["attempts_made"][1]["may_repeat"], true);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ends_attempt_at_endless_body() {
    for endless in [Reply::Endless(200), Reply::DripBody(200)] {
        let world = World::start().await;
        world.hooked("ada").await;
        world.webhook.once(endless.clone());

        let id = world.raise("contact/ada", "hi").await;

        let delivery = world.settled(&id).await.remove(0);
        assert_eq!(state(&delivery), "delivered", "{endless:?}");
        assert_eq!(world.webhook.count(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_without_end_and_silence_run_into_the_deadline() {
    let world = World::start().await;
    for (slug, reply) in [("drip", Reply::DripHeaders), ("hang", Reply::Hang)] {
        let sink = WebhookSink::start().await;
        sink.once(reply);
        let url = sink.url("/");
        world.contact(slug, &["--webhook", &url]).await;
        let begun = Instant::now();
        let id = world.raise(&format!("contact/{slug}"), "hi").await;
        let delivery = world.attempted(&id, 1).await;
        assert_eq!(outcomes(&delivery)[0], "unknown", "{slug}");
        assert!(begun.elapsed() < Duration::from_secs(20), "{slug}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_absurd_retry_after() {
    for (status, after) in [(429, "999999999999"), (503, "-1"), (503, "soon")] {
        let world = World::start().await;
        world.hooked("ada").await;
        world
            .webhook
            .always(Reply::status(status).with("Retry-After", after));

        let id = world.raise("contact/ada", "hi").await;

        let delivery = world.attempted(&id, 1).await;
        assert_eq!(outcomes(&delivery)[0], "retry", "{status} {after}");
        assert_eq!(state(&delivery), "queued", "{status} {after}");
        assert!(!detail(&delivery).is_empty());
    }
}

/// The table of a gateway for webhooks that may dial this machine, with more keys.
fn table(name: &str, keys: &str) -> String {
    format!(
        "name = \"{name}\"\ntype = \"webhook\"\nallow_networks = [\"127.0.0.0/8\"]\n\
         signing_secret = \"{SIGNING_SECRET}\"\n{keys}"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn sends_event_as_json_with_arguments() {
    let keys = "format = \"json\"\nappend_id = false\nheaders = { X-Source = \"red\" }";
    let config = Config::new().server("public_url = \"https://alerts.example.org\"");
    let world = World::with_hooks(config, &table("hooks", keys)).await;
    world.hooked("ada").await;
    let event = [
        "event",
        "add",
        "disk",
        "--name",
        "Disk full",
        "--contact",
        "ada",
    ];
    let event = world.site.cli(event).argument("--message");
    event.argument("{{host}} is full").run().await.succeeded();

    let id = world
        .fire("disk", &[("host", "db1"), ("odd \"name\"", "é\n")])
        .await;

    let got = world.webhook.expect(1).await.remove(0);
    assert_eq!(got.path, "/ada");
    assert_eq!(got.header("x-source"), "red");
    assert!(got.is_signed_with(SIGNING_SECRET));
    let body = got.json();
    assert_eq!(body["id"], *id);
    assert_eq!(body["event"], "disk");
    assert_eq!(body["message"], "db1 is full");
    let arguments = json!({"host": "db1", "odd \"name\"": "é\n"});
    assert_eq!(body["arguments"], arguments, "the key is no argument");
    let page = format!("https://alerts.example.org/admin/log/{id}");
    assert_eq!(body["url"], page);
    assert_eq!(world.notification(&id).await["arguments"], arguments);
}

#[tokio::test(flavor = "multi_thread")]
async fn sends_through_gateway_that_serves_address() {
    let config = Config::new().gateway("name = \"public\"\ntype = \"webhook\"");
    let world = World::with_hooks(config, &table("private", "")).await;
    world.hooked("ada").await;

    let id = world.raise("contact/ada", "hi").await;

    let delivery = &world.settled(&id).await[0];
    assert_eq!(state(delivery), "delivered");
    assert_eq!(delivery["gateway"], "private");
    assert_eq!(world.webhook.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn hides_password_of_address() {
    const PASSWORD: &str = "canary-b7d1";
    let world = World::start().await;
    let user = format!("http://me:{PASSWORD}@");
    let url = world.webhook.url("/ada").replace("http://", &user);
    world.contact("ada", &["--webhook", &url]).await;

    let id = world.raise("contact/ada", "hi").await;
    world.settled(&id).await;

    let got = world.webhook.expect(1).await.remove(0);
    // me:canary-b7d1
    assert_eq!(got.header("authorization"), "Basic bWU6Y2FuYXJ5LWI3ZDE=");
    assert!(!got.header("host").contains('@'), "{got:?}");
    let masked = url.replace(PASSWORD, "***");
    let (ada, log) = (["contact", "show", "ada"], ["log", &*id]);
    for shown in [
        world.site.run(ada).await.stdout,
        world.site.cli(ada).argument("--json").run().await.stdout,
        world.site.run(["endpoint", "list"]).await.stdout,
        world.site.run(["explain", "contact", "ada"]).await.stdout,
        world.site.run(log).await.stdout,
        world.site.cli(log).argument("--json").run().await.stdout,
        world.notification(&id).await.to_string(),
    ] {
        assert!(!shown.contains(PASSWORD), "{shown}");
        assert!(shown.contains(&masked), "{shown}");
    }
    assert!(!world.server.log().contains(PASSWORD));
    // What is shown is enough to name it, and a copy for another store is whole.
    let off = ["endpoint", "off", "ada", "webhook", &*masked];
    world.site.run(off).await;
    assert!(world.site.run(["export", "-"]).await.stdout.contains(&url));
    let typed = [
        "endpoint",
        "add",
        "ada",
        "webhook",
        "https://me:***@a.example/",
    ];
    let refused = world.site.cli(typed).run().await;
    assert!(
        refused.stderr.contains("enter the password itself"),
        "{}",
        refused.stderr
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn uses_proxy_of_environment_except_for_excluded_hosts() {
    let vendor = WebhookSink::start().await;
    vendor.always(Reply::body(200, r#"{"id":"abc"}"#));
    let proxy = ConnectProxy::to(vendor.address()).await;
    let gateway = "name = \"push\"\ntype = \"ntfy\"\nbase_url = \"http://ntfy.example\"";
    let site = Site::new(&Config::new().gateway(gateway));
    site.run(["migrate"]).await;
    let test = |no_proxy: &str| {
        site.cli(["gateway", "test", "push", "--to", "topic"])
            .variable("HTTP_PROXY", &proxy.url(Some("me:secret")))
            .variable("NO_PROXY", no_proxy)
    };
    test("other.example").run().await.succeeded();
    let asked = proxy.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].line, "CONNECT ntfy.example:80 HTTP/1.1");
    assert_eq!(
        asked[0].authorization.as_deref(),
        Some("Basic bWU6c2VjcmV0")
    );
    assert_eq!(vendor.count(), 1);
    test(".example").run().await.exited(1);
    assert_eq!(proxy.asked().len(), 1);
}
