//! The process that dispatches from a file, found without taking a lock where possible: a lock taken as a
//! test could make a server fail that starts at the same moment.

use std::fs::{File, TryLockError};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::database_file::is_served_here;
use super::file_id::FileId;

/// The process that dispatches from a file, if there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holder {
    Nobody,
    Process(u32),
    /// A process of unknown id.
    Unknown,
}

/// Returns the path of the lock file of a database.
pub(super) fn lock_file(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    name.into()
}

/// Returns the process that dispatches from a database.
///
/// # Errors
///
/// Returns the errors of reading the lock file.
pub(super) fn holder(path: &Path) -> io::Result<Holder> {
    let database = FileId::at(path)?;
    if database.is_some_and(is_served_here) {
        return Ok(Holder::Process(std::process::id()));
    }
    let beside = lock_file(path);
    let files = [database, FileId::at(&beside)?];
    match files.into_iter().flatten().find_map(listed) {
        Some(process) => Ok(Holder::Process(process)),
        None => in_lock_file(&beside),
    }
}

/// Returns the process that dispatches from a database under another of its names: of a file with several
/// links, each has a write-ahead log of its own, so that they must not be used side by side.
///
/// # Errors
///
/// Returns the errors of inspecting the files.
pub(super) fn holder_by_another_name(path: &Path) -> io::Result<Option<u32>> {
    if path.metadata()?.nlink() < 2 {
        return Ok(None);
    }
    let Some(database) = FileId::at(path)? else {
        return Ok(None);
    };
    let here = is_served_here(database).then(std::process::id);
    let Some(process) = here.or_else(|| listed(database)) else {
        return Ok(None);
    };
    let beside = lock_file(path);
    let is_by_this_name = match FileId::at(&beside)?.and_then(listed) {
        Some(by_this_name) => by_this_name == process,
        None => in_lock_file(&beside)? != Holder::Nobody,
    };
    Ok((!is_by_this_name).then_some(process))
}

/// Returns the process that the system lists as the holder of a file's lock.
#[cfg(target_os = "linux")]
fn listed(file: FileId) -> Option<u32> {
    let all = std::fs::read_to_string("/proc/locks").ok()?;
    holder_in(&all, file)
}

/// Returns `None`, since this system has no such list.
#[cfg(not(target_os = "linux"))]
const fn listed(_file: FileId) -> Option<u32> {
    None
}

/// Returns the process that holds the lock of a file by a list as in `/proc/locks`, such as
/// `1: FLOCK  ADVISORY  WRITE 4711 fe:00:131073 0 EOF`.
#[cfg(target_os = "linux")]
fn holder_in(list: &str, file: FileId) -> Option<u32> {
    use rustix::fs::{major, minor};

    let (major, minor) = (major(file.device), minor(file.device));
    let wanted = format!("{major:02x}:{minor:02x}:{}", file.inode);
    list.lines().find_map(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        match fields[..] {
            [_, "FLOCK", _, "WRITE", process, of, ..] if of == wanted => process.parse().ok(),
            _ => None,
        }
    })
}

/// Returns the holder by the lock file, in which a server writes its id. The system's list does not help if
/// that server is in another container, or if the file system numbers devices differently; or the server
/// has crashed. Only then a lock is taken for a moment.
fn in_lock_file(beside: &Path) -> io::Result<Holder> {
    let mut file = match File::open(beside) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Holder::Nobody),
        Err(error) => return Err(error),
    };
    let mut number = String::new();
    file.read_to_string(&mut number)?;
    if number.is_empty() {
        return Ok(Holder::Nobody);
    }
    match file.try_lock_shared() {
        Ok(()) => Ok(Holder::Nobody),
        Err(TryLockError::Error(error)) => Err(error),
        Err(TryLockError::WouldBlock) => {
            let number = number.trim().parse();
            Ok(number.map_or(Holder::Unknown, Holder::Process))
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn finds_the_holder_in_the_list_of_the_system() {
        let list = "1: POSIX  ADVISORY  READ  7 fe:00:42 1073741826 1073742335\n\
                    2: FLOCK  ADVISORY  WRITE 8 fe:00:4242 0 EOF\n\
                    3: FLOCK  ADVISORY  READ 9 fe:00:43 0 EOF\n\
                    4: FLOCK  ADVISORY  WRITE 10 fe:00:42 0 EOF\n\
                    4: -> FLOCK  ADVISORY  WRITE 11 fe:00:43 0 EOF\n";
        let device = rustix::fs::makedev(0xfe, 0);
        let find = |inode| holder_in(list, FileId { device, inode });
        assert_eq!(find(42), Some(10));
        assert_eq!(find(4242), Some(8));
        assert_eq!(find(43), None);
    }
}
