//! Locks between processes: `flock` on files, which the kernel lets go of when a process ends.
//!
//! That somebody has a lock and that a file system has no locks are two things: the first is waited for, the second never
//! ends.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// Whether a lock that was tried for was had; false when somebody else has it.
///
/// # Errors
/// When the file cannot be locked at all.
pub(crate) fn was_had(tried: Result<(), TryLockError>) -> io::Result<bool> {
    match tried {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Whether `file` is what is at `path` still. Between opening a file and having its lock, who had the lock before may have
/// removed it, and others lock the one that came after.
pub(crate) fn is_at(file: &File, path: &Path) -> bool {
    let identity = |file: io::Result<fs::Metadata>| file.map(|file| (file.dev(), file.ino())).ok();
    identity(file.metadata()).is_some_and(|open| identity(fs::metadata(path)) == Some(open))
}

/// A file that can be opened and never locked, as on a file system without locks.
#[cfg(test)]
pub(crate) fn without_locks(path: &Path) -> File {
    use std::os::unix::fs::OpenOptionsExt as _;
    let flag = rustix::fs::OFlags::PATH.bits() as i32;
    File::options().read(true).custom_flags(flag).open(path).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_somebody_has_is_not_one_that_cannot_be_had() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let mine = File::create(&path).unwrap();
        assert!(was_had(mine.try_lock()).unwrap());
        assert!(!was_had(File::open(&path).unwrap().try_lock()).unwrap());
        was_had(without_locks(&path).try_lock()).unwrap_err();
    }

    #[test]
    fn a_file_that_was_replaced_is_another() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let first = File::create(&path).unwrap();
        assert!(is_at(&first, &path));
        fs::remove_file(&path).unwrap();
        assert!(!is_at(&first, &path));
        let second = File::create(&path).unwrap();
        assert!(is_at(&second, &path) && !is_at(&first, &path));
    }
}
