//! File systems of a test's own.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A mounted file system, unmounted when dropped.
#[derive(Debug)]
pub(crate) struct Mount {
    directory: TempDir,
}

impl Mount {
    /// Mounts something, or says why this machine does not.
    pub(crate) fn new(arguments: &[&str]) -> Result<Self, String> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().to_str().unwrap().to_owned();
        run("mount", arguments.iter().copied().chain([&*path]))?;
        Ok(Self { directory })
    }

    /// A file system in memory.
    ///
    /// * `size` - such as `8m`.
    pub(crate) fn memory(size: &str) -> Result<Self, String> {
        Self::new(&["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
    }

    /// An ext4 file system in a file.
    pub(crate) fn image(file: &Path) -> Result<Self, String> {
        Self::new(&["-o", "loop", file.to_str().unwrap()])
    }

    /// A path on it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // Lazily: a process that was killed may still be ending.
        let path = self.directory.path().to_str().unwrap();
        if let Err(fault) = run("umount", ["-l", path]) {
            eprintln!("{fault}");
        }
    }
}

/// Runs a program to its end, or says what it complained about.
pub(crate) fn run<'a>(
    program: &str,
    arguments: impl IntoIterator<Item = &'a str>,
) -> Result<(), String> {
    let ended = Command::new(program).args(arguments).output();
    let output = ended.map_err(|fault| format!("{program}: {fault}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned())
}
