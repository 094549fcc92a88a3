//! Test tools that `.ci/install-test-tools` has fetched.

use std::env;
use std::path::PathBuf;

use crate::missing;

/// A file of `target/peers`. Ends the test where it is not there.
pub(crate) fn fetched(path: &str) -> PathBuf {
    let test = env::current_exe().unwrap();
    let mut places = test.ancestors().map(|target| target.join("peers"));
    let peers = places.find(|peers| peers.is_dir()).unwrap_or_default();
    let file = peers.join(path);
    if !file.exists() {
        missing(&format!(
            "target/peers/{path} is missing; run .ci/install-test-tools"
        ));
    }
    file
}

/// A program on the path. Ends the test where it is not there.
///
/// * `package` - Debian's package that has it.
pub(crate) fn program(name: &str, package: &str) -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path).find_map(|directory| {
        let program = directory.join(name);
        program.is_file().then_some(program)
    });
    found.unwrap_or_else(|| {
        missing(&format!(
            "{name} is missing; Debian's package is `{package}`"
        ))
    })
}
