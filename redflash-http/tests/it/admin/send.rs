//! Manual sending: a plan is shown first, and then sent once.

use redflash_core::model::{Contact, Event};

use crate::admin::delivery_world::World;
use crate::login::{HOSTILE, Who, hidden, lacks, says};

#[tokio::test]
async fn lists_targets() {
    let world = World::start().await;
    says(&world.page("/admin/send").await, &["No contacts yet"]);
    world.contact("ann", "Ann Example", &["a"]).await;
    world.contact("bob", HOSTILE, &["b"]).await;
    world.group("team", &["ann"]).await;
    let event = Event::new(
        "disk".parse().unwrap(),
        "Disk full".parse().unwrap(),
        "full",
    );
    world.save(event).await;
    let all = world.page("/admin/send").await;
    says(
        &all,
        &[
            "/admin/send?target=contact%2Fann",
            "/admin/send?target=group%2Fteam",
            "/admin/send?target=event%2Fdisk",
            "&lt;script&gt;",
        ],
    );
    let found = world.page("/admin/send?q=EXAMPLE").await;
    says(&found, &["Ann Example"]);
    lacks(&found, "contact%2Fbob");
    says(&world.page("/admin/send?q=nobody").await, &["No results"]);
    says(
        &world.page("/admin/send?target=%00").await,
        &["Ann Example"],
    );
    let gone = world
        .get_as(Who::Admin, "/admin/send?target=contact/gone")
        .await;
    says(&gone.expect(404).body, &["no contact/gone"]);
}

#[tokio::test]
async fn shows_plan_and_sends_once() {
    let world = World::start().await;
    world.contact("ann", "Ann Example", &["a-1", "a-1"]).await;
    world
        .save(Contact::new(
            "off".parse().unwrap(),
            "Off Duty".parse().unwrap(),
        ))
        .await;
    world.group("team", &["ann", "off"]).await;
    says(
        &world.page("/admin/send?target=group/team").await,
        &[">Preview</button>"],
    );
    let fields = [("target", "group/team"), ("message", "a <b> c")];
    let plan = world
        .post("/admin/send/plan", &fields)
        .await
        .expect(200)
        .body;
    says(
        &plan,
        &[
            "1 message",
            "a &lt;b&gt; c",
            "Ann Example",
            "Off Duty",
            "Send 1 message<",
            "via team",
        ],
    );
    assert_eq!(world.raised().await, 0, "a plan sends nothing");
    let once = hidden(&plan, "once");
    let fields = [fields[0], fields[1], ("once", &once)];
    world.is_guarded("/admin/send", &fields).await;
    world
        .post_as(Who::Viewer, "/admin/send/plan", &fields)
        .await
        .expect(403);
    let location = world.done("/admin/send", &fields).await;
    assert_eq!(world.done("/admin/send", &fields).await, location);
    assert_eq!(world.raised().await, 1);
    let id = location.strip_prefix("/admin/log/").unwrap();
    let id = id.strip_suffix("?notice=raised").unwrap();
    let entries = world.audit_log().await;
    assert_eq!(
        entries,
        [format!("user/boss raised notification/{id} group/team")]
    );
    says(&world.page(&location).await, &["user/boss", "Alert sent."]);
    let another = world
        .post("/admin/send/plan", &fields)
        .await
        .expect(200)
        .body;
    assert_ne!(hidden(&another, "once"), once, "a new form is a new alert");
}

#[tokio::test]
async fn raises_event_with_arguments() {
    let world = World::start().await;
    world.contact("ann", "Ann", &["a-1"]).await;
    let message = "{{host}}:{{#each disks}} {{this}}{{/each}} {{default level \"low\"}}";
    let mut event = Event::new("disk".parse().unwrap(), "Disk".parse().unwrap(), message);
    event.contacts = vec!["ann".parse().unwrap()];
    world.save(event).await;
    let page = world.page("/admin/send?target=event/disk").await;
    says(
        &page,
        &[
            "name=\"arg.host\"",
            "name=\"arg.disks\"",
            "name=\"arg.level\"",
        ],
    );
    let fields = [
        ("target", "event/disk"),
        ("arg.host", HOSTILE),
        ("arg.disks", "sda\r\nsdb"),
        ("arg.level", ""),
        ("arguments", "more=1"),
    ];
    let plan = world
        .post("/admin/send/plan", &fields)
        .await
        .expect(200)
        .body;
    says(&plan, &["{{csrf}}: sda sdb low"]);
    let mut sent = fields.to_vec();
    let once = hidden(&plan, "once");
    sent.push(("once", &once));
    says(&plan, &["name=\"arguments\" value=\"more=1\""]);
    world.done("/admin/send", &sent).await;
    redflash_tests::until("it was sent", || async {
        let sent = world.channel.sent_to("a-1");
        (sent == [format!("{HOSTILE}: sda sdb low")]).then_some(())
    })
    .await;
}

#[tokio::test]
async fn shows_template_error_before_sending() {
    let world = World::start().await;
    world.contact("ann", "Ann", &["a-1"]).await;
    let mut event = Event::new(
        "bad".parse().unwrap(),
        "Bad".parse().unwrap(),
        "{".repeat(4000),
    );
    event.contacts = vec!["ann".parse().unwrap()];
    world.save(event).await;
    says(
        &world.page("/admin/send?target=event/bad").await,
        &["More arguments"],
    );
    let fields = [("target", "event/bad"), ("arguments", "host=db1")];
    let plan = world
        .post("/admin/send/plan", &fields)
        .await
        .expect(200)
        .body;
    says(&plan, &["The event template fails", "host: db1"]);
}

#[tokio::test]
async fn shows_errors_and_keeps_input() {
    let world = World::start().await;
    world.contact("ann", "Ann", &["a"]).await;
    world.contact("bare", "Bare", &[]).await;
    let mut off = Contact::new("off".parse().unwrap(), "Off".parse().unwrap());
    off.enabled = false;
    world.save(off).await;
    for (target, message, expected) in [
        ("contact/ann", " ", "Enter a message."),
        ("contact/bare", "words", "no recipient can be notified"),
        ("contact/off", "words", "the target is switched off"),
    ] {
        let fields = [("target", target), ("message", message), ("once", "1")];
        for path in ["/admin/send/plan", "/admin/send"] {
            let page = world.post(path, &fields).await.expect(422).body;
            says(&page, &[expected]);
            lacks(&page, "class=\"button send wide\"");
            assert!(
                message == " " || page.contains("words</textarea>"),
                "{page}"
            );
        }
    }
    for target in ["", "ann", "contact/gone", "contact/../x"] {
        let fields = [("target", target), ("message", "words")];
        world.post("/admin/send/plan", &fields).await.expect(404);
        world.post("/admin/send", &fields).await.expect(404);
    }
    let first = [("target", "contact/ann"), ("message", "one"), ("once", "7")];
    world.done("/admin/send", &first).await;
    let other = [("target", "contact/ann"), ("message", "two"), ("once", "7")];
    let page = world.post("/admin/send", &other).await.expect(422).body;
    says(
        &page,
        &[
            "Not sent.",
            "was used for another request",
            "class=\"button send wide\"",
        ],
    );
    assert_eq!(world.raised().await, 1);
    let viewer = world
        .get_as(Who::Viewer, "/admin/send?target=contact/ann")
        .await;
    let viewer = viewer.expect(200).body;
    says(&viewer, &["Only admins can send alerts."]);
    lacks(&viewer, ">Preview</button>");
    world
        .get_as(Who::Admin, "/admin/send/plan")
        .await
        .expect(405);
}
