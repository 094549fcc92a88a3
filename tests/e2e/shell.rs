//! Conveniences of the command line: values with a dash, id prefixes, warnings, keys in files.

use std::fs;

use redflash_tests::{Config, Reply, Site};

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn accepts_values_that_begin_with_a_dash() {
    let world = World::start().await;
    world.hooked("ann").await;
    let site = &world.site;
    site.run(["send", "contact", "ann", "-5 degrees", "--wait"])
        .await;
    assert_eq!(world.webhook.received()[0].message(), "-5 degrees");
    site.run(["endpoint", "add", "ann", "telegram", "-1001234567890"])
        .await;
    site.run(["endpoint", "off", "ann", "telegram", "-1001234567890"])
        .await;
    let refused = site.cli(["gateway", "test", "hooks", "--to", "-1001234567890"]);
    let refused = refused.run().await.exited(2);
    assert!(
        !refused.stderr.contains("unexpected argument"),
        "{}",
        refused.stderr
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_unique_prefixes_of_ids() {
    let world = World::start().await;
    world.hooked("ann").await;
    let (first, second) = (
        world.raise("contact/ann", "one").await,
        world.raise("contact/ann", "two").await,
    );
    world.settled(&first).await;
    world.settled(&second).await;
    let url = world.server.url("");
    for server in ["", &*url] {
        let run = |command: &str, id: &str| {
            let command = world.site.cli(command.split(' ').chain([id]));
            let command = command.variable("REDFLASH_SERVER", server);
            command.variable("REDFLASH_API_KEY", &world.key).run()
        };
        // The last of the 26 digits of a notification are random.
        let shown = run("log --json", &first[..26]).await.succeeded().json();
        assert_eq!(shown["notification"]["id"], first);
        let delivery = shown["deliveries"][0]["id"].as_str().unwrap().to_owned();
        let shown = run("log --json", &delivery).await.succeeded().json();
        assert_eq!(shown["notification"]["id"], first);
        let raised = shown["notification"]["raised_at"].as_str().unwrap();
        assert!(raised.ends_with('Z') && raised.contains('T'), "{raised}");

        let several = run("log", &first[..4]).await.exited(2);
        for id in [&first, &second] {
            assert!(several.stderr.contains(&**id), "{}", several.stderr);
        }
        run("log", "ffff").await.exited(4);
        run("log", "xyz1").await.exited(2);
    }
    let none = world.site.run(["resend", &first[..26]]).await;
    assert!(none.stdout.contains("nothing to resend"), "{}", none.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn prints_times_in_local_zone() {
    let site = Site::new(&Config::new()).with_variable("TZ", "Europe/Berlin");
    site.key("app", &[]).await;
    let local = site.run(["key", "show", "app", "--local"]).await.stdout;
    assert!(local.contains(" CET") || local.contains(" CEST"), "{local}");
    let utc = site.run(["key", "show", "app"]).await.stdout;
    assert!(!utc.contains("CE"), "{utc}");
}

#[tokio::test(flavor = "multi_thread")]
async fn warns_about_removal_of_last_recipient() {
    let site = Site::new(&Config::new());
    for line in [
        "contact add ann --name Ann --email ann@example.org",
        "contact add bob --name Bob --email bob@example.org",
        "group add ops --name Ops --contact ann",
        "event add disk --name Disk --message full --group ops",
        "event add load --name Load --message high --contact ann --contact bob",
    ] {
        site.run(line.split(' ')).await;
    }
    let edited = site
        .run(["event", "edit", "load", "--remove-contact", "ann"])
        .await;
    assert!(!edited.stdout.contains("warning"), "{}", edited.stdout);
    let lost = "warning: event/disk, group/ops now have no recipients";
    let off = site
        .run(["endpoint", "off", "ann", "email", "ann@example.org"])
        .await;
    assert!(off.stdout.contains(lost), "{}", off.stdout);
    let on = site
        .run(["endpoint", "on", "ann", "email", "ann@example.org"])
        .await;
    assert!(!on.stdout.contains("warning"), "{}", on.stdout);
    let gone = site.run(["contact", "remove", "ann"]).await;
    assert!(gone.stdout.contains(lost), "{}", gone.stdout);
    let gone = site.run(["contact", "off", "bob"]).await;
    assert!(
        gone.stdout
            .contains("warning: event/load now has no recipients"),
        "{}",
        gone.stdout
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_channel_and_retry_when_waiting() {
    let world = World::start().await;
    world.hooked("ann").await;
    world.webhook.once(Reply::status(503));
    let waited = world.site.cli(["send", "contact", "ann", "hi", "--wait"]);
    let waited = waited.run().await.exited(1);
    let reason = "ann by webhook (queued, will retry)";
    assert!(waited.stderr.contains(reason), "{}", waited.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_key_of_server_from_file() {
    let world = World::start().await;
    let client = Site::new(&Config::new());
    let path = client.path().join("key");
    fs::write(&path, format!("{}\r\n", world.key)).unwrap();
    let url = world.server.url("");
    let list = || {
        client
            .cli(["contact", "list"])
            .variable("REDFLASH_SERVER", &url)
    };
    let path = path.to_str().unwrap();
    list()
        .variable("REDFLASH_API_KEY_FILE", path)
        .run()
        .await
        .succeeded();
    let both = list().variable("REDFLASH_API_KEY_FILE", path);
    let both = both
        .variable("REDFLASH_API_KEY", "canary")
        .run()
        .await
        .exited(2);
    assert!(
        both.stderr
            .contains("REDFLASH_API_KEY and REDFLASH_API_KEY_FILE"),
        "{}",
        both.stderr
    );
    let missing = list()
        .variable("REDFLASH_API_KEY_FILE", "/nowhere")
        .run()
        .await
        .exited(2);
    assert!(
        missing.stderr.contains("cannot read /nowhere"),
        "{}",
        missing.stderr
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn prints_full_table_on_terminal_of_unknown_width() {
    let site = Site::new(&Config::new());
    let add = "contact add ann-of-the-night-shift --name Annabel --email ann@example.org";
    site.run(add.split(' ')).await;
    // A terminal without a size has 0 columns.
    let terminal = site.cli(["contact", "list"]).at_terminal();
    terminal
        .sees("ann-of-the-night-shift  Annabel  on     email")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn exits_with_74_if_output_cannot_be_written() {
    let site = Site::new(&Config::new());
    site.run(["contact", "add", "ann", "--name", "Ann"]).await;
    let full = site.shell("redflash contact list > /dev/full").run().await;
    let full = full.exited(74);
    assert!(
        full.stderr.contains("cannot write to standard output"),
        "{}",
        full.stderr
    );
}
