//! What builds and fetches keep in the cache besides kernels.

use std::{
    fs::{self, File, TryLockError},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::SystemTime,
};

use crate::{
    Error,
    cache::remove_folder,
    lock::{open_lock, try_exclusive},
};

/// What a leftover is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeftoverKind {
    /// Objects, log and sources of a build: the next build of that source compiles only what changed.
    Build,
    /// Packages of a fetch that was interrupted.
    Download,
}

/// A folder that can be removed at the price of time.
#[derive(Clone, Debug)]
pub struct Leftover {
    kind: LeftoverKind,
    dir: PathBuf,
    lock: PathBuf,
}

impl Leftover {
    pub(crate) fn new(kind: LeftoverKind, dir: PathBuf, lock: PathBuf) -> Self {
        Self { kind, dir, lock }
    }

    /// What it is of.
    pub fn kind(&self) -> LeftoverKind {
        self.kind
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The space that it takes on the disk, in bytes, with all folders in it.
    pub fn bytes(&self) -> u64 {
        disk_bytes(&self.dir)
    }

    /// When the folder was made.
    pub fn made(&self) -> SystemTime {
        let folder = fs::metadata(&self.dir);
        folder.and_then(|folder| folder.created().or(folder.modified())).unwrap_or(SystemTime::UNIX_EPOCH)
    }

    /// When the last build or fetch in it wrote something.
    pub fn used(&self) -> SystemTime {
        let modified = |path: &Path| fs::metadata(path).and_then(|file| file.modified()).ok();
        let inside = fs::read_dir(&self.dir).into_iter().flatten().flatten();
        inside
            .filter_map(|entry| modified(&entry.path()))
            .max()
            .or(modified(&self.dir))
            .unwrap_or(self.made())
    }

    /// Whether a process works in it now. Changes nothing, so it works on a read-only file system.
    pub fn is_in_use(&self) -> bool {
        File::open(&self.lock).is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
    }

    /// Deletes it.
    ///
    /// # Errors
    /// [`Error::InUse`] when a process works in it.
    pub fn remove(&self) -> Result<(), Error> {
        let file = open_lock(&self.lock)?;
        if !try_exclusive(&file, &self.lock)? {
            let key = self.dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
            return Err(Error::InUse { key });
        }
        remove_folder(&self.dir)
    }
}

fn disk_bytes(dir: &Path) -> u64 {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| Some((entry.path(), entry.metadata().ok()?)))
        .map(|(path, entry)| entry.blocks() * 512 + if entry.is_dir() { disk_bytes(&path) } else { 0 })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Cache;

    #[test]
    fn a_build_that_runs_is_in_use_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path());
        let build = folder.path().join("build/linux-1");
        fs::create_dir_all(build.join("objects/deep")).unwrap();
        fs::write(build.join("objects/deep/a.o"), [1; 10_000]).unwrap();
        fs::create_dir_all(folder.path().join("downloads/7.3")).unwrap();
        let all = cache.leftovers().unwrap();
        assert_eq!(
            all.iter().map(Leftover::kind).collect::<Vec<_>>(),
            [LeftoverKind::Build, LeftoverKind::Download]
        );
        assert!(all[0].bytes() >= 10_000 && !all[0].is_in_use());
        let lock = open_lock(&folder.path().join("build/.linux-1.lock")).unwrap();
        lock.lock().unwrap();
        assert!(all[0].is_in_use());
        assert!(matches!(all[0].remove(), Err(Error::InUse { key }) if key == "linux-1"));
        drop(lock);
        all[0].remove().unwrap();
        all[1].remove().unwrap();
        assert!(cache.leftovers().unwrap().is_empty());
    }
}
