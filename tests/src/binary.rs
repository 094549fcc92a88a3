//! The `redflash` binary under test.
//!
//! Cargo builds binaries for the tests of their own package only, so this package asks for it: the
//! first test that needs the binary runs `cargo build`, which does nothing when it is fresh. The
//! features are those of a workspace's test build, so that after `cargo nextest run --workspace`
//! nothing is compiled twice; the profile and the target directory are those of the tests.
//!
//! nextest runs each test in a process of its own, so a file beside the binary remembers what this
//! run (`NEXTEST_RUN_ID`) has built.
//!
//! `REDFLASH_BIN` names another binary to test, which is then not built.

use std::env;
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The path of the binary, built first where that is needed.
pub fn path() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| match env::var_os("REDFLASH_BIN") {
        Some(path) => path.into(),
        None => built_once_a_run(),
    })
}

fn built_once_a_run() -> PathBuf {
    let Some(run) = env::var_os("NEXTEST_RUN_ID") else {
        return build();
    };
    let run = run.to_string_lossy();
    let mut memory = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(artifacts().join("redflash-under-test"))
        .unwrap();
    memory.lock().unwrap();
    let mut text = String::new();
    memory.read_to_string(&mut text).unwrap();
    if let Some((_, path)) = text.split_once('\n').filter(|(built, _)| *built == run) {
        return path.into();
    }
    let path = build();
    memory.set_len(0).unwrap();
    memory.rewind().unwrap();
    write!(memory, "{run}\n{}", path.display()).unwrap();
    path
}

/// The directory of this build's artifacts, such as `target/debug`.
fn artifacts() -> PathBuf {
    let test = env::current_exe().unwrap();
    let mut parents = test.ancestors().skip(1);
    let artifacts = parents.find(|path| !path.ends_with("deps"));
    artifacts.unwrap().to_owned()
}

fn build() -> PathBuf {
    let artifacts = artifacts();
    let profile = match artifacts.file_name().unwrap().to_str().unwrap() {
        "debug" => "dev",
        other => other,
    };
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments = [
        "build",
        "--workspace",
        // A test among the targets makes the features those of a test build.
        "--test",
        "e2e",
        "--bin",
        "redflash",
        "--message-format",
        "json-render-diagnostics",
        "--profile",
        profile,
    ];
    let output = Command::new(cargo)
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .args(arguments)
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success(), "redflash does not build");
    let messages = String::from_utf8(output.stdout).unwrap();
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message["target"]["name"] == "redflash")
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .expect("cargo names the executable it built")
}
