//! Rows that are command lines, configurations and documents to import.

use std::fs;

use redflash_tests::{Config, Site};
use serde_json::Value;

use super::input::{repeated, unescaped};
use super::row::Row;
use super::stage::Stage;

/// Runs a row's command, and says what is not as it should be.
///
/// A command line runs on the stage; a configuration and a document to import on an installation
/// of their own, which the import must leave as it was unless it succeeds.
pub(crate) async fn run(row: &Row, stage: &Stage) -> Vec<String> {
    if row.surface == "config" && row.expected == "exit 0" {
        eprintln!("skipped: config / {} starts a server for good", row.name);
        return Vec::new();
    }
    let own = Site::new(&Config::new().gateway("name = \"hooks\"\ntype = \"webhook\""));
    own.run(["migrate"]).await;
    let site = if row.surface == "cli" {
        &stage.world.site
    } else {
        &own
    };
    let bytes = unescaped(&repeated(&row.body));
    let file = own.path().join("file");
    fs::write(&file, &bytes).unwrap();
    let broken = own.path().join("broken.toml");
    fs::write(&broken, "[server]\nlisten = \n").unwrap();
    let line = stage
        .fill(&row.method)
        .replace("{FILE}", &file.display().to_string())
        .replace("{BADCONFIG}", &broken.display().to_string());
    let (_, key) = line.split_once(" --key ").unwrap_or_default();
    let key = key.split(' ').next().unwrap_or_default();
    let before = directory(site).await;

    let output = site.shell(&line).input(bytes).run().await;

    let mut wrong = Vec::new();
    let outcome = output
        .code
        .map_or("a signal".to_owned(), |code| format!("exit {code}"));
    if !row.expects(&outcome) {
        wrong.push(format!(
            "{outcome} instead of {}: {}{}",
            row.expected, output.stdout, output.stderr
        ));
    }
    if !key.is_empty() && format!("{}{}", output.stdout, output.stderr).contains(key) {
        wrong.push("the key is printed".to_owned());
    }
    if output.stderr.contains("panicked") {
        wrong.push(format!("a panic: {}", output.stderr));
    }
    if output.code != Some(0) {
        if output.stderr.trim().is_empty() {
            wrong.push("no word on stderr".to_owned());
        }
        if directory(site).await != before {
            wrong.push("it failed and left something behind".to_owned());
        }
    }
    wrong
}

async fn directory(site: &Site) -> Vec<Value> {
    let mut all = Vec::new();
    for noun in ["contact", "group", "event", "key"] {
        all.push(site.run([noun, "list", "--json"]).await.json());
    }
    all
}
