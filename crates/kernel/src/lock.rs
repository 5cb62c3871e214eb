//! Locks between processes: `flock` on files, which the kernel lets go of when a process ends.

use std::{
    fs::{self, File, TryLockError},
    path::Path,
};

use crate::Error;

/// The right to write one entry, given back when dropped.
#[derive(Debug)]
pub struct KeyLock {
    pub(crate) _file: File,
    pub(crate) key: String,
}

impl KeyLock {
    /// The entry's name.
    pub fn key(&self) -> &str {
        &self.key
    }
}

/// Locks the file `name` in `dir`, creating both.
pub(crate) fn lock_file(dir: &Path, name: &str, on_wait: impl FnOnce()) -> Result<File, Error> {
    let path = dir.join(name);
    let file = open_lock(&path)?;
    if !try_exclusive(&file, &path)? {
        on_wait();
        file.lock().map_err(Error::cache_io("lock", &path))?;
    }
    Ok(file)
}

pub(crate) fn open_lock(path: &Path) -> Result<File, Error> {
    let dir = path.parent().unwrap_or(path);
    fs::create_dir_all(dir).map_err(Error::cache_io("create", dir))?;
    File::options().create(true).append(true).open(path).map_err(Error::cache_io("write", path))
}

pub(crate) fn try_exclusive(file: &File, path: &Path) -> Result<bool, Error> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(Error::cache_io("lock", path)(error)),
    }
}
