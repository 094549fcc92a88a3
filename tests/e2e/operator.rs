//! Operating RedFlash on the command line.

use std::fs;

use redflash_tests::{Config, Site};
use serde_json::Value;

fn bare() -> Site {
    Site::new(&Config::new().gateway("name = \"here\"\ntype = \"console\""))
}

/// A directory with one entry of each kind.
async fn populated() -> Site {
    let site = Site::new(
        &Config::new()
            .gateway("name = \"hooks\"\ntype = \"webhook\"")
            .gateway("name = \"mail\"\ntype = \"smtp\"\nhost = \"localhost\"\nport = 1\ntls = \"none\"\nfrom = \"a@example.org\""),
    );
    let commands: [&[&str]; 8] = [
        &[
            "contact",
            "add",
            "ada",
            "--name",
            "Ada Löw",
            "--email",
            "ada@example.org",
            "--webhook",
            "https://hooks.example.org/ada",
        ],
        &[
            "contact",
            "add",
            "bob",
            "--name",
            "Bob",
            "--email",
            "bob@example.org",
        ],
        &["endpoint", "off", "ada", "email", "ada@example.org"],
        &["contact", "off", "bob"],
        &[
            "group",
            "add",
            "ops",
            "--name",
            "Ops",
            "--contact",
            "ada",
            "--contact",
            "bob",
        ],
        &[
            "event",
            "add",
            "disk",
            "--name",
            "Disk",
            "--message",
            "{{host}} is full",
            "--subject",
            "[{{host}}]",
            "--group",
            "ops",
            "--contact",
            "ada",
            "--sender",
            "Disks",
            "--description",
            "db hosts",
        ],
        &["event", "off", "disk"],
        &["key", "add", "app", "--only", "event/disk"],
    ];
    for command in commands {
        site.run(command).await;
    }
    site
}

/// Returns the directory as the list commands print it, without ids.
async fn directory(site: &Site) -> Value {
    let mut all = serde_json::Map::new();
    for resource in ["contact", "group", "event"] {
        let mut listed = site.run([resource, "list", "--json"]).await.json();
        forget(&mut listed);
        all.insert(resource.to_owned(), listed);
    }
    Value::from(all)
}

/// Removes ids, which differ between equal directories.
fn forget(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(forget),
        Value::Object(fields) => {
            fields.remove("id");
            fields.values_mut().for_each(forget);
        }
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn imports_what_it_exports() {
    for document in ["export.json", "export.yaml"] {
        assert_round_trip(document).await;
    }
}

async fn assert_round_trip(document: &str) {
    let site = populated().await;
    let key = site.key("other", &[]).await;
    let other = populated_like(&site, document).await;
    let text = fs::read_to_string(site.path().join(document)).unwrap();

    assert!(!text.contains(&key), "an export holds no secret");
    assert_eq!(directory(&other).await, directory(&site).await);
    other.run(["import", document]).await;
    assert_eq!(
        directory(&other).await,
        directory(&site).await,
        "a second import changes nothing"
    );
}

/// Creates another installation with the export of the first.
async fn populated_like(site: &Site, document: &str) -> Site {
    site.run(["export", document]).await;
    let other = Site::new(
        &Config::new()
            .gateway("name = \"hooks\"\ntype = \"webhook\"")
            .gateway("name = \"mail\"\ntype = \"smtp\"\nhost = \"localhost\"\nport = 1\ntls = \"none\"\nfrom = \"a@example.org\""),
    );
    fs::copy(site.path().join(document), other.path().join(document)).unwrap();
    other.run(["import", document, "--dry-run"]).await;
    // A dry run creates nothing, not even the database.
    other.cli(["contact", "list"]).run().await.exited(4);
    other.run(["import", document]).await;
    other
}

#[tokio::test(flavor = "multi_thread")]
async fn shows_secret_of_key_only_once() {
    let site = bare();
    let secret = site.key("app", &[]).await;

    for list in [&["key", "list"][..], &["key", "list", "--json"]] {
        let listed = site.run(list).await.stdout;
        assert!(
            listed.contains("app") && !listed.contains(&secret[4..]),
            "{listed}"
        );
        assert!(
            listed.contains(&secret[secret.len() - 4..]),
            "the last characters are shown"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_duplicate_slug() {
    let site = bare();
    site.run(["contact", "add", "ada", "--name", "Ada"]).await;

    let again = site
        .cli(["contact", "add", "ada", "--name", "Other"])
        .run()
        .await;

    assert_eq!(again.code, Some(1), "{}", again.stderr);
    assert!(again.stderr.contains("ada"), "{}", again.stderr);
    let shown = site.run(["contact", "show", "ada", "--json"]).await.json();
    assert_eq!(shown["name"], "Ada");
}

#[tokio::test(flavor = "multi_thread")]
async fn names_missing_entry() {
    let site = bare();
    site.run(["migrate"]).await;
    for command in [
        &["contact", "show", "nobody"][..],
        &["contact", "off", "nobody"],
        &[
            "group",
            "add",
            "ops",
            "--name",
            "Ops",
            "--contact",
            "nobody",
        ],
        &[
            "event",
            "add",
            "e",
            "--name",
            "E",
            "--message",
            "m",
            "--group",
            "nobody",
        ],
        &["send", "contact", "nobody", "hi"],
        &["fire", "nobody"],
        &["explain", "group", "nobody"],
        &["key", "off", "nobody"],
    ] {
        let output = site.cli(command).run().await;
        assert_ne!(output.code, Some(0), "{command:?}");
        assert!(
            output.stderr.contains("nobody"),
            "{command:?}: {}",
            output.stderr
        );
        assert!(
            !output.stderr.contains("panicked"),
            "{command:?}: {}",
            output.stderr
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_invalid_template_when_saving() {
    let site = bare();
    let deep = "{{#if a}}".repeat(2000);
    for template in [
        "{{",
        "{{#if a}}",
        "{{> file}}",
        "{{lookup a}}",
        "{{date \"%H\" \"Europe/Berln\"}}",
        "{{exec x}}",
        &deep,
    ] {
        let event = ["event", "add", "e", "--name", "E", "--message", template];
        let output = site.cli(event).run().await;
        assert!(
            output.code.is_some_and(|code| code != 0),
            "{template}: {output:?}"
        );
        assert!(
            !output.stderr.contains("panicked"),
            "{template}: {}",
            output.stderr
        );
    }
    let listed = site.run(["event", "list", "--json"]).await.json();
    assert_eq!(listed, serde_json::json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn prints_json_for_every_reading_command() {
    let site = populated().await;
    for command in [
        &["contact", "list"][..],
        &["contact", "show", "ada"],
        &["endpoint", "list"],
        &["group", "list"],
        &["group", "show", "ops"],
        &["event", "list"],
        &["event", "show", "disk"],
        &["key", "list"],
        &["explain", "contact", "ada"],
        &["log"],
        &["doctor"],
    ] {
        let arguments = command.iter().chain(&["--json"]);
        let output = site.cli(arguments).run().await;
        assert!(
            output.json().is_object() || output.json().is_array(),
            "{command:?}"
        );
        assert!(
            !output.stdout.contains('\u{1b}'),
            "{command:?}: no colours in a pipe"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn prints_valid_example_configuration() {
    let site = bare();
    let example = site.run(["config", "example"]).await.stdout;
    let path = site.path().join("example.toml");
    fs::write(&path, &example).unwrap();

    site.run(["config", "check", "--config", path.to_str().unwrap()])
        .await;
    for word in [
        "database",
        "[server]",
        "listen",
        "[delivery]",
        "[[gateways]]",
        "vonage",
        "smtp",
    ] {
        assert!(example.contains(word), "{word} is missing");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn prints_completions_and_help() {
    let site = bare();
    for shell in ["bash", "zsh", "fish"] {
        let script = site.run(["completions", shell]).await.stdout;
        assert!(script.contains("redflash"), "{shell}");
    }
    let help = site.run(["--help"]).await.stdout;
    for command in [
        "demo",
        "serve",
        "contact",
        "endpoint",
        "group",
        "event",
        "key",
        "user",
        "audit",
        "send",
        "fire",
        "explain",
        "log",
        "resend",
        "export",
        "import",
        "config",
        "doctor",
        "completions",
        "migrate",
    ] {
        assert!(help.contains(command), "{command} is missing in\n{help}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_missing_and_unused_arguments() {
    let site = populated().await;
    site.run(["event", "on", "disk"]).await;
    site.run(["contact", "on", "bob"]).await;
    let output = site.run(["fire", "disk", "hots=db1"]).await.stdout;
    for line in [
        "missing arguments: host",
        "unused arguments: hots",
        "ada email ada@example.org skipped: the endpoint is switched off",
    ] {
        assert!(output.contains(line), "{output}");
    }
    let strict = site
        .cli(["fire", "disk", "hots=db1", "--strict"])
        .run()
        .await
        .exited(4);
    assert!(
        strict.stderr.contains("missing arguments: host"),
        "{}",
        strict.stderr
    );
    let plan = site
        .run(["explain", "event", "disk", "hots=db1", "--json"])
        .await
        .json();
    assert_eq!(plan["missing"], serde_json::json!(["host"]));
    assert_eq!(plan["unused"], serde_json::json!(["hots"]));
    assert_eq!(plan["message"]["body"], "[host?] is full");
}

#[tokio::test(flavor = "multi_thread")]
async fn warns_about_channel_without_gateway() {
    let site = populated().await;
    let add = ["endpoint", "add", "bob", "mail", "bob@example.org"];
    let output = site.run(add).await;
    assert!(output.stderr.contains("did you mean email?"), "{output:?}");
    let document = r#"{"version": 1, "contacts": [{"slug": "eve", "name": "Eve", "enabled": true,
        "endpoints": [{"channel": "twitter", "address": "@eve", "enabled": true}]}]}"#;
    fs::write(site.path().join("eve.json"), document).unwrap();
    let output = site.run(["import", "eve.json"]).await;
    assert!(output.stderr.contains("did you mean x?"), "{output:?}");
    site.run(["contact", "show", "eve"]).await;
}
