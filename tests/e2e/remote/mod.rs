//! The command line at a server, over its API: as on the server's own machine.

mod scenario;
mod world;

use redflash_tests::{Config, Site};
use serde_json::Value;
use tokio::net::TcpListener;

use scenario::SCENARIO;
use world::Remote;

#[tokio::test(flavor = "multi_thread")]
async fn every_command_says_at_a_server_what_it_says_on_the_machine() {
    let (local, remote) = tokio::join!(Remote::start(), Remote::start());
    let mut differing = Vec::new();
    for &(code, line, input) in SCENARIO {
        let (here, there) = tokio::join!(local.here(line, input), remote.there(line, input));
        let (said, other) = (local.said(&here), remote.said(&there));
        let ends = [here.code, there.code] == [Some(code); 2];
        if said != other || !ends || here.stderr.is_empty() != there.stderr.is_empty() {
            let (here, there) = (&here.stderr, &there.stderr);
            differing.push(format!(
                "`{line}` {code}\n{said}\n{here}---\n{other}\n{there}"
            ));
        }
        assert!(!there.stderr.contains(&remote.key), "`{line}`");
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
    assert!(!remote.desk.database().exists(), "nothing is kept here");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_looks_at_the_server() {
    let remote = Remote::start().await;
    for line in [
        "redflash contact add ann --name Ann --email ann@example.org",
        "redflash event add disk --name Disk --message full",
    ] {
        remote.there(line, "").await.succeeded();
    }
    let said = remote.there("redflash doctor", "").await.succeeded().stdout;
    for finding in [
        "answers, and sends",
        "0 queued, 0 being sent",
        "contact/ann has an address on email, which no gateway serves",
        "event/disk tells nobody",
    ] {
        assert!(said.contains(finding), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_noted_under_the_key() {
    let remote = Remote::start().await;
    remote
        .there("redflash contact add ann --name Ann", "")
        .await
        .succeeded();
    let line = "redflash audit list --subject contact/ann --json";
    let changes = remote.there(line, "").await.succeeded().json();
    assert_eq!(changes[0]["by"], "key/boss");
    assert_eq!(changes[0]["action"], "added");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_may_not_ends_with_3() {
    let remote = Remote::start().await;
    let plain = remote.site.key("plain", &[]).await;
    let viewer = remote.site.key("viewer", &["--inspect"]).await;
    let off = remote.site.key("off", &[]).await;
    remote.site.run(["key", "off", "off"]).await;
    let looks = "redflash contact list";
    let changes = "redflash contact add ann --name Ann";
    for (key, line) in [
        ("", looks),
        ("canary with\na line", looks),
        ("canary-wrong-key", looks),
        (&*off, looks),
        (&*plain, looks),
        (&*plain, changes),
        (&*viewer, changes),
        ("canary-wrong-key", "redflash send contact ann hi"),
    ] {
        let refused = remote.with(key, line, "").await.exited(3);
        assert!(
            refused.stderr.contains("REDFLASH_API_KEY"),
            "{}",
            refused.stderr
        );
        assert_eq!(refused.stdout, "");
        assert!(
            key.is_empty() || !refused.stderr.contains(key),
            "{}",
            refused.stderr
        );
    }
    remote.with(&viewer, looks, "").await.succeeded();
    let listed = remote
        .there("redflash contact list --json", "")
        .await
        .json();
    assert_eq!(listed, Value::Array(Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_may_only_raise_learns_of_nobody() {
    let remote = Remote::start().await;
    let plain = remote.site.key("plain", &[]).await;
    for line in [
        "redflash contact add ann --name Ann --webhook {HOOK}ann",
        "redflash contact add bob --name Bob",
        "redflash group add ops --name Ops --contact ann --contact bob",
    ] {
        remote.there(line, "").await.succeeded();
    }
    let sent = remote
        .with(&plain, "redflash send contact ann hi --wait", "")
        .await
        .succeeded();
    assert!(
        sent.stdout.starts_with("contact/ann raised as "),
        "{}",
        sent.stdout
    );
    let partly = remote
        .with(&plain, "redflash send group ops hi", "")
        .await
        .exited(5);
    assert!(!partly.stderr.contains("bob"), "{}", partly.stderr);
    let partly = remote
        .there("redflash send group ops hi", "")
        .await
        .exited(5);
    assert!(
        partly.stderr.contains("bob (the contact has no endpoint)"),
        "{}",
        partly.stderr
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_server_answers_it_may_be_tried_again() {
    let desk = Site::new(&Config::new());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    // It takes connections and ends them without a word.
    let curt = tokio::spawn(async move {
        loop {
            let _ = listener.accept().await;
        }
    });
    let key = "canary-rfk-0123456789";
    for (url, may_be_done) in [
        ("http://127.0.0.1:1".to_owned(), false),
        (format!("http://{address}"), true),
    ] {
        let line = format!("redflash --server {url} send contact ann hi");
        let command = desk.shell(&line).variable("REDFLASH_API_KEY", key);
        let lost = command.run().await.exited(75);
        assert!(lost.stderr.contains("try again"), "{}", lost.stderr);
        assert_eq!(
            lost.stderr.contains("may have"),
            may_be_done,
            "{}",
            lost.stderr
        );
        assert!(!lost.stderr.contains(key), "{}", lost.stderr);
    }
    curt.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_needs_the_machine_is_no_matter_for_a_server() {
    let desk = Site::new(&Config::new());
    for line in [
        "serve",
        "migrate",
        "prune --older-than 1d",
        "import x",
        "demo",
        "config check",
    ] {
        let line = format!("redflash {line}");
        let command = desk
            .shell(&line)
            .variable("REDFLASH_SERVER", "https://alerts.example.org");
        let refused = command
            .variable("REDFLASH_API_KEY", "canary")
            .run()
            .await
            .exited(2);
        assert!(
            refused.stderr.contains("not at a server"),
            "{}",
            refused.stderr
        );
    }
    let both = "redflash --server https://alerts.example.org --database sqlite:x contact list";
    let refused = desk.shell(both).run().await.exited(2);
    assert!(refused.stderr.contains("two places"), "{}", refused.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_does_not_go_unencrypted_over_a_network() {
    let desk = Site::new(&Config::new());
    let line = "redflash --server http://alerts.example.org contact list";
    let command = desk.shell(line).variable("REDFLASH_API_KEY", "canary");
    let refused = command.run().await.exited(2);
    assert!(refused.stderr.contains("unencrypted"), "{}", refused.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_at_once_all_hold() {
    let remote = Remote::start().await;
    remote
        .there("redflash group add ops --name Ops", "")
        .await
        .succeeded();
    for contact in ["a", "b", "c"] {
        let line = format!("redflash contact add {contact} --name {contact}");
        remote.there(&line, "").await.succeeded();
    }
    let edit = async |contact: &str| {
        let line = format!("redflash group edit ops --add {contact}");
        remote.there(&line, "").await.succeeded();
    };
    tokio::join!(edit("a"), edit("b"), edit("c"));
    let group = remote
        .there("redflash group show ops --json", "")
        .await
        .json();
    let mut members: Vec<_> = group["contacts"].as_array().unwrap().iter().collect();
    members.sort_by_key(ToString::to_string);
    assert_eq!(members, ["a", "b", "c"]);
}
