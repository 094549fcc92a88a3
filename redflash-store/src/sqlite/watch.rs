//! A check that the database's files are still those that were opened. SQLite itself continues to use
//! files that were removed or replaced, and anything it writes to them is lost.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tracing::{error, info};

use super::database_file::DatabaseFile;
use super::file_id::FileId;

/// Minimum time between two checks of the files.
const LOOK: Duration = Duration::from_millis(250);

/// Watches the files of one database for all its users.
#[derive(Clone, Debug)]
pub(super) struct FileWatch(Arc<Watched>);

#[derive(Debug)]
struct Watched {
    path: PathBuf,
    log: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    file: FileId,
    /// The write-ahead log, once there is one.
    log: Option<FileId>,
    looked_at: Option<Instant>,
    error: Option<FileError>,
}

/// Reason why an open file is no longer the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FileError {
    path: PathBuf,
    /// Another file is there.
    is_replaced: bool,
}

impl std::error::Error for FileError {}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        if self.is_replaced {
            write!(f, "{path} was replaced by another file")?;
        } else {
            write!(f, "{path} was removed or moved")?;
        }
        f.write_str(
            " while it was in use: restore the original file, or restart to use the current one",
        )
    }
}

impl FileWatch {
    /// Watches the files that have just been opened.
    pub(super) fn start(file: &DatabaseFile) -> io::Result<Self> {
        let path = file.path();
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        let log = PathBuf::from(log);
        let state = State {
            file: file.id(),
            log: FileId::at(&log)?,
            looked_at: None,
            error: None,
        };
        Ok(Self(Arc::new(Watched {
            path: path.to_owned(),
            log,
            state: Mutex::new(state),
        })))
    }

    /// Checks that the files are those that were opened. The result is at most 250 ms old.
    ///
    /// # Errors
    ///
    /// Returns a [`FileError`] that names the file and the problem.
    pub(super) fn check(&self) -> Result<(), FileError> {
        let mut state = self.state();
        let is_fresh = |at: Instant| at.elapsed() < LOOK;
        if !state.looked_at.is_some_and(is_fresh) {
            self.look(&mut state);
        }
        state.error.clone().map_or(Ok(()), Err)
    }

    /// Checks the files now, before a connection is opened.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`check`](Self::check).
    pub(super) fn check_now(&self) -> Result<(), FileError> {
        self.state().looked_at = None;
        self.check()
    }

    /// Forgets the write-ahead log after a connection was closed. If it was the last one, SQLite has removed
    /// the log, and the next connection creates another.
    pub(super) fn forget_log(&self) {
        self.state().log = None;
    }

    fn look(&self, state: &mut State) {
        state.looked_at = Some(Instant::now());
        let error =
            compare(&self.0.path, Some(state.file)).or_else(|| compare(&self.0.log, state.log));
        match (&state.error, &error) {
            (None, Some(error)) => error!(%error, "nothing more is recorded"),
            (Some(_), None) => info!(path = %self.0.path.display(), "the database is back"),
            _ => {}
        }
        if error.is_none() && state.log.is_none() {
            state.log = FileId::at(&self.0.log).ok().flatten();
        }
        state.error = error;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the error of a file, if it is known and can be inspected.
fn compare(path: &Path, known: Option<FileId>) -> Option<FileError> {
    let known = known?;
    // A file system that does not answer gives no information about the file.
    let found = FileId::at(path).ok()?;
    (found != Some(known)).then(|| FileError {
        path: path.to_owned(),
        is_replaced: found.is_some(),
    })
}
