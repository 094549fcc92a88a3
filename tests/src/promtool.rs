//! Prometheus' own judgement of metrics.

use std::process::Stdio;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::fetched::program;

/// Returns the complaints of `promtool check metrics`; nothing if the metrics are clean.
pub async fn promtool(metrics: &str) -> String {
    let mut child = Command::new(program("promtool", "prometheus"))
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(metrics.as_bytes()).await.unwrap();
    drop(input);
    let output = child.wait_with_output().await.unwrap();
    let output_text = [output.stdout, output.stderr].concat();
    let mut output_text = String::from_utf8_lossy(&output_text).into_owned();
    if !output.status.success() {
        output_text += &output.status.to_string();
    }
    output_text
}
