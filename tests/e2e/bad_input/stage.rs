//! The installation on which bad inputs are tried, and the names its parts have in the tables.

use redflash_tests::Config;

use crate::world::World;

/// An installation with one of everything that the tables name.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) names: Vec<(&'static str, String)>,
}

impl Stage {
    pub(crate) async fn start() -> Self {
        let world = World::with(Config::new()).await;
        populate(&world).await;
        let key = world.site.key("plain", &[]).await;
        let key2 = world.site.key("second", &[]).await;
        let disabled = world.site.key("disabled", &[]).await;
        world.site.run(["key", "off", "disabled"]).await;
        let deleted = world.site.key("deleted", &[]).await;
        let names = vec![
            ("KEY", key),
            ("KEY2", key2),
            ("ADMINKEY", world.key.clone()),
            ("DISABLEDKEY", disabled),
            ("DELETEDKEY", deleted),
            (
                "SCOPEDKEY",
                world.site.key("scoped", &["--only", "event/blank"]).await,
            ),
            ("CONTACT", "demo-user".into()),
            ("EMAILCONTACT", "post".into()),
            ("SMSCONTACT", "pat".into()),
            ("GROUP", "team".into()),
            ("HALFGROUP", "half".into()),
            ("EVENT", "echo".into()),
            ("DISABLEDEVENT", "off".into()),
            ("REPEATEVENT", "often".into()),
            ("BROKENEVENT", "broken".into()),
            ("BLANKEVENT", "blank".into()),
            ("LOOPEVENT", "loops".into()),
            ("DEADEVENT", "dead".into()),
            ("URL", world.server.url("")),
            ("DB", world.site.database().display().to_string()),
        ];
        let stage = Self { world, names };
        // The last moment counts: this key was good until now.
        let raise = [("message", "still good")];
        let deleted = stage.fill("{DELETEDKEY}");
        let client = &stage.world.client;
        let _ = client
            .raise("contact/demo-user", &deleted, &raise)
            .await
            .expect(201);
        stage.world.site.run(["key", "remove", "deleted"]).await;
        stage
    }

    /// A text with the names in braces replaced by what they stand for.
    pub(crate) fn fill(&self, text: &str) -> String {
        let mut filled = text.to_owned();
        for (name, value) in &self.names {
            filled = filled
                .replace(&format!("{{{name}}}"), value)
                .replace(&format!("{{{name}:swapcase}}"), &swapped(value))
                .replace(&format!("{{{name}:half}}"), &value[..value.len() / 2]);
        }
        filled
    }

    /// The newest notification in the log.
    pub(crate) async fn newest(&self) -> Option<String> {
        let log = self.world.site.run(["log", "--json"]).await.json();
        let newest = log.get(0)?["notification"]["id"].as_str();
        Some(newest.expect("a notification has an id").to_owned())
    }
}

/// Adds the people, groups and events that the tables name.
async fn populate(world: &World) {
    world.hooked("demo-user").await;
    world
        .contact("post", &["--email", "post@example.org"])
        .await;
    world.contact("nowhere", &[]).await;
    world.contact("pat", &["--sms", "+447700900001"]).await;
    let groups: [(&str, &[&str]); 3] = [
        ("team", &["demo-user"]),
        ("half", &["demo-user", "nowhere"]),
        ("dead", &["demo-user"]),
    ];
    for (slug, contacts) in groups {
        let mut group = vec!["group", "add", slug, "--name", "A group"];
        group.extend(contacts.iter().flat_map(|contact| ["--contact", contact]));
        world.site.run(group).await;
    }
    let often = "{{x}}".repeat(50);
    let loops = "{{#each x}}{{#each ../x}}{{/each}}{{/each}}";
    for (slug, message, recipients) in [
        ("echo", "x={{x}}", ["--contact", "demo-user"]),
        ("off", "m", ["--contact", "demo-user"]),
        ("often", &often, ["--contact", "demo-user"]),
        ("broken", "{{truncate x n}}", ["--contact", "demo-user"]),
        ("blank", "{{x}}", ["--contact", "demo-user"]),
        ("loops", loops, ["--contact", "demo-user"]),
        ("dead", "m", ["--group", "dead"]),
    ] {
        let event = [
            "event",
            "add",
            slug,
            "--name",
            "An event",
            "--message",
            message,
        ];
        world.site.run(event.iter().chain(&recipients)).await;
    }
    world.site.run(["group", "off", "dead"]).await;
    world.site.run(["event", "off", "off"]).await;
}

fn swapped(text: &str) -> String {
    let swap = |c: char| {
        if c.is_ascii_lowercase() {
            c.to_ascii_uppercase()
        } else {
            c.to_ascii_lowercase()
        }
    };
    text.chars().map(swap).collect()
}
