//! The folder in which a source is built, kept so that the next build compiles only what changed.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    time::SystemTime,
};

use crate::{Cache, Error, Progress, Sha256Sum, lock::lock_file};

/// `build/NAME/` in the cache, held by this process.
pub struct Workspace {
    dir: PathBuf,
    _lock: File,
}

impl Workspace {
    /// Takes the folder for builds of `what`, a path or an address, waiting for another process that builds there.
    pub fn open(cache: &Cache, what: &str, progress: &dyn Progress) -> Result<Self, Error> {
        let sum = Sha256Sum::of(what.as_bytes()).to_string();
        let word: String = what
            .rsplit(['/', '#'])
            .find(|part| !part.is_empty())
            .unwrap_or_default()
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || "._-".contains(*c))
            .take(40)
            .collect();
        let name = format!("{}-{}", word.trim_start_matches('.'), &sum[..8]);
        let builds = cache.builds();
        let wait = || progress.step(&format!("Waiting for another process that builds {what}"));
        let lock = lock_file(&builds, &format!(".{name}.lock"), wait)?;
        let dir = builds.join(name);
        fs::create_dir_all(&dir).map_err(Error::cache_io("create", &dir))?;
        Ok(Self { dir, _lock: lock })
    }

    /// Where sources go that are not built in their place.
    pub fn source(&self) -> PathBuf {
        self.dir.join("source")
    }

    /// What kbuild writes.
    pub fn objects(&self) -> PathBuf {
        self.dir.join("objects")
    }

    /// The configuration that was asked for, written when a build begins.
    pub fn asked(&self) -> PathBuf {
        self.objects().join("ktstr.kconfig")
    }

    /// When the last build began, if its objects are here.
    pub fn last_build(&self) -> Option<SystemTime> {
        fs::metadata(self.asked()).and_then(|file| file.modified()).ok()
    }

    /// The output of the last build.
    pub fn log(&self) -> PathBuf {
        self.dir.join("log")
    }

    /// Forgets the last build, but not the sources.
    pub fn clean(&self) -> Result<(), Error> {
        remove_folder(&self.objects())
    }

    /// Removes all but the log.
    pub fn discard(&self) -> Result<(), Error> {
        remove_folder(&self.objects())?;
        remove_folder(&self.source())
    }
}

pub fn remove_folder(dir: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::cache_io("remove", dir)(error))
        }
        _ => Ok(()),
    }
}
