//! Tests that the example is complete and that the documented gateway features are correct.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use redflash_channels::{ConfigError, Configured, TYPES, configure};
use redflash_core::clock::Timestamp;
use redflash_core::gateway::{Callback, Channel};
use serde_json::{Map, Value};
use tempfile::TempDir;

use super::{EXAMPLE, load};

/// The directory of the files in the example.
const FOLDER: &str = "/etc/redflash/";

/// A key that no table has, so that the error lists those it has.
const NO_KEY: &str = "no-such-key";

/// The example with all lines uncommented, and a directory with the files that it refers to.
struct Example {
    text: String,
    _folder: TempDir,
}

impl Example {
    fn new() -> Self {
        let shown = EXAMPLE.lines().map(|line| match line.strip_prefix("#:") {
            Some(setting) => setting.trim_start(),
            None => line,
        });
        let text = shown.collect::<Vec<_>>().join("\n");
        let folder = tempfile::tempdir().unwrap();
        for quoted in text.split('"').skip(1).step_by(2) {
            if let Some(name) = quoted.strip_prefix(FOLDER) {
                fs::write(folder.path().join(name), contents(name)).unwrap();
            }
        }
        let path = format!("{}/", folder.path().display());
        Self {
            text: text.replace(FOLDER, &path),
            _folder: folder,
        }
    }

    /// Returns the gateways' tables.
    fn tables(&self) -> Vec<Map<String, Value>> {
        let mut document: Map<String, Value> = toml::from_str(&self.text).unwrap();
        serde_json::from_value(document.remove("gateways").unwrap()).unwrap()
    }
}

/// Returns valid content for a file with this name.
fn contents(name: &str) -> &'static str {
    /// A private RSA key for tests.
    const KEY: &str = include_str!("../../../redflash-channels/tests/it/vonage_messages.pem");
    match name.trim_end_matches(".old") {
        "database" => "postgres://localhost/redflash",
        "webhook-secret" => "whsec_Y2FuYXJ5LXdlYmhvb2stc2lnbmluZy1rZXk=",
        "telegram-token" => "123456789:a-token",
        "pushover-token" => "abcdefghijklmnopqrstuvwxyz0123",
        "pagerduty-database-key" => "0123456789abcdef0123456789abcdef",
        "mail-ca.pem" | "vonage-key.pem" => KEY,
        url if url.ends_with("-url") => "https://example.org/a-url",
        _ => "a-secret-of-some-length",
    }
}

fn configured(table: &Map<String, Value>) -> Result<Configured, ConfigError> {
    configure(table.clone(), Some("https://alerts.example.org"))
}

/// Returns the keys that a table accepts, taken from its error; `None` if it accepts any.
///
/// * `inner` - a nested table to inspect instead.
fn known_keys(table: &Map<String, Value>, inner: Option<&str>) -> Option<BTreeSet<String>> {
    let mut table = table.clone();
    let target = match inner {
        Some(inner) => table.get_mut(inner)?.as_object_mut()?,
        None => &mut table,
    };
    target.insert(NO_KEY.into(), "".into());
    let reason = configured(&table).err()?.reason;
    let known = reason.strip_prefix(&format!("unknown field `{NO_KEY}`, expected "))?;
    let names = known.split('`').skip(1).step_by(2).map(str::to_owned);
    Some(names.collect())
}

/// Returns the keys of a table, including those of secrets in files.
fn keys(table: &Map<String, Value>) -> impl Iterator<Item = String> {
    let direct = table.keys().filter_map(|key| key.strip_suffix("_file"));
    table.keys().cloned().chain(direct.map(str::to_owned))
}

#[test]
fn equals_defaults() {
    let example = load::tests::load_text(EXAMPLE).unwrap();
    assert_eq!(example.config, super::Config::default());
}

#[test]
fn accepts_every_line_uncommented() {
    let loaded = load::tests::load_text(&Example::new().text).unwrap();
    let shown: BTreeSet<_> = loaded
        .gateways
        .iter()
        .map(|one| &*one.gateway.type_name)
        .collect();
    let types: BTreeSet<_> = TYPES.iter().map(|kind| kind.name).collect();
    assert_eq!(shown, types);
}

#[test]
fn shows_every_key_of_every_gateway() {
    let example = Example::new();
    let mut known: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut shown = known.clone();
    for table in example.tables() {
        let kind = table["type"].as_str().unwrap();
        known
            .entry(kind.into())
            .or_default()
            .extend(known_keys(&table, None).expect("a gateway takes no other keys"));
        shown.entry(kind.into()).or_default().extend(keys(&table));
        for (name, inner) in &table {
            let Some(inner) = inner.as_object() else {
                continue;
            };
            if let Some(keys_within) = known_keys(&table, Some(name)) {
                let path = format!("{kind}.{name}");
                known.entry(path.clone()).or_default().extend(keys_within);
                shown.entry(path).or_default().extend(keys(inner));
            }
        }
    }
    for (path, known) in known {
        let missing: Vec<_> = known.difference(&shown[&path]).collect();
        assert!(missing.is_empty(), "{path} lacks {missing:?}");
    }
}

#[test]
fn shows_default_timeouts() {
    let deadline = |table: &Map<_, _>| configured(table).unwrap().gateway.limits.deadline;
    for mut table in Example::new().tables() {
        let shown = deadline(&table);
        table.remove("timeout");
        assert_eq!(deadline(&table), shown, "{}", table["type"]);
    }
}

#[test]
fn shows_every_key_of_the_web_admin() {
    let example: Value = toml::from_str(&Example::new().text).unwrap();
    for (section, shown) in [
        ("admin", &example["admin"]),
        ("admin.oidc", &example["admin"]["oidc"]),
    ] {
        let with_another = format!("[{section}]\n{NO_KEY} = 1");
        let error = load::tests::load_text(&with_another).unwrap_err();
        let (_, known) = error.split_once("expected one of ").unwrap();
        let known: BTreeSet<_> = known.split('`').skip(1).step_by(2).collect();
        let shown: Vec<_> = keys(shown.as_object().unwrap()).collect();
        assert_eq!(known, shown.iter().map(String::as_str).collect());
    }
}

/// Returns the rows of a document's table of gateway types, keyed by the column headings.
fn listed(document: &'static str) -> Vec<BTreeMap<&'static str, &'static str>> {
    let cells = |line: &'static str| line.trim_matches('|').split('|').map(str::trim);
    let mut lines = document
        .lines()
        .skip_while(|line| !line.starts_with("| type | channel |"))
        .take_while(|line| line.starts_with('|'));
    let heads: Vec<_> = cells(lines.next().expect("it has a table")).collect();
    let rows = lines
        .skip(1)
        .map(|line| heads.iter().copied().zip(cells(line)).collect());
    rows.collect()
}

/// Returns true if the channel requires signed callbacks.
fn checks_signatures(channel: &dyn Channel) -> bool {
    let unsigned = Callback {
        method: "POST",
        url: "https://alerts.example.org/ack/a",
        fields: &[],
        headers: &[],
        body: b"",
    };
    channel
        .authenticate(&unsigned, Timestamp::default())
        .is_err()
}

/// Returns true if a cell of the documented table matches the channel.
fn is_correct(head: &str, cell: &str, table: &Map<String, Value>) -> bool {
    let channel = configured(table).unwrap().gateway.channel;
    let can = channel.capabilities();
    let matches = |can: bool| cell.split(',').next() == Some(if can { "yes" } else { "no" });
    match head {
        "type" | "an address is" | "sends" => true,
        "channel" if table.contains_key("channel") => cell == "any",
        "channel" => cell == format!("`{}`", channel.kind()),
        "receipts" => matches(can.receipts),
        "replies" => matches(can.inbound),
        "signed callbacks" => matches(checks_signatures(&*channel)),
        "repeats known" => matches(can.idempotent),
        "sender chosen" => matches(can.sender),
        "batch" => cell.split([',', ' ']).next() == Some(&can.batch.to_string()),
        _ => panic!("unknown column {head:?}"),
    }
}

#[test]
fn documents_gateway_features_correctly() {
    let example = Example::new();
    let tables = example.tables();
    for document in [
        include_str!("../../../README.md"),
        include_str!("../../../redflash-channels/src/guide.md"),
    ] {
        let rows = listed(document);
        let names: Vec<_> = rows
            .iter()
            .map(|row| row["type"].trim_matches('`'))
            .collect();
        let types: Vec<_> = TYPES.iter().map(|kind| kind.name).collect();
        assert_eq!(names, types);
        for (row, name) in rows.iter().zip(names) {
            let table = tables.iter().find(|table| table["type"] == name);
            let table = table.expect("the example shows every type");
            for (head, cell) in row {
                assert!(is_correct(head, cell, table), "{name}: {head}: {cell}");
            }
        }
    }
}
