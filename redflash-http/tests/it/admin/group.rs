//! The pages of groups.

use redflash_core::model::Group;
use redflash_core::store::Directory;

use super::world::World;
use crate::login::{HOSTILE, Who, hidden, says};

async fn group(world: &World) -> Group {
    let slug = "on-call".parse().unwrap();
    world.store.group(&slug).await.unwrap().unwrap()
}

async fn members(world: &World) -> Vec<String> {
    let members = group(world).await.contacts;
    members.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn creates_group_once_with_members() {
    let world = World::start().await;
    says(&world.page("/admin/groups").await, &["No groups yet"]);
    world.contact("ann", HOSTILE).await;
    world.contact("bob", "Bob").await;
    let blank = world.page("/admin/new/group").await;
    says(&blank, &["value=\"ann\"", "bob · pager", "data-filter"]);
    let once = hidden(&blank, "once");
    let fields = [
        ("slug", "on-call"),
        ("name", "On call"),
        ("contacts", "bob"),
        ("contacts", "bob"),
        ("once", &*once),
    ];
    for _ in 0..2 {
        let location = world.done("/admin/groups", &fields).await;
        assert_eq!(location, "/admin/groups/on-call?notice=added");
    }
    assert_eq!(members(&world).await, ["bob"]);
    let taken = world.post("/admin/groups", &fields[..4]).await.expect(422);
    says(&taken.body, &["already exists", "value=\"bob\" checked"]);
    let unknown = [("slug", "x"), ("name", "X"), ("contacts", "nobody")];
    let refused = world.post("/admin/groups", &unknown).await.expect(422);
    says(
        &refused.body,
        &["Contact/nobody no longer exists", "contacts-error"],
    );
    let bad = [("slug", "a b"), ("name", ""), ("contacts", "..")];
    let refused = world.post("/admin/groups", &bad).await.expect(422);
    says(
        &refused.body,
        &["3 errors", "name-error", "slug-error", "contacts-error"],
    );
    world.is_guarded("/admin/groups", &fields).await;
    says(
        &world.page("/admin/groups?q=CALL").await,
        &["1 group<", "1 contact<"],
    );
}

#[tokio::test]
async fn shows_members_and_their_state() {
    let world = World::start().await;
    world.contact("ann", HOSTILE).await;
    world.contact("bob", "Bob").await;
    world.group("on-call", &["ann", "bob"]).await;
    world.event("disk", "full", "bob", "on-call").await;
    world
        .done("/admin/contacts/bob/switch", &[("enabled", "false")])
        .await;
    let page = world.page("/admin/groups/on-call").await;
    says(
        &page,
        &[
            "2 members",
            "/admin/contacts/ann",
            "switched off",
            "/admin/events/disk",
            "It will be removed from disk.",
        ],
    );
    let seen = world
        .get_as(Who::Viewer, "/admin/groups/on-call")
        .await
        .expect(200);
    says(&seen.body, &["2 members", "disabled"]);
    assert!(!seen.body.contains("checkbox") && !seen.body.contains("Remove"));
    world
        .get_as(Who::Admin, "/admin/groups/none")
        .await
        .expect(404);
}

#[tokio::test]
async fn changes_members_unless_changed_meanwhile() {
    let world = World::start().await;
    for slug in ["ann", "bob", "cid"] {
        world.contact(slug, slug).await;
    }
    world.group("on-call", &["cid", "ann"]).await;
    let path = "/admin/groups/on-call";
    let version = hidden(&world.page(path).await, "version");
    let fields = [
        ("name", "Night"),
        ("contacts", "ann"),
        ("contacts", "bob"),
        ("contacts", "cid"),
        ("version", &*version),
    ];
    assert_eq!(
        world.done(path, &fields).await,
        "/admin/groups/on-call?notice=saved"
    );
    assert_eq!(members(&world).await, ["cid", "ann", "bob"]);
    let stale = [("name", "Day"), ("contacts", "bob"), ("version", &*version)];
    let refused = world.post(path, &stale).await.expect(409);
    says(
        &refused.body,
        &["Name: Night", "Members: cid, ann, bob", "value=\"Day\""],
    );
    world.post(path, &stale[..2]).await.expect(409);
    let version = hidden(&world.page(path).await, "version");
    let bad = [("name", ""), ("version", &*version)];
    says(
        &world.post(path, &bad).await.expect(422).body,
        &["name-error"],
    );
    let empty = [("name", "Night"), ("version", &*version)];
    world.done(path, &empty).await;
    assert!(members(&world).await.is_empty());
    world.is_guarded(path, &fields).await;
}

#[tokio::test]
async fn toggles_group_from_list_and_removes_it() {
    let world = World::start().await;
    world.contact("ann", "Ann").await;
    world.group("on-call", &["ann"]).await;
    let path = "/admin/groups/on-call/switch";
    world.is_guarded(path, &[("enabled", "false")]).await;
    world.done(path, &[("enabled", "false")]).await;
    assert!(!group(&world).await.enabled);
    says(
        &world.page("/admin/groups/on-call").await,
        &["This group is switched off"],
    );
    let path = "/admin/groups/on-call/delete";
    world.is_guarded(path, &[]).await;
    assert_eq!(world.done(path, &[]).await, "/admin/groups?notice=removed");
    world.post(path, &[]).await.expect(404);
    assert!(world.find("ann").await.is_some());
}
