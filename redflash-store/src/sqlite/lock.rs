//! The lock that keeps a second server off a file.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::OpenError;

/// Held by the process that dispatches from a file; given up when dropped or when the process ends.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    name.into()
}

fn file(path: &Path) -> Result<File, OpenError> {
    let beside = beside(path);
    let mut options = OpenOptions::new();
    let options = options
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600);
    options.open(&beside).map_err(|source| OpenError::Io {
        path: beside,
        source,
    })
}

impl Lock {
    /// Takes the lock.
    pub(super) fn take(path: &Path) -> Result<Self, OpenError> {
        let io = |source| OpenError::Io {
            path: beside(path),
            source,
        };
        let mut file = file(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let path = path.to_owned();
                let pid = pid(&mut file);
                return Err(OpenError::Served { path, pid });
            }
            Err(TryLockError::Error(source)) => return Err(io(source)),
        }
        file.set_len(0).map_err(io)?;
        file.rewind().map_err(io)?;
        writeln!(file, "{}", std::process::id()).map_err(io)?;
        Ok(Self { _file: file })
    }
}

/// The process that holds the lock.
pub(super) fn holder(path: &Path) -> Result<Option<u32>, OpenError> {
    if !beside(path).exists() {
        return Ok(None);
    }
    let mut file = file(path)?;
    match file.try_lock_shared() {
        Ok(()) => Ok(None),
        Err(TryLockError::WouldBlock) => Ok(Some(pid(&mut file).unwrap_or(0))),
        Err(TryLockError::Error(source)) => Err(OpenError::Io {
            path: beside(path),
            source,
        }),
    }
}

fn pid(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}
