//! Errors of opening a file.

use std::io;
use std::path::{Path, PathBuf};

use redflash_core::BoxError;

/// The error of opening a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process dispatches from the file, or another store of this one.
    #[error("{}", served(path, *pid))]
    Served {
        /// The file.
        path: PathBuf,
        /// The process, if it left its number.
        pid: Option<u32>,
    },
    /// The name is empty.
    #[error("no database file is named: use a path, such as redflash.db")]
    Unnamed,
    /// The name is a database in memory.
    #[error("{} is a database in memory, which is lost with the process: name a file, or use redflash_core::store::MemoryStore", path.display())]
    Memory {
        /// The name.
        path: PathBuf,
    },
    /// The name is a URI with more than a path.
    #[error("{}: {reason}: give the path alone, as /path/to/redflash.db or file:/path/to/redflash.db", path.display())]
    Uri {
        /// The URI.
        path: PathBuf,
        /// The problem.
        reason: String,
    },
    /// The process that forked this one had the file open.
    #[error("{} was already open in {} when this process was forked: open the store after fork", path.display(), pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}")))]
    Forked {
        /// The file.
        path: PathBuf,
        /// The process that had it open, if known.
        pid: Option<u32>,
    },
    /// A process dispatches from the file under another name, a hard link. Each would write to a log of its
    /// own, and not see the records of the other.
    #[error("{} is served by process {pid} under another name: open it by the path that process uses", path.display())]
    OtherName {
        /// The file.
        path: PathBuf,
        /// The process.
        pid: u32,
    },
    /// The path names a directory.
    #[error("{} is a directory: name a file in it, such as {}", path.display(), path.join("redflash.db").display())]
    Directory {
        /// The path.
        path: PathBuf,
    },
    /// The file does not exist, and was not to be created.
    #[error("no database at {}", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The directory of the file does not exist.
    #[error("there is no directory {} for the database {}: create the directory first, or name another file", directory.display(), path.display())]
    NoDirectory {
        /// The file.
        path: PathBuf,
        /// Its directory.
        directory: PathBuf,
    },
    /// An error of the file system.
    #[error("{} cannot be opened", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// An error of SQLite: not a database, locked, or damaged.
    #[error("{} cannot be used as a database", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: BoxError,
    },
    /// A newer version created the tables.
    #[error("{} was made by a newer version of RedFlash (its tables are of {found}): use that version", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The newest migration it has.
        found: String,
    },
}

/// Returns the message for a file that another store serves.
fn served(path: &Path, pid: Option<u32>) -> String {
    let path = path.display();
    match pid {
        Some(pid) if pid == std::process::id() => format!(
            "{path} is served by another store of this process (pid {pid}): drop that one first, or use another file"
        ),
        Some(pid) => format!(
            "{path} is served by another process (pid {pid}): stop that one first, or use another file"
        ),
        None => {
            format!("{path} is served by another process: stop that one first, or use another file")
        }
    }
}
