//! The contract with raising systems: waiting for the outcome, repeats, and what a key may do.

use std::collections::BTreeSet;

use redflash_tests::{Answer, Config, Reply, Signal};

use crate::world::{World, state};

#[tokio::test(flavor = "multi_thread")]
async fn in_sync_mode_the_answer_is_the_outcome() {
    let world = World::with(Config::new().delivery("mode = \"sync\"")).await;
    world.hooked("ada").await;
    world.contact("bob", &["--email", "bob@example.org"]).await;
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
    let raise = async || {
        world
            .client
            .raise("group/ops", &world.key, &[("message", "hi")])
            .await
    };

    let all = raise().await.expect(201);
    assert_eq!((world.webhook.count(), world.mail.mails().len()), (1, 1));
    assert!(
        world
            .deliveries(&all.notification())
            .await
            .iter()
            .all(|d| state(d) != "queued")
    );

    world.webhook.once(Reply::status(410));
    let some = raise().await.expect(202);
    assert_eq!(some.notification().len(), 32);

    world.site.run(["contact", "off", "bob"]).await;
    world.webhook.once(Reply::status(410));
    let none = raise().await.expect(500);
    assert_eq!(none.notification().len(), 32, "the alert is in the log");
}

#[tokio::test(flavor = "multi_thread")]
async fn request_can_ask_to_wait() {
    let world = World::start().await;
    world.hooked("ada").await;

    let answer = world
        .client
        .raise("contact/ada?wait=10s", &world.key, &[("message", "hi")])
        .await
        .expect(201);
    assert_eq!(world.webhook.count(), 1);
    assert_eq!(
        state(&world.deliveries(&answer.notification()).await[0]),
        "delivered"
    );

    world.webhook.once(Reply::status(410));
    world
        .client
        .raise("contact/ada?wait=10s", &world.key, &[("message", "hi")])
        .await
        .expect(500);
}

const KEY: (&str, &str) = ("idempotency-key", "k-1");

async fn once(world: &World, key: &str, message: &str) -> Answer {
    world
        .client
        .raise_with("contact/ada", key, &[("message", message)], &[KEY])
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_equal_requests_at_once_are_one_alert() {
    let world = World::start().await;
    world.hooked("ada").await;
    let mut requests = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let (client, key) = (world.client.clone(), world.key.clone());
        requests.spawn(async move {
            client
                .raise_with("contact/ada", &key, &[("message", "hi")], &[KEY])
                .await
        });
    }

    let answers = requests.join_all().await;

    assert!(answers.iter().all(|answer| answer.status == 201));
    let ids: BTreeSet<_> = answers.iter().map(Answer::notification).collect();
    assert_eq!(ids.len(), 1);
    world.settled(ids.first().unwrap()).await;
    assert_eq!(world.webhook.count(), 1);
    assert_eq!(world.logged().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn repeats_answer_and_rejects_other_request_under_same_key() {
    let world = World::start().await;
    world.hooked("ada").await;
    let other_key = world.site.key("other", &[]).await;

    let first = once(&world, &world.key, "hi").await.expect(201);
    let repeat = once(&world, &world.key, "hi").await.expect(201);
    let mismatch = once(&world, &world.key, "other").await.expect(500);
    let other = once(&world, &other_key, "other").await.expect(201);

    assert_eq!(repeat.notification(), first.notification());
    assert_eq!(mismatch.code(), "idempotency_mismatch");
    assert_ne!(other.notification(), first.notification());
    assert_eq!(world.logged().await, 2);
    let long = "x".repeat(256);
    let headers = [("idempotency-key", &*long)];
    let fields = [("message", "hi")];
    let refused = world
        .client
        .raise_with("contact/ada", &world.key, &fields, &headers)
        .await;
    assert_eq!(refused.status, 500);
    assert_eq!(world.logged().await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn finds_repeat_after_restart() {
    let mut world = World::start().await;
    world.hooked("ada").await;
    let first = once(&world, &world.key, "hi").await.expect(201);
    world.settled(&first.notification()).await;

    world.server.signal(Signal::KILL);
    world.server.ended().await;
    world.restart().await;
    let repeat = once(&world, &world.key, "hi").await.expect(201);

    assert_eq!(repeat.notification(), first.notification());
    assert_eq!(world.webhook.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_raise_out_of_scope() {
    let world = World::start().await;
    world.hooked("ada").await;
    world.hooked("bob").await;
    let key = world.site.key("narrow", &["--only", "contact/ada"]).await;
    let raise = async |target: &str| world.client.raise(target, &key, &[("message", "hi")]).await;

    raise("contact/ada").await.expect(201);
    raise("contact/bob").await.expect(403);
    raise("contact/nobody").await.expect(403);

    assert_eq!(world.logged().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_disabled_or_removed_key_at_once() {
    let world = World::start().await;
    world.hooked("ada").await;
    let key = world.site.key("app", &[]).await;
    let raise = async || {
        let answer = world
            .client
            .raise("contact/ada", &key, &[("message", "hi")])
            .await;
        answer.status
    };

    assert_eq!(raise().await, 201);
    world.site.run(["key", "off", "app"]).await;
    assert_eq!(raise().await, 403);
    world.site.run(["key", "on", "app"]).await;
    assert_eq!(raise().await, 201);
    world.site.run(["key", "remove", "app"]).await;
    assert_eq!(raise().await, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn requires_inspect_for_contacts_and_groups() {
    let world = World::start().await;
    world.hooked("ada").await;
    world
        .site
        .run([
            "group",
            "add",
            "ops",
            "--name",
            "The ops",
            "--contact",
            "ada",
        ])
        .await;
    let plain = world.site.key("plain", &[]).await;
    let get =
        async |path: &str, key: &str| world.client.get(&format!("{path}?api_key={key}")).await;

    let contact = get("/contact/ada/", &world.key).await.expect(200).json();
    assert_eq!(
        (&contact["name"], &contact["slug"]),
        (&"ada".into(), &"ada".into())
    );
    let group = get("/group/ops", &world.key).await.expect(200);
    assert_eq!(group.json()["name"], "The ops");
    assert_eq!(group.json()["short_contacts"], serde_json::json!(["ada"]));
    assert!(!group.body.contains("http"), "no address: {}", group.body);
    get("/contact/nobody/", &world.key).await.expect(404);
    for path in ["/contact/ada/", "/group/ops/", "/contact/nobody/"] {
        get(path, &plain).await.expect(403);
    }
    let id = world.raise("contact/ada", "hi").await;
    let path = format!("/api/v1/notifications/{id}");
    assert_ne!(world.client.get_as(&path, &plain).await.status, 200);
    assert_ne!(world.client.get(&path).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn raising_key_sees_summary() {
    let world = World::start().await;
    world.hooked("ada").await;
    let plain = world.site.key("plain", &[]).await;
    let answer = world
        .client
        .raise("contact/ada", &plain, &[("message", "hi")])
        .await;
    let path = format!(
        "/api/v1/notifications/{}",
        answer.expect(201).notification()
    );

    let summary = world.client.get_as(&path, &plain).await.expect(200);

    assert!(
        !summary.body.contains("http"),
        "no address: {}",
        summary.body
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_key_and_fields_in_every_form() {
    let world = World::start().await;
    world.hooked("ada").await;
    let key = &world.key;
    let bearer = format!("Bearer {key}");
    let json = serde_json::json!({ "api_key": key, "message": "hi" }).to_string();
    let multipart = format!(
        "--b\r\nContent-Disposition: form-data; name=\"api_key\"\r\n\r\n{key}\r\n\
         --b\r\nContent-Disposition: form-data; name=\"message\"\r\n\r\nhi\r\n--b--\r\n"
    );
    let form = "application/x-www-form-urlencoded";
    let with_query = format!("/contact/ada/?api_key={key}");
    let ways: [(&str, Vec<_>, String); 5] = [
        (
            "/contact/ada",
            vec![("content-type", form)],
            format!("api_key={key}&message=hi"),
        ),
        (
            &with_query,
            vec![("content-type", form)],
            "message=hi".into(),
        ),
        (
            "/contact/ada/",
            vec![("content-type", form), ("authorization", &bearer)],
            "message=hi".into(),
        ),
        (
            "/contact/ada/",
            vec![("content-type", "application/json")],
            json,
        ),
        (
            "/contact/ada/",
            vec![("content-type", "multipart/form-data; boundary=b")],
            multipart,
        ),
    ];
    for (number, (path, headers, body)) in ways.into_iter().enumerate() {
        let answer = world.client.send("POST", path, &headers, body).await;
        let id = answer.expect(201).notification();
        let hooks = world.webhook.expect(number + 1).await;
        assert_eq!(
            (hooks[number].notification(), &*hooks[number].message()),
            (id, "hi")
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_refusal_with_code_key_and_target() {
    let world = World::with(Config::new().server("max_body = 2048")).await;
    world.hooked("ada").await;
    let narrow = world.site.key("narrow", &["--only", "contact/bob"]).await;
    let large = format!("message={}", "x".repeat(4096));
    let bearer = format!("Bearer {}", world.key);
    let form = ("content-type", "application/x-www-form-urlencoded");
    let headers = [form, ("authorization", &bearer)];
    let send = async |path| world.client.send("POST", path, &headers, &*large).await;

    send("/contact/ada").await.expect(500);
    send("/api/v1/contacts/ada/messages").await.expect(415);
    let refused = world
        .client
        .raise("contact/ada", &narrow, &[("message", "hi")]);
    refused.await.expect(403);

    let log = world.server.log();
    for line in [
        r#"code="too_large" key=monitor target=contact/ada"#,
        r#"code="bad_content_type" key=monitor target=contact/ada"#,
        r#"code="not_allowed" key=narrow target=contact/ada"#,
    ] {
        assert!(log.contains(line), "{line} is missing in {log}");
    }
}
