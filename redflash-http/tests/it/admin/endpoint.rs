//! The pages of endpoints.

use redflash_core::model::Endpoint;
use redflash_tests::until;

use super::world::World;
use crate::login::{Who, hidden, says};

async fn endpoints(world: &World) -> Vec<Endpoint> {
    world.find("ann").await.unwrap().endpoints
}

#[tokio::test]
async fn adds_endpoint_once_and_rejects_duplicate_address() {
    let world = World::start().await;
    world.contact("ann", "Ann").await;
    let path = "/admin/contacts/ann/endpoints";
    let once = hidden(&world.page("/admin/contacts/ann").await, "once");
    let fields = [
        ("channel", "other"),
        ("other", "pager"),
        ("address", "p-2"),
        ("once", &*once),
    ];
    for _ in 0..2 {
        assert_eq!(
            world.done(path, &fields).await,
            "/admin/contacts/ann?notice=added"
        );
    }
    assert_eq!(endpoints(&world).await.len(), 2);
    let twice = world.post(path, &fields[..3]).await.expect(422);
    says(
        &twice.body,
        &["Ann already has this pager address", "value=\"p-2\""],
    );
    let bad = [("channel", "pager"), ("address", "4711\r\nBcc: x")];
    let refused = world.post(path, &bad).await.expect(422);
    says(
        &refused.body,
        &[
            "cannot hold control characters",
            "address-error",
            "Nothing was saved.",
        ],
    );
    let strange = [
        ("channel", "other"),
        ("other", "Sky Writing"),
        ("address", "p"),
    ];
    let refused = world.post(path, &strange).await.expect(422);
    says(&refused.body, &["other-error", "value=\"Sky Writing\""]);
    world
        .post("/admin/contacts/nobody/endpoints", &fields)
        .await
        .expect(404);
    world
        .is_guarded(path, &[("channel", "pager"), ("address", "p-3")])
        .await;
    world.get_as(Who::Admin, path).await.expect(405);
}

#[tokio::test]
async fn changes_endpoint_unless_changed_meanwhile() {
    let world = World::start().await;
    let id = world.contact("ann", "Ann").await.id;
    let path = format!("/admin/contacts/ann/endpoints/{id}");
    let page = world.page(&path).await;
    says(&page, &["value=\"p-ann\"", "Send test", "Remove endpoint"]);
    let version = hidden(&page, "version");
    let fields = [("address", "p-new"), ("version", &*version)];
    assert_eq!(
        world.done(&path, &fields).await,
        "/admin/contacts/ann?notice=saved"
    );
    let changed = &endpoints(&world).await[0];
    assert_eq!((changed.id, changed.address.as_str()), (id, "p-new"));
    let stale = [
        ("channel", "pager"),
        ("address", "p-mine"),
        ("version", &*version),
    ];
    let refused = world.post(&path, &stale).await.expect(409);
    says(&refused.body, &["pager p-new", "value=\"p-mine\""]);
    let version = hidden(&world.page(&path).await, "version");
    let bad = [
        ("channel", "pager"),
        ("address", "4711"),
        ("version", &*version),
    ];
    let refused = world.post(&path, &bad).await.expect(422);
    says(&refused.body, &["begins with a letter", "value=\"4711\""]);
    world.is_guarded(&path, &fields).await;
    world.get_as(Who::Viewer, &path).await.expect(403);
    for nothing in ["x", "00000000000000000000000000000000"] {
        let path = format!("/admin/contacts/ann/endpoints/{nothing}");
        world.get_as(Who::Admin, &path).await.expect(404);
        world.post(&path, &fields).await.expect(404);
    }
}

#[tokio::test]
async fn enabling_endpoint_ends_opt_out() {
    let world = World::start().await;
    let endpoint = world.contact("ann", "Ann").await;
    let mut ann = world.find("ann").await.unwrap();
    ann.endpoints[0].enabled = false;
    ann.endpoints[0].opted_out = Some("answered STOP".into());
    world.save(ann).await;
    says(&world.page("/admin/contacts/ann").await, &["answered STOP"]);
    let path = format!("/admin/contacts/ann/endpoints/{}/switch", endpoint.id);
    world.is_guarded(&path, &[("enabled", "true")]).await;
    let location = world.done(&path, &[("enabled", "true")]).await;
    assert_eq!(location, "/admin/contacts/ann?notice=on");
    let on = &endpoints(&world).await[0];
    assert_eq!((on.enabled, &on.opted_out), (true, &None));
}

#[tokio::test]
async fn sends_test_to_one_endpoint_once() {
    let world = World::start().await;
    let id = world.contact("ann", "Ann").await.id;
    let more = [("channel", "pager"), ("address", "p-2")];
    world.done("/admin/contacts/ann/endpoints", &more).await;
    let path = format!("/admin/contacts/ann/endpoints/{id}/test");
    world.is_guarded(&path, &[]).await;
    let once = [
        ("once", "0123456789abcdef"),
        ("message", "Is anybody there?"),
    ];
    let first = world.done(&path, &once).await;
    assert!(
        first.starts_with("/admin/log/") && first.ends_with("?notice=raised"),
        "{first}"
    );
    assert_eq!(world.done(&path, &once).await, first);
    let entries = world.audit_log().await;
    let tests = entries.iter().filter(|line| line.contains("tested"));
    assert_eq!(
        tests.collect::<Vec<_>>(),
        ["user/boss tested contact/ann pager p-ann"]
    );
    let page = until("the test has gone out", async || {
        let page = world.page("/admin/contacts/ann").await;
        page.contains("badge sent").then_some(page)
    });
    says(&page.await, &["Is anybody there?"]);
    let off = format!("/admin/contacts/ann/endpoints/{id}/switch");
    world.done(&off, &[("enabled", "false")]).await;
    let refused = world.post(&path, &[]).await.expect(422);
    says(
        &refused.body,
        &["Nothing was sent: the endpoint is switched off."],
    );
}

#[tokio::test]
async fn removes_endpoint() {
    let world = World::start().await;
    let id = world.contact("ann", "Ann").await.id;
    let path = format!("/admin/contacts/ann/endpoints/{id}/delete");
    world.is_guarded(&path, &[]).await;
    assert_eq!(
        world.done(&path, &[]).await,
        "/admin/contacts/ann?notice=removed"
    );
    assert!(endpoints(&world).await.is_empty());
    world.post(&path, &[]).await.expect(404);
}
