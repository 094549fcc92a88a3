//! The pages of gateways.

use redflash_core::store::{Alarm, Meter};

use crate::admin::delivery_world::World;
use crate::login::{HOSTILE, Who, hidden, lacks, says};

#[tokio::test]
async fn shows_gateways_with_state_and_attempts() {
    let world = World::start().await;
    world.contact("ann", "Ann", &["a", "refuse"]).await;
    world.tell("ann", "hello").await;
    let list = world.page("/admin/gateways").await;
    says(&list, &["first", "pager", "ok", "all addresses"]);
    let now = world.engine.now();
    world
        .store
        .start_alarm(&Alarm {
            subject: "gateway/first".into(),
            since: now,
            reason: "the gateway refuses our account: no".into(),
            next_try_at: None,
        })
        .await
        .unwrap();
    says(
        &world.page("/admin/gateways").await,
        &["stopped", "the gateway refuses our account: no"],
    );
    // The plan of an alert says that its message would wait, before anything is sent.
    let fields = [("target", "contact/ann"), ("message", "hello")];
    let plan = world.post("/admin/send/plan", &fields).await.expect(200);
    says(
        &plan.body,
        &[
            "Will be delayed",
            "stopped: the gateway refuses our account: no",
        ],
    );
    let page = world.page("/admin/gateways/first").await;
    says(
        &page,
        &[
            "stopped",
            "the gateway refuses our account: no",
            "Since",
            "2 attempts: 1 sent, 1 failed",
            "receipts",
            "not accepted: the gateway has no callback_secret",
            "/admin/log?gateway=first",
            "Send test",
        ],
    );
    for name in ["second", "...", "%00"] {
        let path = format!("/admin/gateways/{name}");
        let missing = world.get_as(Who::Admin, &path).await;
        assert_eq!(missing.status, 404, "{name}");
    }
    let viewer = world.get_as(Who::Viewer, "/admin/gateways/first").await;
    lacks(&viewer.expect(200).body, "Send test");
}

#[tokio::test]
async fn tests_gateway_once_and_shows_result() {
    let world = World::start().await;
    let once = hidden(&world.page("/admin/gateways/first").await, "once");
    let path = "/admin/gateways/first/test";
    let fields = [("to", " a-1 "), ("message", "try"), ("once", &once)];
    world.is_guarded(path, &fields).await;
    let location = world.done(path, &fields).await;
    assert_eq!(world.done(path, &fields).await, location);
    assert_eq!(world.channel.sent_to("a-1"), ["try"]);
    let id = location
        .strip_prefix("/admin/gateways/first?test=")
        .unwrap();
    let entries = world.audit_log().await;
    assert_eq!(
        entries,
        [format!(
            "user/boss tested gateway/first a-1, notification/{id}"
        )]
    );
    let page = world.page(&location).await;
    says(
        &page,
        &["Test result", "sent", "After", &format!("/admin/log/{id}")],
    );
    let changed = [("to", "refuse-1"), ("message", "try"), ("once", &once)];
    let refused = world.done(path, &changed).await;
    let page = world.page(&refused).await;
    says(&page, &["failed", "rejected: &lt;script&gt;"]);
}

#[tokio::test]
async fn shows_errors_of_test_at_fields() {
    let world = World::start().await;
    let path = "/admin/gateways/first/test";
    for (to, message, expected) in [
        ("-1", "words", "a pager begins with a letter"),
        ("", "words", "An address cannot be empty"),
        (
            "a\r\nb",
            "words",
            "An address cannot hold control characters",
        ),
        ("a", " ", "Enter a message"),
        (HOSTILE, "", "onclick"),
    ] {
        let page = world.post(path, &[("to", to), ("message", message)]).await;
        let page = page.expect(422).body;
        says(&page, &[expected]);
        assert!(
            message != "words" || page.contains("words</textarea>"),
            "{page}"
        );
    }
    assert_eq!(world.raised().await, 0);
    world
        .post("/admin/gateways/second/test", &[("to", "a")])
        .await
        .expect(404);
    for id in ["x", "", &"0".repeat(32)] {
        let page = world
            .page(&format!("/admin/gateways/first?test={id}"))
            .await;
        lacks(&page, "Test result");
    }
}
