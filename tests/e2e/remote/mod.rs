//! The command line over a server's API: the same as on the server's machine.

mod scenario;
mod world;

use redflash_tests::{Config, Site};
use serde_json::Value;
use tokio::net::TcpListener;

use scenario::SCENARIO;
use world::Remote;

#[tokio::test(flavor = "multi_thread")]
async fn prints_the_same_remotely_as_locally() {
    let (local, remote) = tokio::join!(Remote::start(), Remote::start());
    let mut differing = Vec::new();
    for &(code, line, input) in SCENARIO {
        let (local_output, remote_output) =
            tokio::join!(local.run_locally(line, input), remote.run(line, input));
        let (expected, actual) = (
            local.normalized(&local_output),
            remote.normalized(&remote_output),
        );
        let ends = [local_output.code, remote_output.code] == [Some(code); 2];
        if expected != actual
            || !ends
            || local_output.stderr.is_empty() != remote_output.stderr.is_empty()
        {
            let (local_output, remote_output) = (&local_output.stderr, &remote_output.stderr);
            differing.push(format!(
                "`{line}` {code}\n{expected}\n{local_output}---\n{actual}\n{remote_output}"
            ));
        }
        assert!(!remote_output.stderr.contains(&remote.key), "`{line}`");
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
    assert!(
        !remote.client.database().exists(),
        "nothing is stored on the client"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn checks_server_with_doctor() {
    let remote = Remote::start().await;
    for line in [
        "redflash contact add ann --name Ann --email ann@example.org",
        "redflash event add disk --name Disk --message full",
    ] {
        remote.run(line, "").await.succeeded();
    }
    let output = remote.run("redflash doctor", "").await.succeeded().stdout;
    for finding in [
        "running and sending",
        "0 queued, 0 in progress",
        "contact/ann has an address on channel email, which has no gateway",
        "event/disk has no recipients",
    ] {
        assert!(output.contains(finding), "{output}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn records_changes_under_the_key() {
    let remote = Remote::start().await;
    remote
        .run("redflash contact add ann --name Ann", "")
        .await
        .succeeded();
    let line = "redflash audit list --subject contact/ann --json";
    let changes = remote.run(line, "").await.succeeded().json();
    assert_eq!(changes[0]["by"], "key/boss");
    assert_eq!(changes[0]["action"], "added");
}

#[tokio::test(flavor = "multi_thread")]
async fn exits_with_3_without_permission() {
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
    let listed = remote.run("redflash contact list --json", "").await.json();
    assert_eq!(listed, Value::Array(Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn hides_recipients_from_key_without_inspect() {
    let remote = Remote::start().await;
    let plain = remote.site.key("plain", &[]).await;
    for line in [
        "redflash contact add ann --name Ann --webhook {HOOK}ann",
        "redflash contact add bob --name Bob",
        "redflash group add ops --name Ops --contact ann --contact bob",
    ] {
        remote.run(line, "").await.succeeded();
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
    let partly = remote.run("redflash send group ops hi", "").await.exited(5);
    assert!(
        partly.stderr.contains("bob (the contact has no endpoint)"),
        "{}",
        partly.stderr
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn exits_with_75_if_server_is_unreachable() {
    let client = Site::new(&Config::new());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    // Accepts connections and closes them without a response.
    let listening = tokio::spawn(async move {
        loop {
            let _ = listener.accept().await;
        }
    });
    let key = "canary-rfk-0123456789";
    for (url, may_be_applied) in [
        ("http://127.0.0.1:1".to_owned(), false),
        (format!("http://{address}"), true),
    ] {
        let line = format!("redflash --server {url} send contact ann hi");
        let command = client.shell(&line).variable("REDFLASH_API_KEY", key);
        let lost = command.run().await.exited(75);
        assert!(lost.stderr.contains("try again"), "{}", lost.stderr);
        assert_eq!(
            lost.stderr.contains("may have"),
            may_be_applied,
            "{}",
            lost.stderr
        );
        assert!(!lost.stderr.contains(key), "{}", lost.stderr);
    }
    listening.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_local_commands_with_a_server() {
    let client = Site::new(&Config::new());
    for line in [
        "serve",
        "migrate",
        "prune --older-than 1d",
        "import x",
        "demo",
        "config check",
    ] {
        let line = format!("redflash {line}");
        let command = client
            .shell(&line)
            .variable("REDFLASH_SERVER", "https://alerts.example.org");
        let refused = command
            .variable("REDFLASH_API_KEY", "canary")
            .run()
            .await
            .exited(2);
        assert!(
            refused.stderr.contains("not on a server"),
            "{}",
            refused.stderr
        );
    }
    let both = "redflash --server https://alerts.example.org --database sqlite:x contact list";
    let refused = client.shell(both).run().await.exited(2);
    assert!(
        refused.stderr.contains("exclude each other"),
        "{}",
        refused.stderr
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn does_not_send_key_unencrypted() {
    let client = Site::new(&Config::new());
    let line = "redflash --server http://alerts.example.org contact list";
    let command = client.shell(line).variable("REDFLASH_API_KEY", "canary");
    let refused = command.run().await.exited(2);
    assert!(refused.stderr.contains("unencrypted"), "{}", refused.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn applies_concurrent_edits() {
    let remote = Remote::start().await;
    remote
        .run("redflash group add ops --name Ops", "")
        .await
        .succeeded();
    for contact in ["a", "b", "c"] {
        let line = format!("redflash contact add {contact} --name {contact}");
        remote.run(&line, "").await.succeeded();
    }
    let edit = async |contact: &str| {
        let line = format!("redflash group edit ops --add {contact}");
        remote.run(&line, "").await.succeeded();
    };
    tokio::join!(edit("a"), edit("b"), edit("c"));
    let group = remote
        .run("redflash group show ops --json", "")
        .await
        .json();
    let mut members: Vec<_> = group["contacts"].as_array().unwrap().iter().collect();
    members.sort_by_key(ToString::to_string);
    assert_eq!(members, ["a", "b", "c"]);
}
