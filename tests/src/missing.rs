//! Means that a machine lacks.

use std::env;

/// Ends the test because the machine lacks what it needs. Where the variable `CI` is set, the test
/// fails, so that nothing passes there untried; elsewhere it is skipped.
///
/// * `what` - what is missing, and how to get it.
///
/// # Panics
///
/// Panics where `CI` is set.
pub fn missing(what: &str) -> ! {
    assert!(
        env::var_os("CI").is_none(),
        "{what}; a test is skipped for this only where `CI` is unset"
    );
    eprintln!("skipped: {what}");
    // Each test is a process of its own, and this one has nothing to try.
    std::process::exit(0);
}
