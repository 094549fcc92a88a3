//! Imports with problems: all are listed, and the rest is imported.

use std::fs;

use redflash_tests::{Config, Site};
use serde_json::{Value, json};

/// A dump of the old service with numbers that are not valid here.
fn dump() -> Value {
    json!([
        { "model": "squawk.contact", "pk": 1,
          "fields": { "name": "Ann", "slug": "ann", "enabled": true } },
        { "model": "squawk.contact", "pk": 2,
          "fields": { "name": "Bob", "slug": "bob", "enabled": false } },
        { "model": "squawk.contactendpoint", "pk": 1,
          "fields": { "contact": 1, "end_point": 0, "address": "12", "enabled": true } },
        { "model": "squawk.contactendpoint", "pk": 2,
          "fields": { "contact": 1, "end_point": 2, "address": "ann@example.org", "enabled": true } },
        { "model": "squawk.contactendpoint", "pk": 3,
          "fields": { "contact": 2, "end_point": 0, "address": "0123", "enabled": false } },
        { "model": "squawk.contactendpoint", "pk": 4,
          "fields": { "contact": 2, "end_point": 0, "address": "447700900123", "enabled": true } },
        { "model": "squawk.contactgroup", "pk": 1,
          "fields": { "name": "Ops", "slug": "ops", "enabled": true, "contacts": [1, 2] } },
        { "model": "squawk.event", "pk": 1,
          "fields": { "name": "Disk", "slug": "disk", "description": "", "enabled": true,
                      "message": "{{host}} is full", "contacts": [], "groups": [1] } },
        { "model": "squawk.apiuser", "pk": 1,
          "fields": { "slug": "app", "api_key": "canary-old-key-01234", "enabled": true, "is_admin": false } }
    ])
}

/// The same, with records that cannot be imported at all.
fn broken_dump() -> Value {
    let mut dump = dump();
    let more = json!([
        { "model": "squawk.contact", "pk": 3,
          "fields": { "name": "Eve", "slug": "../eve", "enabled": true } },
        { "model": "squawk.contactendpoint", "pk": 5,
          "fields": { "contact": 3, "end_point": 2, "address": "eve@example.org", "enabled": true } },
        { "model": "squawk.contactgroup", "pk": 2,
          "fields": { "name": "All", "slug": "all", "enabled": true, "contacts": [1, 3] } },
        { "model": "squawk.contactendpoint", "pk": 6,
          "fields": { "contact": 1, "end_point": 9, "address": "1", "enabled": true } },
        { "model": "squawk.apiuser", "pk": 2, "fields": { "slug": "b", "api_key": 5 } },
        { "model": "auth.user", "pk": 1, "fields": {} },
        "nothing"
    ]);
    let records = dump.as_array_mut().unwrap();
    records.extend(more.as_array().unwrap().iter().cloned());
    dump
}

async fn endpoints(site: &Site, contact: &str) -> Vec<(String, bool, String)> {
    let shown = site
        .run(["contact", "show", contact, "--json"])
        .await
        .json();
    let part = |endpoint: &Value| {
        (
            endpoint["address"].as_str().unwrap().to_owned(),
            endpoint["enabled"].as_bool().unwrap(),
            endpoint["opted_out"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
        )
    };
    shown["endpoints"]
        .as_array()
        .unwrap()
        .iter()
        .map(part)
        .collect()
}

fn file(site: &Site, name: &str, content: &str) {
    fs::write(site.path().join(name), content).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn keeps_endpoints_with_invalid_addresses_switched_off() {
    let site = Site::new(&Config::new());
    file(&site, "dump.json", &dump().to_string());

    let done = site.cli(["import", "dump.json"]).run().await.succeeded();

    for problem in ["squawk.contactendpoint 1", "squawk.contactendpoint 3"] {
        let mut lines = done.stderr.lines();
        let line = lines.find(|line| line.contains(problem)).unwrap();
        assert!(line.contains("imported switched off"), "{line}");
    }
    assert!(
        done.stdout
            .contains("2 contacts, 4 endpoints, 1 group, 1 event, 1 key")
    );
    let ann = endpoints(&site, "ann").await;
    assert_eq!((&*ann[0].0, ann[0].1), ("12", false));
    assert!(ann[0].2.contains("not a valid address"), "{}", ann[0].2);
    assert_eq!(ann[1], ("ann@example.org".into(), true, String::new()));
    let bob = endpoints(&site, "bob").await;
    assert_eq!((&*bob[0].0, bob[0].1), ("0123", false));
    assert_eq!(bob[1], ("+447700900123".into(), true, String::new()));

    let on = site.cli(["endpoint", "on", "ann", "sms", "12"]).run().await;
    assert_eq!(on.code, Some(2), "it is still not valid: {}", on.stderr);
    let again = site.cli(["import", "dump.json", "--strict", "--dry-run"]);
    again.run().await.exited(2);
    site.run(["endpoint", "remove", "ann", "sms", "12"]).await;
    assert_eq!(endpoints(&site, "ann").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_every_problem_and_imports_the_rest() {
    let site = Site::new(&Config::new());
    file(&site, "dump.json", &broken_dump().to_string());

    let partly = site
        .cli(["import", "dump.json", "--json"])
        .run()
        .await
        .exited(2);

    let shown = partly.json();
    let problems = shown["problems"].as_array().unwrap();
    let count = |effect: &str| {
        problems
            .iter()
            .filter(|one| one["effect"] == effect)
            .count()
    };
    assert_eq!(
        (count("switched_off"), count("left_out")),
        (2, 7),
        "{shown:#}"
    );
    assert!(!partly.stderr.contains("canary"), "{}", partly.stderr);
    let groups = site.run(["group", "list", "--json"]).await.json();
    assert_eq!(groups[0]["contacts"], json!(["ann"]));
    assert_eq!(groups[1]["contacts"], json!(["ann", "bob"]));
    let contacts = site.run(["contact", "list", "--json"]).await.json();
    assert_eq!(contacts.as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn imports_nothing_in_strict_mode_if_there_are_problems() {
    let site = Site::new(&Config::new());
    file(&site, "dump.json", &dump().to_string());
    let refused = site
        .cli(["import", "dump.json", "--strict"])
        .run()
        .await
        .exited(2);
    assert!(
        refused.stderr.contains("nothing was imported"),
        "{}",
        refused.stderr
    );
    let contacts = site.run(["contact", "list", "--json"]).await.json();
    assert_eq!(contacts, json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn does_not_create_database_in_dry_run() {
    let site = Site::new(&Config::new());
    file(&site, "dump.json", &dump().to_string());
    let output = site.run(["import", "dump.json", "--dry-run"]).await;
    assert!(
        output.stdout.contains("nothing was changed"),
        "{}",
        output.stdout
    );
    assert!(!site.database().exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn switches_groups_on_by_default() {
    let site = Site::new(&Config::new());
    let document = "version: 1\n\
                    contacts:\n- slug: ann\n  name: Ann\n  endpoints:\n  - channel: sms\n    address: +447700900123\n\
                    groups:\n- slug: ops\n  name: Ops\n  contacts: [ann, nobody]\n- slug: off\n  name: Off\n  enabled: false\n\
                    events:\n- slug: disk\n  name: Disk\n  message: full\n  groups: [ops]\n- slug: bad\n  name: Bad\n  message: '{{#if}}'\n";
    file(&site, "ours.yaml", document);
    let partly = site.cli(["import", "ours.yaml"]).run().await.exited(2);
    assert!(
        partly.stderr.contains("group/ops: member contact/nobody"),
        "{}",
        partly.stderr
    );
    assert!(partly.stderr.contains("event/bad: "), "{}", partly.stderr);
    let groups = site.run(["group", "list", "--json"]).await.json();
    let states = [&groups[0]["enabled"], &groups[1]["enabled"]];
    assert_eq!(states, [false, true], "{groups}");
    assert_eq!(groups[1]["contacts"], json!(["ann"]));
    let events = site.run(["event", "list", "--json"]).await.json();
    assert_eq!(
        (&events[0]["slug"], &events[0]["enabled"]),
        (&json!("disk"), &json!(true))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn records_account_and_file_in_audit_log() {
    let site = Site::new(&Config::new()).with_variable("USER", "mallory");
    file(&site, "dump.json", &dump().to_string());
    site.run(["import", "dump.json"]).await;
    let changes = site.run(["audit", "list", "--subject", "contact/ann", "--json"]);
    let changes = changes.await.json();
    let account = "printf %s \"${SUDO_USER:-$(id -un)}\"";
    let account = site.shell(account).run().await.succeeded().stdout;
    assert_eq!(changes[0]["by"], format!("operator/{account}"), "{changes}");
    assert_eq!(changes[0]["detail"], "imported from dump.json");
}
