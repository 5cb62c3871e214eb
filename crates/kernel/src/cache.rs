//! The kernels kept on this host.
//!
//! ```text
//! $KTSTR_CACHE_DIR, or $XDG_CACHE_HOME/ktstr, or ~/.cache/ktstr
//! ├── kernels/
//! │   ├── 7.3.4+deb13-cloud-amd64/   image, config, metadata.json
//! │   ├── .staging-KEY/              an entry being written, renamed when whole
//! │   ├── .removed-KEY/              an entry being deleted
//! │   └── .locks/KEY                 held by the one process that writes KEY
//! ├── checksums/                     of images and other files, by device and inode; of source trees
//! ├── downloads/KEY/                 packages of a fetch that was interrupted
//! ├── build/NAME/                    objects, log and copied sources of a build, kept for the next one
//! └── apt/SUITE/                     apt's private state
//! ```
//!
//! A reader holds a shared lock on the entry's own folder ([`Entry::hold`]), which works on a read-only file system.

use std::{
    fs::{self, File},
    io,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use crate::{
    Entry, Environment, Error, KernelSpec, KeyLock, Leftover, LeftoverKind, Sha256Sum, Slot, StagedEntry,
    checksum::Checksums,
    lock::{lock_file, open_lock, try_exclusive},
};

const STAGING: &str = ".staging-";
const REMOVED: &str = ".removed-";
const LOCKS: &str = ".locks";

/// The folder that holds ktstr's kernels. It need not exist.
#[derive(Clone, Debug)]
pub struct Cache {
    root: PathBuf,
}

impl Cache {
    /// The cache of this environment.
    ///
    /// # Errors
    /// When none of the variables that could name it is set.
    pub fn locate(env: &Environment) -> Result<Self, Error> {
        let xdg = || env.xdg_cache_home.as_ref().map(|dir| dir.join("ktstr"));
        let home = || env.home.as_ref().map(|dir| dir.join(".cache/ktstr"));
        env.cache_dir.clone().or_else(xdg).or_else(home).map(Self::at).ok_or(Error::NoCacheDir)
    }

    /// The cache in `root`.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        let root = root.into();
        // apt takes relative paths for relative to its own root.
        Self { root: std::path::absolute(&root).unwrap_or(root) }
    }

    /// What `KTSTR_CACHE_DIR` would be for this cache.
    pub fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn kernels(&self) -> PathBuf {
        self.root.join("kernels")
    }

    fn entry_dir(&self, key: &str) -> PathBuf {
        self.kernels().join(key)
    }

    /// All folders of the cache: entries from the newest version to the oldest, of one version the last added first;
    /// then the corrupt ones by name.
    ///
    /// # Errors
    /// When the folder exists and cannot be read.
    pub fn list(&self) -> Result<Vec<Slot>, Error> {
        let kernels = self.kernels();
        let mut slots = Vec::new();
        for key in folder_names(&kernels)? {
            if !key.starts_with('.') {
                slots.push(Slot::read(&key, kernels.join(&key)));
            }
        }
        slots.sort_by(|a, b| {
            let age = |slot: &Slot| slot.ready().map(|e| (e.metadata().version, e.metadata().added_at));
            age(b).cmp(&age(a)).then_with(|| a.key().cmp(b.key()))
        });
        Ok(slots)
    }

    /// The entry of this name, if it is there.
    ///
    /// # Errors
    /// When it is corrupt.
    pub fn get(&self, key: &str) -> Result<Option<Entry>, Error> {
        let dir = self.entry_dir(key);
        if !dir.is_dir() {
            return Ok(None);
        }
        match Slot::read(key, dir) {
            Slot::Ready(entry) => Ok(Some(entry)),
            Slot::Corrupt { key, reason, .. } => Err(Error::Corrupt { key, reason }),
        }
    }

    /// The entries that `spec` selects, newest first, passing over corrupt ones; all of them without a spec.
    ///
    /// # Errors
    /// As [`list`](Self::list).
    pub fn selected(&self, spec: Option<&KernelSpec>) -> Result<Vec<Entry>, Error> {
        let is_meant = |entry: &&Entry| spec.is_none_or(|s| s.selects(entry.key(), entry.metadata().version));
        Ok(self.list()?.iter().filter_map(Slot::ready).filter(is_meant).cloned().collect())
    }

    /// The newest of them.
    ///
    /// # Errors
    /// As [`list`](Self::list).
    pub fn newest(&self, spec: Option<&KernelSpec>) -> Result<Option<Entry>, Error> {
        Ok(self.selected(spec)?.into_iter().next())
    }

    /// The SHA-256 sum of a file anywhere, remembered while the file does not change.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn sha256_of(&self, file: &Path) -> Result<Sha256Sum, Error> {
        Checksums::new(self.checksums()).of_file(file)
    }

    /// Where the sums of a source tree's files are remembered.
    pub(crate) fn tree_checksums(&self, tree: &Path) -> PathBuf {
        self.of_tree("tree", tree)
    }

    /// Where it is remembered in which state a source tree was, as long as it does not change.
    pub(crate) fn tree_snapshot(&self, tree: &Path) -> PathBuf {
        self.of_tree("snapshot", tree)
    }

    fn of_tree(&self, what: &str, tree: &Path) -> PathBuf {
        let name = Sha256Sum::of(tree.as_os_str().as_bytes()).to_string();
        self.checksums().join(format!("{what}-{}", &name[..16]))
    }

    fn checksums(&self) -> PathBuf {
        self.root.join("checksums")
    }

    /// Takes the right to write the entry `key`, waiting for the process that has it. Look again for the entry
    /// afterwards: that process may have written it.
    ///
    /// `on_wait` is called once before a wait.
    ///
    /// # Errors
    /// When the cache cannot be written.
    pub fn lock(&self, key: &str, on_wait: impl FnOnce()) -> Result<KeyLock, Error> {
        let file = lock_file(&self.kernels().join(LOCKS), key, on_wait)?;
        Ok(KeyLock { _file: file, key: key.to_owned() })
    }

    /// Begins to write the entry that `lock` is for.
    ///
    /// # Errors
    /// When the cache cannot be written.
    pub fn stage<'a>(&self, lock: &'a KeyLock) -> Result<StagedEntry<'a>, Error> {
        let dir = self.kernels().join(format!("{STAGING}{}", lock.key));
        // Left by a process that was killed; under the lock it is nobody's.
        remove_folder(&dir)?;
        fs::create_dir(&dir).map_err(Error::cache_io("create", &dir))?;
        Ok(StagedEntry { cache: self.clone(), lock, dir })
    }

    /// Moves a staged folder to its place, over what was there.
    pub(crate) fn publish(&self, staged: &Path, key: &str) -> Result<Entry, Error> {
        let dir = self.entry_dir(key);
        let removed = self.retire(key)?;
        fs::rename(staged, &dir).map_err(Error::cache_io("create", &dir))?;
        remove_folder(&removed)?;
        Entry::read(&dir).map_err(|reason| Error::Corrupt { key: key.to_owned(), reason })
    }

    /// Deletes a folder of the cache.
    ///
    /// # Errors
    /// [`Error::InUse`] when a process holds or writes the entry.
    pub fn remove(&self, slot: &Slot) -> Result<(), Error> {
        let key = slot.key();
        let in_use = || Error::InUse { key: key.to_owned() };
        let _writer = self.try_lock(key)?.ok_or_else(in_use)?;
        let dir = File::open(slot.dir()).map_err(Error::cache_io("open", slot.dir()))?;
        if !try_exclusive(&dir, slot.dir())? {
            return Err(in_use());
        }
        let removed = self.retire(key)?;
        remove_folder(&removed)
    }

    /// Deletes what killed processes left behind: staged, half-deleted and half-downloaded entries that nobody writes.
    ///
    /// # Errors
    /// When the cache cannot be read or written.
    pub fn sweep(&self) -> Result<(), Error> {
        for name in folder_names(&self.kernels())? {
            let key = name.strip_prefix(STAGING).or(name.strip_prefix(REMOVED));
            if let Some(key) = key
                && let Some(_writer) = self.try_lock(key)?
            {
                remove_folder(&self.kernels().join(&name))?;
            }
        }
        for download in self.leftovers()?.iter().filter(|one| one.kind() == LeftoverKind::Download) {
            match download.remove() {
                Err(Error::InUse { .. }) => {}
                other => other?,
            }
        }
        Ok(())
    }

    /// Where packages of interrupted fetches are kept.
    pub(crate) fn downloads(&self) -> PathBuf {
        self.root.join("downloads")
    }

    /// Deletes the objects and sources of builds, except where a process builds now. The next build of each source
    /// compiles everything again.
    ///
    /// # Errors
    /// When the cache cannot be read or written.
    pub fn remove_builds(&self) -> Result<(), Error> {
        for build in self.leftovers()?.iter().filter(|one| one.kind() == LeftoverKind::Build) {
            match build.remove() {
                Err(Error::InUse { .. }) => {}
                other => other?,
            }
        }
        Ok(())
    }

    /// What builds and interrupted fetches keep to be quicker the next time.
    ///
    /// # Errors
    /// When the cache cannot be read.
    pub fn leftovers(&self) -> Result<Vec<Leftover>, Error> {
        let builds = self.builds();
        let locks = self.kernels().join(LOCKS);
        let mut all = Vec::new();
        for name in folder_names(&builds)? {
            let lock = builds.join(format!(".{name}.lock"));
            all.push(Leftover::new(LeftoverKind::Build, builds.join(name), lock));
        }
        for name in folder_names(&self.downloads())? {
            let lock = locks.join(&name);
            all.push(Leftover::new(LeftoverKind::Download, self.downloads().join(name), lock));
        }
        Ok(all)
    }

    /// Where kernels are built.
    pub(crate) fn builds(&self) -> PathBuf {
        self.root.join("build")
    }

    fn try_lock(&self, key: &str) -> Result<Option<File>, Error> {
        let path = self.kernels().join(LOCKS).join(key);
        let file = open_lock(&path)?;
        Ok(try_exclusive(&file, &path)?.then_some(file))
    }

    /// Moves the entry out of sight, if there is one, so that no reader sees it half deleted.
    fn retire(&self, key: &str) -> Result<PathBuf, Error> {
        let removed = self.kernels().join(format!("{REMOVED}{key}"));
        remove_folder(&removed)?;
        match fs::rename(self.entry_dir(key), &removed) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Error::cache_io("remove", &self.entry_dir(key))(error))
            }
            _ => Ok(removed),
        }
    }
}

/// The names of the folders in `dir`, in order; none when it does not exist.
fn folder_names(dir: &Path) -> Result<Vec<String>, Error> {
    let read = |error| Error::cache_io("read", dir)(error);
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(read)?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(read)?;
        if entry.path().is_dir() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

pub(crate) fn remove_folder(dir: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::cache_io("remove", dir)(error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
