//! Building a saved machine once, whoever wants it: one process builds, and the others wait and use what it built. It is
//! built aside under a lock and then renamed, so that a half-written one is never found.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use serde::Serialize;

use crate::disk_room;
use crate::error::VmError;
use crate::eviction::{self, Held};
use crate::file_lock::{is_at, was_had};
use crate::interrupt::interrupted;
use crate::saved::{self, HALF, LOCK};
use crate::template::Progress;

/// How often a process looks whether another one has built what it waits for.
const LOOK: Duration = Duration::from_millis(20);

/// Where a saved machine is to be, and among how many.
pub(crate) struct Place<'a> {
    /// The folder of all saved machines of its kind.
    pub root: &'a Path,
    /// What identifies it.
    pub key: &'a str,
    /// Bytes that those of its kind may take, this one too.
    pub most_kept: u64,
    /// MiB that this one may take.
    pub needed_mb: u64,
}

/// What came of it.
#[derive(Debug)]
pub(crate) enum Once<T, R, E> {
    /// It was there.
    Found(T),
    /// It was built now.
    Built { folder: PathBuf, held: Option<Arc<Held>>, record: R },
    /// Building ended in another way. Nothing is kept.
    NotBuilt(E),
}

/// Finds what is at `place` or builds it: `find` looks, and says why what is there cannot be used; `build` fills an empty
/// folder, and its record is written there last.
///
/// # Errors
/// Those of `build`; when the cache cannot be used or is full, and when this process is asked to end while it waits.
pub(crate) fn build_once<T, R: Serialize, E>(
    place: &Place<'_>,
    find: impl Fn() -> Result<Option<T>, String>,
    build: impl FnOnce(&Path, &mut dyn Progress) -> Result<Result<R, E>, VmError>,
    progress: &mut dyn Progress,
) -> Result<Once<T, R, E>, VmError> {
    if let Ok(Some(found)) = find() {
        return Ok(Once::Found(found));
    }
    let site = Site::lock(place.root, place.key, progress)?;
    match find() {
        Ok(Some(found)) => return Ok(Once::Found(found)),
        Ok(None) => {}
        Err(why) => progress
            .slow(&format!("the template in {} cannot be used ({why}): built again", site.folder.display())),
    }
    eviction::evict(place.root, place.most_kept.saturating_sub(place.needed_mb << 20));
    disk_room::check(place.root, place.needed_mb)?;
    let record = match build(site.clear()?, progress)? {
        Ok(record) => record,
        Err(end) => return Ok(Once::NotBuilt(end)),
    };
    saved::write_record(&site.aside, &record)?;
    // Before others can find it, and remove it.
    let held = eviction::hold(&site.aside).map(Arc::new);
    Ok(Once::Built { folder: site.keep()?, held, record })
}

/// A folder that this process alone may build.
struct Site {
    folder: PathBuf,
    aside: PathBuf,
    lock_path: PathBuf,
    lock: File,
    kept: bool,
}

impl Site {
    /// Locks `root/key`, after whoever builds it now.
    fn lock(root: &Path, key: &str, progress: &mut dyn Progress) -> Result<Self, VmError> {
        let not_writable = |source| VmError::CacheNotWritable { path: root.to_owned(), source };
        let without_locks = |source| VmError::CacheWithoutLocks { path: root.to_owned(), source };
        fs::create_dir_all(root).map_err(not_writable)?;
        let lock_path = root.join(format!("{key}.{LOCK}"));
        let open = || File::create(&lock_path).map_err(not_writable);
        let mut told = false;
        let mut lock = open()?;
        loop {
            if was_had(lock.try_lock()).map_err(without_locks)? {
                if is_at(&lock, &lock_path) {
                    break;
                }
                // Who had it before removed it.
                lock = open()?;
                continue;
            }
            if interrupted() {
                return Err(VmError::Interrupted);
            }
            if !told {
                told = true;
                progress.slow("another process builds this template: waiting for it");
            }
            sleep(LOOK);
        }
        let (folder, aside) = (root.join(key), root.join(format!("{key}.{HALF}")));
        Ok(Self { folder, aside, lock_path, lock, kept: false })
    }

    /// Makes an empty folder to build in. What another builder left half-done is dead: we hold the lock.
    fn clear(&self) -> Result<&Path, VmError> {
        for old in [&self.aside, &self.folder] {
            if old.exists() {
                fs::remove_dir_all(old).map_err(VmError::file("removing", old.clone()))?;
            }
        }
        fs::create_dir(&self.aside)
            .map_err(|source| VmError::CacheNotWritable { path: self.aside.clone(), source })?;
        Ok(&self.aside)
    }

    /// Puts what was built in its place.
    fn keep(mut self) -> Result<PathBuf, VmError> {
        fs::rename(&self.aside, &self.folder).map_err(VmError::file("renaming", self.aside.clone()))?;
        self.kept = true;
        Ok(self.folder.clone())
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if !self.kept {
            let _ = fs::remove_dir_all(&self.aside);
            eviction::remove_if_idle(&self.lock, &self.lock_path);
        }
    }
}

#[cfg(test)]
mod tests;
