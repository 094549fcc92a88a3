//! The right to dispatch from a file, which one store of one process has at a time.
//!
//! It consists of two locks. The one on the database itself applies under every name of the file. The one
//! on the file `.lock` beside it has the id of the process, and is the only one on systems where locks on the
//! database would conflict with SQLite's own.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use redflash_core::store::StoreError;

use super::database_file::{DatabaseFile, Descriptor, is_served_here};
use super::holder::{Holder, holder, lock_file};

/// Maximum time to wait for another process: one that is about to end, or that only asks who has the lock.
const PATIENCE: Duration = Duration::from_millis(100);

/// The right to dispatch from a file; given up when dropped or when the process ends.
#[derive(Debug)]
pub(super) struct ServerLock {
    // Unlocked first, so that a process that gets the second lock also gets this one.
    _beside: Beside,
    _database: OnDatabase,
}

/// Reason why the lock was not taken.
#[derive(Debug)]
pub(super) enum LockError {
    /// A process holds it, whose id may be known.
    Held(Option<u32>),
    /// A file cannot be locked.
    Io(PathBuf, io::Error),
}

impl ServerLock {
    /// Takes the lock.
    ///
    /// # Errors
    ///
    /// Returns a [`LockError`] if the lock was not taken.
    pub(super) fn take(database: &Arc<DatabaseFile>) -> Result<Self, LockError> {
        let until = Instant::now() + PATIENCE;
        let path = database.path();
        let on_database = OnDatabase::take(database, until)?;
        let beside = lock_file(path);
        match Beside::take(&beside, until) {
            Ok(Some(beside)) => Ok(Self {
                _beside: beside,
                _database: on_database,
            }),
            Ok(None) => {
                // So that this process does not count as the holder.
                drop(on_database);
                Err(LockError::by(path))
            }
            Err(error) => Err(LockError::Io(beside, error)),
        }
    }
}

/// The lock on the database.
#[derive(Debug)]
struct OnDatabase(Arc<DatabaseFile>);

impl OnDatabase {
    fn take(database: &Arc<DatabaseFile>, until: Instant) -> Result<Self, LockError> {
        let path = database.path();
        if is_served_here(database.id()) {
            return Err(LockError::by(path));
        }
        let locked = retry_until(until, || {
            // Not held while waiting: other stores need it too.
            database.with(lock_database).unwrap_or(Ok(false))
        });
        match locked {
            Ok(true) => Ok(Self(Arc::clone(database))),
            Ok(false) => Err(LockError::by(path)),
            Err(error) => Err(LockError::Io(path.to_owned(), error)),
        }
    }
}

/// Returns false if another store or process has the lock.
fn lock_database(known: &mut Descriptor) -> io::Result<bool> {
    if known.is_served || locks_apart(&known.file) && !try_lock(&known.file)? {
        return Ok(false);
    }
    known.is_served = true;
    Ok(true)
}

impl Drop for OnDatabase {
    fn drop(&mut self) {
        // A forked process shares the lock, and would release that of its parent.
        if !self.0.is_of_this_process() {
            return;
        }
        self.0.with(|known| {
            known.is_served = false;
            if locks_apart(&known.file) {
                let _ = known.file.unlock();
            }
        });
    }
}

/// The lock on the file beside the database, which has the number of this process.
#[derive(Debug)]
struct Beside {
    file: File,
    process: u32,
}

impl Beside {
    /// Locks the file. `None` if another process holds the lock.
    fn take(path: &Path, until: Instant) -> io::Result<Option<Self>> {
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create(true).truncate(false);
        let mut file = options.mode(0o600).open(path)?;
        if !retry_until(until, || try_lock(&file))? {
            return Ok(None);
        }
        let process = std::process::id();
        file.set_len(0)?;
        file.rewind()?;
        writeln!(file, "{process}")?;
        Ok(Some(Self { file, process }))
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        if self.process == std::process::id() {
            // An empty file means that no process serves, so that no one has to try the lock.
            let _ = self.file.set_len(0);
            let _ = self.file.unlock();
        }
    }
}

impl LockError {
    /// Returns the error for a database that another store or process serves.
    fn by(path: &Path) -> Self {
        let Ok(Holder::Process(number)) = holder(path) else {
            return Self::Held(None);
        };
        Self::Held(Some(number))
    }

    /// Returns the error of an open store.
    pub(super) fn into_store_error(self) -> StoreError {
        match self {
            Self::Held(Some(number)) if number == std::process::id() => StoreError::Served {
                by: "another store of this process".to_owned(),
            },
            Self::Held(Some(number)) => StoreError::Served {
                by: format!("process {number}"),
            },
            Self::Held(None) => StoreError::Served {
                by: "another process".to_owned(),
            },
            Self::Io(path, error) => {
                let cause = format!("{}: {error}", path.display());
                StoreError::Unavailable(cause.into())
            }
        }
    }
}

/// Tries until the lock is taken. Returns false if another process has it all the time.
fn retry_until(until: Instant, mut tries: impl FnMut() -> io::Result<bool>) -> io::Result<bool> {
    while !tries()? {
        if Instant::now() >= until {
            return Ok(false);
        }
        sleep(Duration::from_millis(2));
    }
    Ok(true)
}

/// Returns false if another process has locked a file.
fn try_lock(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Returns true if locks of whole files are apart from those of parts of them, which SQLite takes.
///
/// They are on Linux, except on file systems that hand both to a server as the same kind.
#[cfg(target_os = "linux")]
fn locks_apart(file: &File) -> bool {
    const NFS: i64 = 0x6969;
    const SMB: i64 = 0x517b;
    const CIFS: i64 = 0xff53_4d42;
    const SMB2: i64 = 0xfe53_4d42;
    const PLAN_9: i64 = 0x0102_1997;

    let found = rustix::fs::fstatfs(file);
    found.is_ok_and(|found| ![NFS, SMB, CIFS, SMB2, PLAN_9].contains(&found.f_type))
}

/// Returns false: both kinds of locks may be one.
#[cfg(not(target_os = "linux"))]
const fn locks_apart(_file: &File) -> bool {
    false
}
