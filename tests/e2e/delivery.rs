//! The path of an alert from the raising system to its recipients.

use serde_json::Value;

use crate::world::{World, detail, outcomes, state};

#[tokio::test(flavor = "multi_thread")]
async fn sends_one_alert_by_every_channel() {
    let world = World::start().await;
    let hook = world.webhook.url("/ada");
    world
        .contact(
            "ada",
            &[
                "--webhook",
                &hook,
                "--email",
                "ada@example.org",
                "--sms",
                "+447700900001",
            ],
        )
        .await;

    let id = world.raise("contact/ada", "disk full on db1").await;

    let hooks = world.webhook.expect(1).await;
    assert_eq!(hooks[0].path, format!("/ada/{id}"));
    assert_eq!(hooks[0].notification(), id);
    assert_eq!(hooks[0].message(), "disk full on db1");
    let mails = world.mail.expect(1).await;
    assert_eq!(mails[0].to, ["ada@example.org"]);
    assert_eq!(mails[0].header("Subject"), "disk full on db1");
    assert!(mails[0].text().contains("disk full on db1"));
    assert!(
        mails[0].text().contains(&id),
        "a mail names its notification"
    );
    let texts = world.vonage.expect(1).await;
    assert_eq!(texts[0].form()["to"], "447700900001");
    assert_eq!(texts[0].form()["text"], "disk full on db1");
    assert!(
        world.vonage.faults().is_empty(),
        "{:?}",
        world.vonage.faults()
    );

    let deliveries = world.settled(&id).await;
    let of = |channel: &str| {
        let mut all = deliveries.iter();
        all.find(|delivery| delivery["channel"] == channel).unwrap()
    };
    assert_eq!(deliveries.len(), 3);
    assert_eq!(state(of("webhook")), "delivered");
    assert_eq!(state(of("email")), "sent");
    assert_eq!(state(of("sms")), "sent");
    assert_eq!(of("sms")["price"], "0.03330000");
    assert!(
        deliveries
            .iter()
            .all(|delivery| outcomes(delivery) == ["ok"])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn renders_template_of_event() {
    let world = World::start().await;
    world
        .contact(
            "ada",
            &["--email", "ada@example.org", "--sms", "+447700900001"],
        )
        .await;
    world
        .site
        .run([
            "event",
            "add",
            "disk",
            "--name",
            "Disk space",
            "--message",
            "{{host}} is at {{upper level}}{{#if note}} ({{note}}){{/if}}",
            "--subject",
            "[{{host}}] disk",
            "--contact",
            "ada",
            "--sender",
            "DiskWatch",
        ])
        .await;

    world
        .fire(
            "disk",
            &[("host", "db1"), ("level", "95 %"), ("note", "<b>&")],
        )
        .await;

    let mails = world.mail.expect(1).await;
    assert_eq!(mails[0].header("Subject"), "[db1] disk");
    assert!(
        mails[0].text().contains("db1 is at 95 % (<b>&)"),
        "{}",
        mails[0].text()
    );
    let texts = world.vonage.expect(1).await;
    assert_eq!(texts[0].form()["text"], "db1 is at 95 % (<b>&)");
    assert_eq!(texts[0].form()["from"], "DiskWatch");
    assert!(
        world.vonage.faults().is_empty(),
        "{:?}",
        world.vonage.faults()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn arguments_are_rendered_once_and_the_key_is_none_of_them() {
    let world = World::start().await;
    world.hooked("ada").await;
    world
        .site
        .run([
            "event",
            "add",
            "echo",
            "--name",
            "Echo",
            "--message",
            "x={{x}} key={{api_key}} all={{#each this}}{{@key}} {{/each}}",
            "--contact",
            "ada",
        ])
        .await;

    world.fire("echo", &[("x", "{{y}}"), ("y", "other")]).await;

    let hooks = world.webhook.expect(1).await;
    assert_eq!(hooks[0].message(), "x={{y}} key=[api_key?] all=x y ");
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_202_for_group_with_unreachable_member() {
    let world = World::start().await;
    world.hooked("ada").await;
    world.contact("bob", &[]).await;
    world
        .site
        .run([
            "group",
            "add",
            "ops",
            "--name",
            "Ops",
            "--contact",
            "ada",
            "--contact",
            "bob",
        ])
        .await;

    let answer = world
        .client
        .raise("group/ops", &world.key, &[("message", "hi")])
        .await;

    let body = answer.clone().expect(202).json();
    assert_eq!(body["queued"], 1);
    world.webhook.expect(1).await;
    let notification = world.notification(&answer.notification()).await;
    let plan = notification["plan"]["recipients"].to_string();
    assert!(
        plan.contains("bob") && plan.contains("no_endpoint"),
        "{plan}"
    );

    world.site.run(["contact", "off", "bob"]).await;
    world
        .client
        .raise("group/ops", &world.key, &[("message", "hi")])
        .await
        .expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn sends_once_per_address() {
    let world = World::start().await;
    let shared = world.webhook.url("/shared");
    world.contact("ada", &["--webhook", &shared]).await;
    world.contact("bob", &["--webhook", &shared]).await;
    world
        .site
        .run([
            "group",
            "add",
            "ops",
            "--name",
            "Ops",
            "--contact",
            "ada",
            "--contact",
            "bob",
        ])
        .await;

    let answer = world
        .client
        .raise("group/ops", &world.key, &[("message", "hi")])
        .await
        .expect(201);

    assert_eq!(answer.json()["queued"], 1);
    assert_eq!(answer.json()["skipped"], 1);
    let deliveries = world.settled(&answer.notification()).await;
    assert_eq!(deliveries.len(), 1);
    assert_eq!(world.webhook.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn explain_matches_log() {
    let world = World::start().await;
    let hook = world.webhook.url("/ada");
    world
        .contact("ada", &["--webhook", &hook, "--email", "ada@example.org"])
        .await;
    world.contact("bob", &["--sms", "+447700900002"]).await;
    world.contact("cid", &["--sms", "+447700900003"]).await;
    world.site.run(["contact", "off", "cid"]).await;
    world
        .site
        .run(["endpoint", "off", "ada", "email", "ada@example.org"])
        .await;
    world
        .site
        .run([
            "group",
            "add",
            "ops",
            "--name",
            "Ops",
            "--contact",
            "ada",
            "--contact",
            "bob",
            "--contact",
            "cid",
        ])
        .await;
    world
        .site
        .run([
            "event",
            "add",
            "disk",
            "--name",
            "Disk",
            "--message",
            "{{host}} is full",
            "--group",
            "ops",
        ])
        .await;

    let explained = world
        .site
        .run(["explain", "event", "disk", "host=db1", "--json"])
        .await
        .json();
    assert_eq!(world.logged().await, 0, "explaining stores nothing");
    assert_eq!(world.webhook.count(), 0, "explaining sends nothing");
    let id = world.fire("disk", &[("host", "db1")]).await;

    assert_eq!(world.notification(&id).await["plan"], explained);
    let log = world.site.run(["log", &id, "--json"]).await.json();
    assert_eq!(log["notification"]["plan"], explained);
    let text = world.site.run(["log", &id]).await.stdout;
    for word in [&*id, "ada", "bob", "cid", "db1 is full"] {
        assert!(text.contains(word), "{word} is missing in\n{text}");
    }
    let notified: Vec<Value> = world.settled(&id).await;
    let mut notified: Vec<_> = notified
        .iter()
        .map(|d| d["contact"].as_str().unwrap())
        .collect();
    notified.sort_unstable();
    assert_eq!(notified, ["ada", "bob"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_alert_without_recipients_and_records_nothing() {
    let world = World::start().await;
    world.contact("ada", &[]).await;

    let answer = world
        .client
        .raise("contact/ada", &world.key, &[("message", "hi")])
        .await;

    assert_eq!(answer.clone().expect(500).code(), "no_recipients");
    assert_eq!(world.logged().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn resends_failed_delivery() {
    let world = World::start().await;
    world.hooked("ada").await;
    world.webhook.once(redflash_tests::Reply::status(410));

    let id = world.raise("contact/ada", "hi").await;
    let failed = world.settled(&id).await;
    assert_eq!(state(&failed[0]), "failed");
    assert!(detail(&failed[0]).contains("410"), "{}", detail(&failed[0]));
    assert_eq!(outcomes(&failed[0]), ["permanent"]);

    world.site.run(["resend", &id]).await;
    world.webhook.expect(2).await;
    let sent = world.settled(&id).await;
    assert_eq!(state(&sent[0]), "delivered");
    assert_eq!(outcomes(&sent[0]), ["permanent", "ok"]);
}
