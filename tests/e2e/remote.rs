//! The command line at a server, over its API: as on the server's own machine.

use redflash_tests::{Config, Output, Server, Site, WebhookSink};
use serde_json::Value;
use tokio::net::TcpListener;

use crate::world::hooks;

/// A server, and an operator's machine that has nothing but a key.
struct Remote {
    site: Site,
    server: Server,
    hook: WebhookSink,
    /// The operator's machine.
    desk: Site,
    key: String,
}

impl Remote {
    async fn start() -> Self {
        let hook = WebhookSink::start().await;
        let site = Site::new(&Config::new().gateway(&hooks()));
        let key = site.key("boss", &["--admin"]).await;
        Self {
            server: site.serve().await,
            desk: Site::new(&Config::new()),
            site,
            hook,
            key,
        }
    }

    /// Runs a command line on the machine of the server.
    async fn here(&self, line: &str, input: &str) -> Output {
        let line = line.replace("{HOOK}", &self.hook.url("/"));
        self.site.shell(&line).input(input).run().await
    }

    /// Runs it on the operator's machine.
    async fn there(&self, line: &str, input: &str) -> Output {
        self.with(&self.key, line, input).await
    }

    /// The same, with another key.
    async fn with(&self, key: &str, line: &str, input: &str) -> Output {
        let url = self.server.url("");
        let line = line.replace("{HOOK}", &self.hook.url("/"));
        let line = line.replace("redflash ", &format!("redflash --server {url} "));
        let command = self.desk.shell(&line).variable("REDFLASH_API_KEY", key);
        command.input(input).run().await
    }

    /// What a command prints, but for what differs from server to server.
    fn said(&self, output: &Output) -> String {
        let hook = self.hook.url("");
        let hook = hook.trim_start_matches("http://");
        let server = self.server.url("");
        let text = output
            .stdout
            .replace(hook, "{HOOK}")
            .replace(&server, "{SERVER}");
        // Who works is an operator on the one, and a key on the other; nothing takes as long twice.
        let other = ["boss", "raised_by", "an operator", "took_ms"];
        let is_same = |line: &&str| !other.iter().any(|other| line.contains(other));
        let lines = text.lines().filter(is_same);
        blurred(&lines.collect::<Vec<_>>().join("\n"))
    }
}

/// The text with ids, times and spans of time made alike.
fn blurred(text: &str) -> String {
    let mut blurred = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = rest
            .find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '…'))
            .unwrap_or(rest.len());
        if let Some(after) = time(rest) {
            blurred.push('@');
            rest = after;
        } else if end == 0 {
            blurred.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            let (word, after) = rest.split_at(end);
            let is_id = word.len() >= 10 && word.bytes().all(|b| b.is_ascii_hexdigit());
            let is_span = after.starts_with(" ms") || word.starts_with("rfk");
            blurred.push_str(if is_id || is_span { "#" } else { word });
            rest = after;
        }
    }
    blurred
}

/// What follows a time at the beginning of a text.
fn time(text: &str) -> Option<&str> {
    const FORM: &str = "0000-00-00 00:00:00Z";
    let (head, after) = text.split_at_checked(FORM.len())?;
    let fits = |(form, byte): (u8, u8)| form == byte || form == b'0' && byte.is_ascii_digit();
    FORM.bytes().zip(head.bytes()).all(fits).then_some(after)
}

/// Exit codes, command lines and what is on their standard input, one after the other.
const SCENARIO: &[(i32, &str, &str)] = &[
    (0, "redflash contact list", ""),
    (
        0,
        "redflash contact add ann --name 'Ann Löw' --email ann@example.org --webhook {HOOK}ann",
        "",
    ),
    (1, "redflash contact add ann --name Again", ""),
    (0, "redflash contact add bob --name Bob", ""),
    (0, "redflash contact edit bob --name Bobby", ""),
    (0, "redflash contact list", ""),
    (0, "redflash contact list --json", ""),
    (0, "redflash contact show ann", ""),
    (0, "redflash contact show ann --json", ""),
    (4, "redflash contact show nobody", ""),
    (0, "redflash contact off ann", ""),
    (0, "redflash contact on ann", ""),
    (0, "redflash endpoint add bob sms '+44 7700 900123'", ""),
    (1, "redflash endpoint add bob sms +447700900123", ""),
    (2, "redflash endpoint add bob sms nonsense", ""),
    (0, "redflash endpoint off bob sms +447700900123", ""),
    (0, "redflash endpoint list", ""),
    (0, "redflash endpoint list bob --json", ""),
    (0, "redflash endpoint on bob sms +447700900123", ""),
    (0, "redflash endpoint remove bob sms +447700900123", ""),
    (4, "redflash endpoint remove bob sms +447700900123", ""),
    (0, "redflash endpoint off ann email ann@example.org", ""),
    (
        0,
        "redflash group add ops --name Ops --contact ann --contact bob",
        "",
    ),
    (
        4,
        "redflash group add none --name None --contact nobody",
        "",
    ),
    (
        0,
        "redflash group edit ops --name Operators --remove ann",
        "",
    ),
    (0, "redflash group edit ops --add ann", ""),
    (0, "redflash group list", ""),
    (0, "redflash group show ops", ""),
    (0, "redflash group show ops --json", ""),
    (0, "redflash group off ops", ""),
    (4, "redflash send group ops 'to nobody'", ""),
    (0, "redflash group on ops", ""),
    (
        0,
        "redflash event add disk --name Disk --message '{{host}} is full' --contact ann",
        "",
    ),
    (
        2,
        "redflash event add bad --name Bad --message '{{#if}}'",
        "",
    ),
    (
        0,
        "redflash event edit disk --subject '[{{host}}]' --description 'of hosts'",
        "",
    ),
    (0, "redflash event list", ""),
    (0, "redflash event list --json", ""),
    (0, "redflash event show disk", ""),
    (0, "redflash event off disk", ""),
    (4, "redflash fire disk host=db1", ""),
    (0, "redflash event on disk", ""),
    (0, "redflash explain event disk host=db1", ""),
    (0, "redflash explain event disk host=db1 --json", ""),
    (0, "redflash explain group ops", ""),
    (4, "redflash explain contact nobody", ""),
    (0, "redflash fire disk host=db1 --wait", ""),
    (0, "redflash fire disk host=db2 --wait --json", ""),
    (4, "redflash fire nothing", ""),
    (0, "redflash send contact ann hello --wait", ""),
    (
        0,
        "redflash send contact ann - --wait",
        "from standard input",
    ),
    (4, "redflash send contact ann ''", ""),
    (4, "redflash send contact bob 'has no endpoint'", ""),
    (5, "redflash send group ops 'to some' --wait", ""),
    (0, "redflash log", ""),
    (0, "redflash log --limit 1", ""),
    (0, "redflash log --json", ""),
    (0, "redflash log --state failed", ""),
    (0, "redflash log --contact ann --since 1h", ""),
    (
        0,
        "redflash log --channel email --target event/disk --until 1s",
        "",
    ),
    (0, "redflash log --gateway hooks --text DB2", ""),
    (4, "redflash log 0123456789abcdef0123456789abcdef", ""),
    (
        0,
        "redflash log $(redflash log --text db2 | grep -o '[0-9a-f]\\{32\\}' | head -n 1)",
        "",
    ),
    (
        0,
        "redflash resend $(redflash log | grep -o '[0-9a-f]\\{32\\}' | head -n 1)",
        "",
    ),
    (
        4,
        "redflash resend 0123456789abcdef0123456789abcdef --json",
        "",
    ),
    (0, "redflash inbound", ""),
    (0, "redflash inbound --json", ""),
    (0, "redflash gateway list", ""),
    (0, "redflash gateway list --json", ""),
    (0, "redflash gateway show hooks", ""),
    (0, "redflash gateway show hooks --json", ""),
    (4, "redflash gateway show nothing", ""),
    (0, "redflash gateway test hooks --to {HOOK}test", ""),
    (0, "redflash gateway test hooks --to {HOOK}test --json", ""),
    (2, "redflash gateway test hooks --to nonsense", ""),
    (4, "redflash gateway test nothing --to {HOOK}test", ""),
    (
        0,
        "redflash key add app --value old-service-key-0123 --only contact/ann,event/disk",
        "",
    ),
    (1, "redflash key add app --value old-service-key-4567", ""),
    (
        0,
        "redflash key add other --value - --inspect",
        "old-service-key-4567",
    ),
    (0, "redflash key add third --json", ""),
    (0, "redflash key remove third", ""),
    (2, "redflash key add short --value short", ""),
    (0, "redflash key list", ""),
    (0, "redflash key show app", ""),
    (0, "redflash key show app --json", ""),
    (0, "redflash key off app", ""),
    (0, "redflash key show app", ""),
    (0, "redflash key on app", ""),
    (0, "redflash key remove app", ""),
    (4, "redflash key remove app", ""),
    (0, "redflash user list", ""),
    (
        0,
        "redflash user add cid --role admin --json",
        "correct horse battery 7Qx",
    ),
    (1, "redflash user add cid", "correct horse battery 7Qx"),
    (
        0,
        "redflash user add dan --name Dan --no-password --json",
        "",
    ),
    (2, "redflash user add eve", "short"),
    (0, "redflash user passwd dan", "correct horse battery 8Qx"),
    (2, "redflash user passwd dan", "short"),
    (0, "redflash user edit dan --name Daniel", ""),
    (0, "redflash user role dan admin", ""),
    (0, "redflash user off dan", ""),
    (2, "redflash user off cid", ""),
    (2, "redflash user remove cid", ""),
    (0, "redflash user list", ""),
    (0, "redflash user show cid", ""),
    (0, "redflash user show cid --json", ""),
    (0, "redflash user remove dan", ""),
    (4, "redflash user passwd dan", "correct horse battery 8Qx"),
    (
        0,
        "redflash change list --subject contact/bob --by user/nobody",
        "",
    ),
    (0, "redflash export -", ""),
    (0, "redflash event remove disk", ""),
    (0, "redflash group remove ops", ""),
    (0, "redflash contact remove bob", ""),
    (4, "redflash contact remove bob", ""),
    (0, "redflash contact list --json", ""),
];

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
    let line = "redflash change list --subject contact/ann --json";
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
