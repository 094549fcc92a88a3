//! The pages of contacts.

use super::world::World;
use crate::login::{HOSTILE, Who, hidden, says};

#[tokio::test]
async fn lists_contacts_and_finds_them_by_name_slug_and_address() {
    let world = World::start().await;
    says(
        &world.page("/admin/contacts").await,
        &["No contacts yet", "/admin/new/contact"],
    );
    world.contact("ann", "Ann Example").await;
    world.contact("bob", HOSTILE).await;
    let all = world.page("/admin/contacts").await;
    says(
        &all,
        &[
            "2 contacts",
            "Ann Example",
            "/admin/contacts/bob",
            "&lt;script&gt;",
        ],
    );
    for found in ["example", "ANN", "p-an"] {
        let page = world.page(&format!("/admin/contacts?q={found}")).await;
        says(&page, &["1 contact<", "Ann Example"]);
        assert!(!page.contains("/admin/contacts/bob"), "{found} found bob");
    }
    says(
        &world.page("/admin/contacts?q=nobody").await,
        &["No results"],
    );
    for absurd in [
        "page=1000000000000000000&sort=x",
        "after=%00%FF",
        "before=&q=%F0",
    ] {
        world.page(&format!("/admin/contacts?{absurd}")).await;
    }
}

#[tokio::test]
async fn creates_contact_once_if_form_is_repeated() {
    let world = World::start().await;
    let blank = world.page("/admin/new/contact").await;
    let once = hidden(&blank, "once");
    let fields = [
        ("slug", "ann"),
        ("name", "Ann"),
        ("channel", "pager"),
        ("address", "p-1"),
        ("once", &once),
    ];
    for _ in 0..2 {
        let location = world.done("/admin/contacts", &fields).await;
        assert_eq!(location, "/admin/contacts/ann?notice=added");
    }
    assert_eq!(world.find("ann").await.unwrap().endpoints.len(), 1);
    assert_eq!(
        world.audit_log().await,
        ["user/boss added contact/ann Ann: pager p-1"]
    );
    let other = [("slug", "ann"), ("name", "Another Ann"), ("once", &*once)];
    let refused = world.post("/admin/contacts", &other).await.expect(422);
    says(&refused.body, &["already exists", "Another Ann"]);
    let again = world
        .post("/admin/contacts", &fields[..4])
        .await
        .expect(422);
    says(
        &again.body,
        &["Contact/ann already exists; choose another slug"],
    );
    world
        .is_guarded("/admin/contacts", &[("slug", "x"), ("name", "x")])
        .await;
}

#[tokio::test]
async fn shows_errors_at_fields_and_keeps_input() {
    let world = World::start().await;
    for (slug, name, channel, address, expected) in [
        ("..", "x", "pager", "", "is not allowed in a slug"),
        ("", "x", "pager", "", "A slug cannot be empty"),
        ("x", "a\0b", "pager", "", "control character"),
        ("x", " ", "pager", "", "A name cannot be empty"),
        ("x", HOSTILE, "pager", "4711", "begins with a letter"),
        ("x", "x", "No Channel", "p", "is not a channel"),
        ("x", "x", "", "p", "Choose a channel"),
        ("x", "x", "sms", "+447700900123", "no gateway is configured"),
    ] {
        let fields = [
            ("slug", slug),
            ("name", name),
            ("channel", channel),
            ("address", address),
        ];
        let refused = world.post("/admin/contacts", &fields).await.expect(422);
        let expected = expected.to_lowercase();
        assert!(
            refused.body.to_lowercase().contains(&expected),
            "{expected}: {}",
            refused.body
        );
        says(
            &refused.body,
            &["Nothing was saved.", "aria-invalid=\"true\" autofocus"],
        );
        assert_eq!(refused.body.matches(" autofocus").count(), 1, "{expected}");
        assert_eq!(world.find("x").await, None);
    }
}

#[tokio::test]
async fn shows_endpoints_and_references() {
    let world = World::start().await;
    world.contact("ann", HOSTILE).await;
    world.contact("bob", "Bob").await;
    world.group("on-call", &["ann"]).await;
    world.event("disk", "full", "bob", "on-call").await;
    let page = world.page("/admin/contacts/ann").await;
    says(
        &page,
        &[
            "p-ann",
            "/admin/groups/on-call",
            "event via on-call",
            "/admin/send?target&#x3D;contact/ann",
            "/admin/audit?subject&#x3D;contact/ann",
            "No alerts yet",
            "It will be removed from on-call.",
        ],
    );
    let seen = world
        .get_as(Who::Viewer, "/admin/contacts/ann")
        .await
        .expect(200);
    says(&seen.body, &["p-ann", "disabled"]);
    for control in ["Remove", "Send test", "Add endpoint", "/admin/send?"] {
        assert!(
            !seen.body.contains(control),
            "a viewer is offered {control}"
        );
    }
    for nobody in ["nobody", "a.b", "%FF", &"x".repeat(65)] {
        let path = format!("/admin/contacts/{nobody}");
        world.get_as(Who::Admin, &path).await.expect(404);
    }
    world
        .get_as(Who::Viewer, "/admin/new/contact")
        .await
        .expect(403);
}

#[tokio::test]
async fn renames_contact_unless_changed_meanwhile() {
    let world = World::start().await;
    world.contact("ann", "Ann").await;
    let path = "/admin/contacts/ann";
    let version = hidden(&world.page(path).await, "version");
    let first = [("name", "Anna"), ("version", &*version)];
    assert_eq!(
        world.done(path, &first).await,
        "/admin/contacts/ann?notice=saved"
    );
    for stale in [&*version, "", "1"] {
        let second = [("name", "Annette"), ("version", stale)];
        let refused = world.post(path, &second).await.expect(409);
        says(
            &refused.body,
            &["Someone else", "Name: Anna", "value=\"Annette\""],
        );
        assert_ne!(hidden(&refused.body, "version"), version);
    }
    world.post(path, &[("name", "Annette")]).await.expect(409);
    assert_eq!(world.find("ann").await.unwrap().name.as_str(), "Anna");
    let version = hidden(&world.page(path).await, "version");
    let bad = [("name", ""), ("version", &*version)];
    let refused = world.post(path, &bad).await.expect(422);
    says(&refused.body, &["A name cannot be empty"]);
    world
        .post("/admin/contacts/nobody", &first)
        .await
        .expect(404);
    world.is_guarded(path, &first).await;
}

#[tokio::test]
async fn toggles_contact() {
    let world = World::start().await;
    world.contact("ann", "Ann").await;
    let path = "/admin/contacts/ann/switch";
    let off = world.done(path, &[("enabled", "false")]).await;
    assert_eq!(off, "/admin/contacts/ann?undo=contacts/ann&notice=off");
    assert!(!world.find("ann").await.unwrap().enabled);
    let page = world.page(&off).await;
    says(
        &page,
        &[
            "This contact is switched off",
            "aria-checked=\"false\"",
            "Switched off contact ann. This also applies to queued messages.",
            "action=\"/admin/contacts/ann/switch\"",
            "aria-label=\"Switch contact ann on again\"",
        ],
    );
    world.done(path, &[("enabled", "true")]).await;
    assert!(world.find("ann").await.unwrap().enabled);
    world
        .post(path, &[("enabled", "perhaps")])
        .await
        .expect(400);
    world
        .post("/admin/contacts/nobody/switch", &[("enabled", "true")])
        .await
        .expect(404);
    world.get_as(Who::Admin, path).await.expect(405);
    world.is_guarded(path, &[("enabled", "false")]).await;
    assert_eq!(world.audit_log().await.len(), 2);
}

#[tokio::test]
async fn removes_contact_and_its_references() {
    let world = World::start().await;
    world.contact("ann", "Ann").await;
    world.group("on-call", &["ann"]).await;
    let path = "/admin/contacts/ann/delete";
    world.is_guarded(path, &[]).await;
    assert_eq!(
        world.done(path, &[]).await,
        "/admin/contacts?notice=removed"
    );
    world
        .get_as(Who::Admin, "/admin/contacts/ann")
        .await
        .expect(404);
    world.post(path, &[]).await.expect(404);
}
