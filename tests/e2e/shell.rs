//! The conveniences of the command line: values with a dash, beginnings of ids, warnings, keys in files.

use std::fs;

use redflash_tests::{Config, Reply, Site};

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn values_that_begin_with_a_dash_need_no_separator() {
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
async fn an_id_can_be_cut_to_what_no_other_begins_with() {
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
        // Of the 26 digits that a notification has, the last few are random.
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
    assert!(
        none.stdout.contains("nothing of it failed"),
        "{}",
        none.stdout
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn times_are_shown_in_the_local_zone() {
    let site = Site::new(&Config::new()).with_variable("TZ", "Europe/Berlin");
    site.key("app", &[]).await;
    let local = site.run(["key", "show", "app", "--local"]).await.stdout;
    assert!(local.contains(" CET") || local.contains(" CEST"), "{local}");
    let utc = site.run(["key", "show", "app"]).await.stdout;
    assert!(!utc.contains("CE"), "{utc}");
}

#[tokio::test(flavor = "multi_thread")]
async fn removing_the_last_recipient_is_warned_of() {
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
    let lost = "warning: event/disk, group/ops now reach nobody";
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
            .contains("warning: event/load now reaches nobody"),
        "{}",
        gone.stdout
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_says_by_which_channel_and_that_it_is_tried_again() {
    let world = World::start().await;
    world.hooked("ann").await;
    world.webhook.once(Reply::status(503));
    let waited = world.site.cli(["send", "contact", "ann", "hi", "--wait"]);
    let waited = waited.run().await.exited(1);
    let reason = "ann by webhook (queued: it is tried again)";
    assert!(waited.stderr.contains(reason), "{}", waited.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_of_a_server_can_come_from_a_file() {
    let world = World::start().await;
    let desk = Site::new(&Config::new());
    let path = desk.path().join("key");
    fs::write(&path, format!("{}\r\n", world.key)).unwrap();
    let url = world.server.url("");
    let list = || {
        desk.cli(["contact", "list"])
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
        missing.stderr.contains("/nowhere cannot be read"),
        "{}",
        missing.stderr
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_whole_on_a_terminal_that_does_not_know_its_width() {
    let site = Site::new(&Config::new());
    let add = "contact add ann-of-the-night-shift --name Annabel --email ann@example.org";
    site.run(add.split(' ')).await;
    // A terminal that nobody has sized has 0 columns.
    let terminal = site.cli(["contact", "list"]).at_terminal();
    terminal
        .sees("ann-of-the-night-shift  Annabel  on  email")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_cannot_be_printed_has_an_exit_code_of_its_own() {
    let site = Site::new(&Config::new());
    site.run(["contact", "add", "ann", "--name", "Ann"]).await;
    let full = site.shell("redflash contact list > /dev/full").run().await;
    let full = full.exited(74);
    assert!(full.stderr.contains("cannot be printed"), "{}", full.stderr);
}
