//! The pages of events.

use redflash_core::model::{Event, MissingArguments};
use redflash_core::store::Directory;

use super::world::World;
use crate::login::{HOSTILE, Who, hidden, says};

async fn event(world: &World) -> Event {
    let slug = "disk".parse().unwrap();
    world.store.event(&slug).await.unwrap().unwrap()
}

async fn start() -> World {
    let world = World::start().await;
    world.contact("ann", "Ann").await;
    world.contact("bob", "Bob").await;
    world.group("on-call", &["bob"]).await;
    world
}

#[tokio::test]
async fn creates_event_once_with_template_and_recipients() {
    let world = start().await;
    says(&world.page("/admin/events").await, &["No events yet"]);
    let blank = world.page("/admin/new/event").await;
    says(
        &blank,
        &[
            "data-preview-url=\"/admin/preview/event\"",
            "Enter a message to preview it",
        ],
    );
    let once = hidden(&blank, "once");
    let fields = [
        ("slug", "disk"),
        ("name", "Disk full"),
        ("description", "Look\r\nat it"),
        ("subject", "{{host}}"),
        ("message", "{{host}}:\r\n{{disk}} is full"),
        ("contacts", "ann"),
        ("groups", "on-call"),
        ("once", &*once),
    ];
    for _ in 0..2 {
        let location = world.done("/admin/events", &fields).await;
        assert_eq!(location, "/admin/events/disk?notice=added");
    }
    let made = event(&world).await;
    assert_eq!(made.message, "{{host}}:\n{{disk}} is full");
    assert_eq!(
        (made.description.as_str(), made.sender),
        ("Look\nat it", None)
    );
    assert_eq!((made.contacts.len(), made.groups.len()), (1, 1));
    let taken = world.post("/admin/events", &fields[..7]).await.expect(422);
    says(&taken.body, &["already exists", "{{disk}} is full"]);
    world.is_guarded("/admin/events", &fields).await;
    says(
        &world.page("/admin/events?q=FULL").await,
        &["1 event<", "1 contact, 1 group"],
    );
}

#[tokio::test]
async fn shows_template_errors_with_line() {
    let world = start().await;
    let nest = format!("{{{{upper {}", "(".repeat(2000));
    let blocks = "{{#if a}}".repeat(400);
    for (subject, message, expected) in [
        ("", "fine\n{{#if x}}open", "Line 2"),
        ("{{#each}", "fine", "subject-error"),
        ("", "", "The message is empty"),
        ("", " \n", "The message is empty"),
        ("", "a\0b", "NUL"),
        ("", &*nest, "nests at most 32 deep"),
        ("", &*blocks, "nests at most 32 deep"),
        ("", &*"(".repeat(9000), "at most 4096 bytes"),
        (
            "",
            "{% include '/etc/passwd' %}",
            "another template language",
        ),
        ("", "{{include \"/etc/passwd\"}}", "not available"),
    ] {
        let fields = [
            ("slug", "e"),
            ("name", HOSTILE),
            ("subject", subject),
            ("message", message),
        ];
        let refused = world.post("/admin/events", &fields).await.expect(422);
        says(&refused.body, &[expected, "-error", "Nothing was saved."]);
    }
    let broken = [
        ("slug", "e"),
        ("name", ""),
        ("message", "1\n2\n{{#if <b>}}\n4\n5\n6\n7"),
    ];
    let refused = world.post("/admin/events", &broken).await.expect(422);
    says(
        &refused.body,
        &[
            "2 errors",
            "name-error",
            "class=\"wrong\"",
            "{{#if &lt;b&gt;}}",
        ],
    );
    assert_eq!(world.store.events().await.unwrap(), []);
}

#[tokio::test]
async fn changes_event_unless_changed_meanwhile() {
    let world = start().await;
    world
        .event("disk", "{{host}} is full", "ann", "on-call")
        .await;
    let path = "/admin/events/disk";
    let page = world.page(path).await;
    says(
        &page,
        &[
            "name=\"arg.host\" value=\"host\"",
            "host is full",
            "2 messages",
            "via on-call",
        ],
    );
    let version = hidden(&page, "version");
    let fields = [
        ("name", "Disk"),
        ("message", "{{host}} has no room"),
        ("contacts", "ann"),
        ("version", &*version),
    ];
    assert_eq!(
        world.done(path, &fields).await,
        "/admin/events/disk?notice=saved"
    );
    let changed = event(&world).await;
    assert_eq!(
        (&*changed.message, changed.groups.len()),
        ("{{host}} has no room", 0)
    );
    let stale = [
        ("name", "Mine"),
        ("message", "mine"),
        ("version", &*version),
    ];
    let refused = world.post(path, &stale).await.expect(409);
    says(
        &refused.body,
        &["Message: {{host}} has no room", "value=\"Mine\""],
    );
    let bad = [
        ("name", "Mine"),
        ("message", "{{"),
        ("version", &*hidden(&refused.body, "version")),
    ];
    says(
        &world.post(path, &bad).await.expect(422).body,
        &["message-error", "class=\"wrong\""],
    );
    world.post("/admin/events/none", &fields).await.expect(404);
    world.is_guarded(path, &fields).await;
}

#[tokio::test]
async fn previews_event_before_save() {
    let world = start().await;
    world
        .event("disk", "{{host}} is full", "ann", "on-call")
        .await;
    let version = world.store.version().await.unwrap();
    let typed = [
        ("event", "disk"),
        ("name", HOSTILE),
        (
            "message",
            "{{upper host}} {{#each disks}}<{{this}}>{{/each}} {{level}}",
        ),
        ("contacts", "ann"),
        ("arg.host", "db1"),
        ("arguments", "disks=[\"sda\", \"sdb\"]"),
    ];
    let path = "/admin/preview/event";
    let fragment = world.post(path, &typed).await.expect(200).body;
    says(
        &fragment,
        &[
            "DB1 &lt;sda&gt;&lt;sdb&gt; level",
            "1 message<",
            "p-ann",
            "20 characters",
        ],
    );
    assert!(!fragment.contains("<html"));
    let whole = [&typed[..], &[("preview", "page"), ("version", "seen")]].concat();
    let page = world.post(path, &whole).await.expect(200).body;
    says(
        &page,
        &[
            "<html",
            "DB1 &lt;sda",
            "name=\"arg.level\"",
            "value=\"seen\"",
            "{{upper host}}",
        ],
    );
    let new = [
        ("slug", "new-one"),
        ("message", "{{#if"),
        ("preview", "page"),
    ];
    let page = world.post(path, &new).await.expect(200).body;
    says(
        &page,
        &["New event", "value=\"new-one\"", "class=\"wrong\""],
    );
    let failing = [
        ("message", "{{truncate a n}}"),
        ("contacts", "ann"),
        ("arg.n", "many"),
    ];
    let fragment = world.post(path, &failing).await.expect(200).body;
    says(&fragment, &["a fallback message is sent", "n: many"]);
    let nobody = [("message", "hi"), ("arg.x", "y")];
    says(
        &world.post(path, &nobody).await.expect(200).body,
        &["no recipient can be notified"],
    );
    let nest = [("message", &*"{{#if a}}".repeat(2_000))];
    says(
        &world.post(path, &nest).await.expect(200).body,
        &["at most 4096 bytes"],
    );
    world.post(path, &[("event", "none")]).await.expect(404);
    assert_eq!(world.store.version().await.unwrap(), version);
}

#[tokio::test]
async fn viewer_previews_saved_template_only() {
    let world = start().await;
    world
        .event("disk", "{{host}} is full", "ann", "on-call")
        .await;
    let page = world
        .get_as(Who::Viewer, "/admin/events/disk")
        .await
        .expect(200)
        .body;
    says(
        &page,
        &[
            "{{host}} is full",
            "/admin/groups/on-call",
            "name=\"arg.host\"",
        ],
    );
    for control in ["Save", "Remove", "Send alert", "checkbox"] {
        assert!(!page.contains(control), "a viewer is offered {control}");
    }
    let tried = [("event", "disk"), ("arg.host", "db1"), ("preview", "page")];
    let shown = world
        .post_as(Who::Viewer, "/admin/preview/event", &tried)
        .await;
    says(&shown.expect(200).body, &["db1 is full"]);
    let forged = [("event", "disk"), ("csrf", "forged")];
    world
        .post_as(Who::Viewer, "/admin/preview/event", &forged)
        .await
        .expect(403);
    world
        .get_as(Who::Viewer, "/admin/new/event")
        .await
        .expect(403);
}

#[tokio::test]
async fn event_may_have_slug_preview() {
    let world = start().await;
    world.event("preview", "hi", "ann", "on-call").await;
    let version = hidden(&world.page("/admin/events/preview").await, "version");
    let fields = [
        ("name", "Other"),
        ("message", "hello"),
        ("version", &*version),
    ];
    let location = world.done("/admin/events/preview", &fields).await;
    assert_eq!(location, "/admin/events/preview?notice=saved");
}

#[tokio::test]
async fn toggles_and_removes_event() {
    let world = start().await;
    world.event("disk", "full", "ann", "on-call").await;
    let path = "/admin/events/disk/switch";
    world.is_guarded(path, &[("enabled", "false")]).await;
    assert_eq!(
        world.done(path, &[("enabled", "false")]).await,
        "/admin/events/disk?undo=events/disk&notice=off"
    );
    assert!(!event(&world).await.enabled);
    says(
        &world.page("/admin/events/disk").await,
        &["This event is switched off"],
    );
    let path = "/admin/events/disk/delete";
    world.is_guarded(path, &[]).await;
    assert_eq!(world.done(path, &[]).await, "/admin/events?notice=removed");
    world
        .get_as(Who::Admin, "/admin/events/disk")
        .await
        .expect(404);
}

#[tokio::test]
async fn sets_policy_for_missing_arguments() {
    let world = start().await;
    let blank = world.page("/admin/new/event").await;
    says(&blank, &["Missing arguments", "value=\"mark\" selected"]);
    let mut fields = vec![
        ("slug", "disk"),
        ("name", "Disk"),
        ("message", "at {{host}}"),
    ];
    world.done("/admin/events", &fields).await;
    assert_eq!(
        event(&world).await.missing_arguments,
        MissingArguments::Mark
    );
    fields[0] = ("slug", "other");
    fields.push(("missing_arguments", "guess"));
    let refused = world.post("/admin/events", &fields).await.expect(422);
    says(&refused.body, &["Write blank, mark or refuse"]);
    let page = world.page("/admin/events/disk").await;
    let version = hidden(&page, "version");
    let change = [
        ("version", &*version),
        ("name", "Disk"),
        ("message", "at {{host}}"),
        ("missing_arguments", "refuse"),
    ];
    world.done("/admin/events/disk", &change).await;
    assert_eq!(
        event(&world).await.missing_arguments,
        MissingArguments::Refuse
    );
    let sent = [("target", "event/disk"), ("arguments", "hots=db1")];
    let plan = world.post("/admin/send/plan", &sent).await.expect(422);
    says(
        &plan.body,
        &[
            "Missing arguments: <bdi>host</bdi>",
            "Unused arguments: <bdi>hots</bdi>",
        ],
    );
}
