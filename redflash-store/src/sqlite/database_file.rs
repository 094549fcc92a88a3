//! The database file itself, held open once for each file that this process uses.
//!
//! Closing any descriptor of a file drops every POSIX lock that the process has on it, those of SQLite
//! included: <https://www.sqlite.org/howtocorrupt.html>, section 2.2. So there is one descriptor for each
//! file, and it is closed when no connection of a store is left. A program that opens the same file
//! through another library should close it there before it drops its last store.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use redflash_core::store::StoreError;

use super::file_id::FileId;
use super::open_error::OpenError;

/// Maximum number of symbolic links followed to a file that is to be created.
const LINKS: usize = 40;
/// Maximum time for which a forked process waits for a mutex that no thread of it may hold.
const FORK_PATIENCE: Duration = Duration::from_millis(100);

type Descriptors = BTreeMap<FileId, Descriptor>;

static OPEN: Mutex<Descriptors> = Mutex::new(BTreeMap::new());
/// The process in which [`OPEN`] is certainly not locked by a thread that does not exist.
static PROCESS: AtomicU32 = AtomicU32::new(0);
static CLOSED: Condvar = Condvar::new();

/// One open file of this process.
#[derive(Debug)]
pub(super) struct Descriptor {
    pub(super) file: File,
    /// The process that opened it.
    process: u32,
    /// Number of stores whose connections may be open.
    users: usize,
    /// Number of stores that were dropped and are still closing their connections.
    closing: usize,
    /// True while a store of this process dispatches from the file.
    pub(super) is_served: bool,
}

impl Descriptor {
    const fn new(file: File, process: u32) -> Self {
        Self {
            file,
            process,
            users: 1,
            closing: 0,
            is_served: false,
        }
    }
}

/// A database file that a store uses. Keep it until the store's last connection is closed.
#[derive(Debug)]
pub(super) struct DatabaseFile {
    path: PathBuf,
    id: FileId,
    process: u32,
    is_closing: AtomicBool,
}

/// The store was opened by another process, which has forked this one.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("opened by process {opened_by}; open the store after fork")]
struct Forked {
    opened_by: u32,
}

impl DatabaseFile {
    /// Opens a file under its absolute path, without links.
    ///
    /// # Errors
    ///
    /// Returns an [`OpenError`] with the given path.
    pub(super) fn open(path: &Path, creates: bool) -> Result<Arc<Self>, OpenError> {
        let io = |source| OpenError::Io {
            path: path.to_owned(),
            source,
        };
        let forked = |pid| OpenError::Forked {
            path: path.to_owned(),
            pid,
        };
        let mut open = open_files().ok_or_else(|| forked(None))?;
        let new = if creates && !path.exists() {
            create_private(path)?
        } else {
            None
        };
        let resolved = path.canonicalize().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => OpenError::Missing { path: path.into() },
            _ => io(error),
        })?;
        let found = resolved.metadata().map_err(io)?;
        if !found.is_file() {
            let reason = "it is neither a file nor a link to one";
            return Err(io(io::Error::new(io::ErrorKind::InvalidInput, reason)));
        }
        let (id, process) = (FileId::from(&found), std::process::id());
        match open.get_mut(&id) {
            Some(known) if known.process == process => known.users += 1,
            Some(known) => return Err(forked(Some(known.process))),
            None => {
                let file = new.map_or_else(|| File::open(&resolved), Ok);
                open.insert(id, Descriptor::new(file.map_err(io)?, process));
            }
        }
        Ok(Arc::new(Self {
            path: resolved,
            id,
            process,
            is_closing: AtomicBool::new(false),
        }))
    }

    /// Returns the absolute path, without links.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) const fn id(&self) -> FileId {
        self.id
    }

    /// Checks that this is the process that opened the file.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError::Backend`] in a process that was forked since: it has neither the threads of the
    /// store nor the locks of its connections.
    pub(super) fn check_process(&self) -> Result<(), StoreError> {
        if self.is_of_this_process() {
            return Ok(());
        }
        let opened_by = self.process;
        Err(StoreError::Backend(Forked { opened_by }.into()))
    }

    pub(super) fn is_of_this_process(&self) -> bool {
        self.process == std::process::id()
    }

    /// Works on the descriptor, which no other thread uses meanwhile.
    pub(super) fn with<T>(&self, work: impl FnOnce(&mut Descriptor) -> T) -> Option<T> {
        let mut open = open_files()?;
        open.get_mut(&self.id).map(work)
    }

    /// Notes that the store was dropped, so that [`wait_until_closed`] waits for its connections.
    pub(super) fn start_closing(&self) {
        if self.is_of_this_process() && !self.is_closing.swap(true, Ordering::Relaxed) {
            self.with(|known| known.closing += 1);
        }
    }
}

impl Drop for DatabaseFile {
    fn drop(&mut self) {
        // A forked process has nothing to close: the descriptors belong to its parent.
        if !self.is_of_this_process() {
            return;
        }
        let Some(mut open) = open_files() else { return };
        let Some(known) = open.get_mut(&self.id) else {
            return;
        };
        known.users -= 1;
        if *self.is_closing.get_mut() {
            known.closing -= 1;
        }
        if known.users == 0 {
            open.remove(&self.id);
        }
        CLOSED.notify_all();
    }
}

/// Returns true if a store of this process dispatches from a file.
pub(super) fn is_served_here(id: FileId) -> bool {
    let here = std::process::id();
    let open = open_files();
    open.is_some_and(|open| {
        let known = open.get(&id);
        known.is_some_and(|known| known.process == here && known.is_served)
    })
}

/// Waits until the connections of all dropped stores are closed. Returns false if they are not in time.
pub(super) fn wait_until_closed(within: Duration) -> bool {
    let Some(open) = open_files() else {
        return false;
    };
    let here = std::process::id();
    let is_closing = |open: &mut Descriptors| {
        let mut mine = open.values().filter(|known| known.process == here);
        mine.any(|known| known.closing > 0)
    };
    let waited = CLOSED.wait_timeout_while(open, within, is_closing);
    let waited = waited.unwrap_or_else(PoisonError::into_inner);
    !waited.1.timed_out()
}

/// Locks the table of open files. `None` in a forked process, if a thread that exists only in the other
/// held the lock when it was forked.
fn open_files() -> Option<MutexGuard<'static, Descriptors>> {
    let here = std::process::id();
    if PROCESS.compare_exchange(0, here, Ordering::Relaxed, Ordering::Relaxed) == Ok(0)
        || PROCESS.load(Ordering::Relaxed) == here
    {
        return Some(OPEN.lock().unwrap_or_else(PoisonError::into_inner));
    }
    let began = Instant::now();
    let open = loop {
        match OPEN.try_lock() {
            Ok(open) => break open,
            Err(TryLockError::Poisoned(open)) => break open.into_inner(),
            Err(TryLockError::WouldBlock) if began.elapsed() > FORK_PATIENCE => return None,
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(1)),
        }
    };
    PROCESS.store(here, Ordering::Relaxed);
    Some(open)
}

/// Creates a file that only its owner can read, at a path or where its links lead. SQLite gives the
/// files beside it the same mode. `None` if another process was faster.
fn create_private(path: &Path) -> Result<Option<File>, OpenError> {
    let target = follow(path).map_err(|source| OpenError::Io {
        path: path.to_owned(),
        source,
    })?;
    let mut options = OpenOptions::new();
    let options = options.read(true).write(true).create_new(true).mode(0o600);
    let created = match options.open(&target) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(None),
        created => created.and_then(|file| {
            file.set_permissions(Permissions::from_mode(0o600))?;
            Ok(Some(file))
        }),
    };
    created.map_err(|source| {
        let absolute = std::path::absolute(&target).unwrap_or(target);
        let path = path.to_owned();
        match absolute.parent().filter(|directory| !directory.exists()) {
            Some(directory) => OpenError::NoDirectory {
                path,
                directory: directory.to_owned(),
            },
            None => OpenError::Io { path, source },
        }
    })
}

/// Follows symbolic links to a path that need not exist.
fn follow(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        if !path.is_symlink() {
            break;
        }
        let next = path.read_link()?;
        path = path
            .parent()
            .map_or(next.clone(), |parent| parent.join(next));
    }
    Ok(path)
}
