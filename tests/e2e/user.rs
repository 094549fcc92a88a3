//! Management of users on the command line.

use redflash_tests::{Answer, Client, Config, Output, Site};
use serde_json::Value;

const PASSWORD: &str = "canary horse battery 7Qx";
const OTHER: &str = "canary mare stapler 2Zk";

fn bare() -> Site {
    let config = Config::new().server("public_url = \"https://alerts.example.org/\"");
    Site::new(&config.gateway("name = \"here\"\ntype = \"console\""))
}

/// Runs a command with a password on standard input.
async fn with_password(site: &Site, command: &[&str], password: &str) -> Output {
    let line = format!("{password}\n");
    site.cli(command).input(line).run().await
}

async fn add_ann(site: &Site) {
    let command = ["user", "add", "ann", "--role", "admin"];
    with_password(site, &command, PASSWORD).await.succeeded();
}

/// Returns a cookie of a response, as it is sent back.
fn cookie(answer: &Answer, name: &str) -> Option<String> {
    let mut lines = answer.headers.get("set-cookie")?.lines();
    let line = lines.find(|line| line.starts_with(&format!("{name}=")))?;
    Some(line.split(';').next()?.to_owned())
}

/// Logs in as ann. Returns the session cookie, or the status of the error.
async fn log_in(client: &Client, password: &str) -> Result<String, u16> {
    let page = client.get("/admin/login").await.expect(200);
    let (_, token) = page.body.split_once("name=\"csrf\" value=\"").unwrap();
    let token = token.split('"').next().unwrap();
    let form = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("csrf", token), ("user", "ann"), ("password", password)])
        .finish();
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("cookie", &*cookie(&page, "__Host-rf-login").unwrap()),
    ];
    let answer = client.send("POST", "/admin/login", &headers, form).await;
    cookie(&answer, "__Host-rf").ok_or(answer.status)
}

/// Returns true if the cookie belongs to an active session.
async fn is_in(client: &Client, cookie: &str) -> bool {
    let home = client
        .send("GET", "/admin", &[("cookie", cookie)], "")
        .await;
    home.status == 200
}

async fn users(site: &Site) -> Value {
    site.run(["user", "list", "--json"]).await.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn added_user_logs_in_until_access_is_revoked() {
    let site = bare();
    let server = site.serve().await;
    let client = server.client();
    let invitation = "create one with `redflash user add NAME --role admin`, then log in at \
                      https://alerts.example.org/admin";
    assert!(server.log().contains(invitation), "{}", server.log());

    let add = [
        "user",
        "add",
        "ann",
        "--name",
        "Ann Example",
        "--role",
        "admin",
    ];
    let added = with_password(&site, &add, PASSWORD).await.succeeded();
    let expected = "added user/ann\nLog in at https://alerts.example.org/admin\n";
    assert_eq!(added.stdout, expected);
    let session = log_in(&client, PASSWORD).await.unwrap();
    assert!(is_in(&client, &session).await);

    with_password(&site, &["user", "passwd", "ann"], OTHER)
        .await
        .succeeded();
    assert!(!is_in(&client, &session).await, "the password has changed");
    assert_eq!(log_in(&client, PASSWORD).await, Err(401));

    let second = ["user", "add", "ben", "--role", "admin", "--no-password"];
    site.run(second).await;
    for (command, may_log_in) in [
        (&["user", "role", "ann", "viewer"][..], true),
        (&["user", "off", "ann"], false),
        (&["user", "on", "ann"], true),
        (&["user", "remove", "ann"], false),
    ] {
        let session = log_in(&client, OTHER).await;
        site.run(command).await;
        if let Ok(session) = session {
            assert!(!is_in(&client, &session).await, "{command:?}");
        }
        assert_eq!(
            log_in(&client, OTHER).await.is_ok(),
            may_log_in,
            "{command:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keeps_the_last_admin() {
    let site = bare();
    add_ann(&site).await;
    with_password(&site, &["user", "add", "ben"], OTHER)
        .await
        .succeeded();
    let before = users(&site).await;
    for command in [
        &["user", "off", "ann"][..],
        &["user", "role", "ann", "viewer"],
        &["user", "remove", "ann"],
    ] {
        let refused = site.cli(command).run().await.exited(2);
        let why = "ann is the last admin who can log in: create another one first";
        assert!(refused.stderr.contains(why), "{}", refused.stderr);
    }
    assert_eq!(users(&site).await, before);

    site.run(["user", "role", "ben", "admin"]).await;
    site.run(["user", "off", "ann"]).await;
    let after = users(&site).await;
    assert_eq!(
        (&after[0]["slug"], &after[0]["enabled"]),
        (&"ann".into(), &false.into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_invalid_passwords() {
    let site = bare();
    for (input, why) in [
        (&b""[..], "expected a password on one line"),
        (b"1234567\n", "at least 8 characters"),
        (b"two horses\nand a mare\n", "one line"),
        (b"canary\xff\xff\xff", "standard input"),
        (&[b'a'; 2000], "at most 1024 bytes"),
    ] {
        let refused = site.cli(["user", "add", "ann"]).input(input).run().await;
        let refused = refused.exited(2);
        assert!(refused.stderr.contains(why), "{}", refused.stderr);
        assert!(!refused.stderr.contains("canary"), "{}", refused.stderr);
    }
    assert_eq!(users(&site).await, serde_json::json!([]));

    add_ann(&site).await;
    let again = with_password(&site, &["user", "add", "ann"], OTHER).await;
    let again = again.exited(1);
    assert!(
        again.stderr.contains("user/ann exists already"),
        "{}",
        again.stderr
    );
    let nobody = with_password(&site, &["user", "passwd", "nobody"], OTHER).await;
    let nobody = nobody.exited(4);
    assert!(
        nobody.stderr.contains("see `redflash user list`"),
        "{}",
        nobody.stderr
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn never_prints_password_or_hash() {
    let site = bare().with_variable("REDFLASH_LOG", "trace");
    let server = site.serve().await;
    add_ann(&site).await;
    log_in(&server.client(), PASSWORD).await.unwrap();
    let mut printed = with_password(&site, &["user", "passwd", "ann", "--json"], OTHER)
        .await
        .succeeded()
        .stdout;
    let add = ["user", "add", "ben", "--json"];
    let added = with_password(&site, &add, OTHER).await.succeeded();
    assert_eq!(added.json()["has_password"], true);
    printed.push_str(&added.stdout);
    for command in [
        &["user", "list"][..],
        &["user", "list", "--json"],
        &["user", "show", "ann"],
        &["user", "show", "ann", "--json"],
        &["audit", "list"],
        &["audit", "list", "--json"],
        &["export", "-"],
        &["doctor"],
    ] {
        let output = site.run(command).await;
        printed.push_str(&output.stdout);
        printed.push_str(&output.stderr);
    }
    assert!(printed.contains("ann") && printed.contains("password_set"));
    printed.push_str(&server.log());
    for secret in [PASSWORD, OTHER, "argon2id$"] {
        assert!(!printed.contains(secret), "{secret} is in\n{printed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn prompts_for_password_twice_without_echo() {
    let site = bare();
    for (again, code) in [("canary mistyped", 2), (PASSWORD, 0)] {
        let mut terminal = site.cli(["user", "add", "ann"]).at_terminal();
        terminal.sees("Password: ").await;
        assert!(!terminal.shows_what_is_typed());
        terminal.types(PASSWORD);
        terminal.sees("Repeat password: ").await;
        terminal.types(again);
        assert_eq!(terminal.ended().await, Some(code), "{}", terminal.screen());
        let expected = if code == 0 {
            "added user/ann"
        } else {
            "do not match"
        };
        terminal.sees(expected).await;
        assert!(terminal.shows_what_is_typed());
        assert!(
            !terminal.screen().contains("canary"),
            "{}",
            terminal.screen()
        );
    }
    let server = site.serve().await;
    log_in(&server.client(), PASSWORD).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn restores_echo_when_password_prompt_is_cancelled() {
    let site = bare();
    let mut terminal = site.cli(["user", "add", "ann"]).at_terminal();
    terminal.sees("Password: ").await;
    terminal.interrupts();
    assert_eq!(terminal.ended().await, Some(1));
    terminal.sees("nothing was changed").await;
    assert!(terminal.shows_what_is_typed());
    assert_eq!(users(&site).await, serde_json::json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_audit_log_by_entry_and_actor() {
    let site = bare().with_variable("SUDO_USER", "root7");
    let server = site.serve().await;
    add_ann(&site).await;
    site.run(["contact", "add", "cleo", "--name", "Cleo"]).await;
    site.run(["contact", "off", "cleo"]).await;
    log_in(&server.client(), PASSWORD).await.unwrap();
    let list = async |options: &[&str]| {
        let mut command = vec!["audit", "list", "--json"];
        command.extend(options);
        let found = site.run(command).await.json();
        let of = |change: &Value, field: &str| change[field].as_str().unwrap().to_owned();
        let line = |change: &Value| {
            let (by, action) = (of(change, "by"), of(change, "action"));
            format!("{by} {action} {}", of(change, "subject"))
        };
        found
            .as_array()
            .unwrap()
            .iter()
            .map(line)
            .collect::<Vec<_>>()
    };
    let all = [
        "user/ann logged_in user/ann",
        "operator/root7 switched_off contact/cleo",
        "operator/root7 added contact/cleo",
        "operator/root7 added user/ann",
    ];
    assert_eq!(list(&[]).await, all);
    assert_eq!(list(&["--limit", "2"]).await, all[..2]);
    assert_eq!(list(&["--subject", "contact/cleo"]).await, all[1..3]);
    assert_eq!(list(&["--by", "operator/root7"]).await, all[1..]);
    assert_eq!(list(&["--by", "user/ann"]).await, all[..1]);
    let newest = site.run(["audit", "list", "--json", "--limit", "1"]).await;
    let newest = newest.json()[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(list(&["--before", &newest]).await, all[1..]);

    let table = site
        .run(["audit", "list", "--subject", "contact/cleo"])
        .await;
    assert!(table.stdout.contains("switched off"), "{}", table.stdout);
    site.cli(["audit", "list", "--by", "ann"])
        .run()
        .await
        .exited(2);
}

#[tokio::test(flavor = "multi_thread")]
async fn shows_permissions_of_keys() {
    let site = bare();
    site.key("robot", &["--admin"]).await;
    site.key("probe", &["--inspect", "--only", "event/disk"])
        .await;
    let robot = site.run(["key", "show", "robot", "--json"]).await.json();
    assert_eq!(
        (&robot["admin"], &robot["inspect"]),
        (&true.into(), &true.into())
    );
    assert_eq!(robot["last_used_at"], Value::Null);
    let listed = site.run(["key", "list"]).await.stdout;
    let row = |key: &str| listed.lines().find(|line| line.contains(key)).unwrap();
    assert!(row("robot").contains("read and change"), "{listed}");
    assert!(!row("probe").contains("change"), "{listed}");
    let shown = site.run(["key", "show", "probe"]).await.stdout;
    assert!(
        shown.contains("event/disk") && shown.contains("never"),
        "{shown}"
    );
    site.cli(["key", "show", "nobody"]).run().await.exited(4);
}
