//! A machine that lacks what a test needs.

use std::env;
use std::process::{Command, Output};

/// Tests that need a program to mount something.
const TESTS: [&str; 2] = [
    "disk::refuses_alerts_while_disk_is_full",
    "power::keeps_accepted_alerts_after_power_cut",
];

/// Runs a test of this binary where no program is found.
fn run(test: &str, ci: bool) -> Output {
    let mut command = Command::new(env::current_exe().unwrap());
    command
        .args(["--exact", test, "--nocapture"])
        .env("PATH", "")
        .env_remove("CI");
    if ci {
        command.env("CI", "1");
    }
    command.output().unwrap()
}

#[test]
fn fails_in_ci_if_program_is_missing() {
    for test in TESTS {
        let output = run(test, true);
        let printed = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{test} passes untried");
        assert!(printed.contains("can be mounted: m"), "{printed}");
    }
}

#[test]
fn skips_outside_ci_if_program_is_missing() {
    for test in TESTS {
        let output = run(test, false);
        let printed = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{test}: {printed}");
        assert!(printed.contains("skipped: no "), "{printed}");
    }
}
