//! Which saved machines stay on disk. Every kernel, topology and change of a test binary leaves some behind.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::file_lock::{is_at, was_had};
use crate::saved::{HALF, LOCK, RECORD};

/// Keeps a saved machine on disk for as long as somebody has this.
#[derive(Debug)]
pub(crate) struct Held {
    _record: File,
}

/// Holds the saved machine in `folder`; none when there is none, or it is being removed.
pub(crate) fn hold(folder: &Path) -> Option<Held> {
    let path = folder.join(RECORD);
    let record = File::open(&path).ok()?;
    // Waits only for those who look whether it is in use, or remove it: both take no time.
    record.lock_shared().ok()?;
    if !is_at(&record, &path) {
        return None;
    }
    // Tells `evict` when it was used last. A cache that may only be read needs no eviction.
    let _ = record.set_modified(SystemTime::now());
    Some(Held { _record: record })
}

/// Removes what was used longest ago until at most `most_bytes` are left in `root`; what is held stays. Also removes what
/// dead builders left half-done, and lock files that lock nothing any more.
pub(crate) fn evict(root: &Path, most_bytes: u64) {
    let Ok(entries) = fs::read_dir(root) else { return };
    let folders = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir());
    let (half, whole): (Vec<PathBuf>, Vec<PathBuf>) = folders.partition(|path| is_half(path));
    for folder in &half {
        // What cannot be removed is found again the next time.
        let _ = remove_unless_held(folder, &lock_of(folder));
    }
    evict_whole(whole, most_bytes);
    remove_idle_locks(root);
}

fn evict_whole(whole: Vec<PathBuf>, most_bytes: u64) {
    let mut saved: Vec<(SystemTime, u64, PathBuf)> = whole
        .into_iter()
        .filter_map(|folder| Some((used(&folder).ok()?, size(&folder).ok()?, folder)))
        .collect();
    saved.sort();
    let mut bytes: u64 = saved.iter().map(|(_, bytes, _)| bytes).sum();
    for (_, size, folder) in saved {
        if bytes <= most_bytes {
            return;
        }
        if remove_unless_held(&folder, &lock_of(&folder)).unwrap_or(false) {
            bytes -= size;
        }
    }
}

/// When the saved machine in `folder` was used last.
pub(crate) fn used(folder: &Path) -> io::Result<SystemTime> {
    fs::metadata(folder.join(RECORD))?.modified()
}

/// Bytes of the disk that it takes.
pub(crate) fn size(folder: &Path) -> io::Result<u64> {
    fs::read_dir(folder)?.map(|entry| Ok(entry?.metadata()?.blocks() * 512)).sum()
}

/// Whether a process holds the lock of `file`.
pub(crate) fn is_held(file: &Path) -> bool {
    File::open(file).is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
}

/// Removes `folder` unless a process holds the lock of the file `lock`; false when it stays for that.
pub(crate) fn remove_unless_held(folder: &Path, lock: &Path) -> io::Result<bool> {
    let lock = File::open(lock)?;
    if !was_had(lock.try_lock())? {
        return Ok(false);
    }
    fs::remove_dir_all(folder).map(|()| true)
}

/// Removes the lock files in `root` that nobody holds and that are of nothing that is there.
pub(crate) fn remove_idle_locks(root: &Path) {
    let Ok(entries) = fs::read_dir(root) else { return };
    let paths = entries.flatten().map(|entry| entry.path());
    for path in paths.filter(|path| path.extension().is_some_and(|extension| extension == LOCK)) {
        let Ok(lock) = File::open(&path) else { continue };
        if was_had(lock.try_lock()).unwrap_or(false) {
            remove_if_idle(&lock, &path);
        }
    }
}

/// Removes the lock file at `path`, which is locked as `lock`, unless what it locks is there. Who locks it now, and waited for
/// us, sees that it is gone.
pub(crate) fn remove_if_idle(lock: &File, path: &Path) {
    let is_there = [path.with_extension(""), path.with_extension(HALF)].iter().any(|folder| folder.exists());
    if !is_there && is_at(lock, path) {
        // One that stays is found again the next time.
        let _ = fs::remove_file(path);
    }
}

/// The file that says by its lock whether somebody uses the saved machine in `folder`, or builds it.
pub(crate) fn lock_of(folder: &Path) -> PathBuf {
    if is_half(folder) { folder.with_extension(LOCK) } else { folder.join(RECORD) }
}

/// Whether `folder` is being built, or was left by a builder that died.
pub(crate) fn is_half(folder: &Path) -> bool {
    folder.extension().is_some_and(|extension| extension == HALF)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn saved(root: &Path, name: &str, age_s: u64) -> PathBuf {
        let folder = root.join(name);
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("ram0"), vec![1; 1 << 20]).unwrap();
        let record = File::create(folder.join(RECORD)).unwrap();
        record.set_modified(SystemTime::now() - Duration::from_secs(age_s)).unwrap();
        folder
    }

    #[test]
    fn what_was_used_longest_ago_goes_first_and_what_is_held_stays() {
        let root = tempfile::tempdir().unwrap();
        let [held, old, new] =
            [("held", 300), ("old", 200), ("new", 100)].map(|(name, age)| saved(root.path(), name, age));
        let in_use = hold(&held).unwrap();
        // Being held made it the newest.
        evict(root.path(), 5 << 19);
        assert!(held.exists() && !old.exists() && new.exists());
        evict(root.path(), 0);
        assert!(held.exists() && !new.exists());
        drop(in_use);
        evict(root.path(), 0);
        assert!(!held.exists() && hold(&held).is_none());
    }

    #[test]
    fn half_built_ones_go_when_their_builder_is_dead() {
        let root = tempfile::tempdir().unwrap();
        let [alive, dead] = ["alive", "dead"].map(|name| {
            fs::create_dir(root.path().join(format!("{name}.{HALF}"))).unwrap();
            File::create(root.path().join(format!("{name}.lock"))).unwrap()
        });
        alive.lock().unwrap();
        drop(dead);
        evict(root.path(), u64::MAX);
        let is_there = |name: &str| root.path().join(name).exists();
        assert!(is_there(&format!("alive.{HALF}")) && is_there("alive.lock"));
        assert!(!is_there(&format!("dead.{HALF}")) && !is_there("dead.lock"));
    }

    #[test]
    fn a_lock_file_goes_with_what_it_locks() {
        let root = tempfile::tempdir().unwrap();
        for name in ["old", "new"] {
            saved(root.path(), name, if name == "old" { 200 } else { 100 });
            File::create(root.path().join(format!("{name}.lock"))).unwrap();
        }
        let about_to_build = File::create(root.path().join("next.lock")).unwrap();
        about_to_build.lock().unwrap();
        evict(root.path(), 3 << 19);
        let is_there = |name: &str| root.path().join(name).exists();
        assert!(!is_there("old") && !is_there("old.lock"));
        assert!(is_there("new") && is_there("new.lock") && is_there("next.lock"));
    }
}
