//! A machine that lacks what a test needs.

use std::env;
use std::process::{Command, Output};

/// Tests that need a program to mount something.
const TESTS: [&str; 2] = [
    "disk::a_full_disk_refuses_alerts_and_takes_them_again_once_there_is_room",
    "power::what_was_accepted_before_a_power_cut_is_on_the_disk",
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
fn fails_in_ci_for_want_of_a_program() {
    for test in TESTS {
        let output = run(test, true);
        let printed = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{test} passes untried");
        assert!(printed.contains("can be mounted: m"), "{printed}");
    }
}

#[test]
fn is_skipped_elsewhere_for_want_of_a_program() {
    for test in TESTS {
        let output = run(test, false);
        let printed = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{test}: {printed}");
        assert!(printed.contains("skipped: no "), "{printed}");
    }
}
