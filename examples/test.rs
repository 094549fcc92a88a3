//! The example that raises an alert in-process does so.

#![expect(clippy::unwrap_used, reason = "a failed expectation ends the test")]

use std::process::Command;

use redflash_tests::WebhookSink;

/// An example's program, which Cargo builds beside the tests.
fn example(name: &str) -> Command {
    let test = std::env::current_exe().unwrap();
    let artifacts = test.ancestors().nth(2).unwrap();
    Command::new(artifacts.join("examples").join(name))
}

#[tokio::test(flavor = "multi_thread")]
async fn embedded_example_delivers_its_alert() {
    let sink = WebhookSink::start().await;
    let directory = tempfile::tempdir().unwrap();
    let output = example("embedded")
        .arg(sink.url("/alerts"))
        .current_dir(directory.path())
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{printed}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(printed.trim(), "ann delivered answered 201");
    assert_eq!(sink.received()[0].message(), "The disk is full.");
    assert!(directory.path().join("alerts.db").exists());
}
