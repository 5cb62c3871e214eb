//! What lies under `kernels/` in the cache, whole or not.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::Entry;

/// A folder under `kernels/`.
#[derive(Clone, Debug)]
pub enum Slot {
    /// A whole entry.
    Ready(Entry),
    /// A folder that is not one.
    Corrupt {
        /// Its name.
        key: String,
        /// Where it is.
        dir: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

impl Slot {
    /// The folder's name.
    pub fn key(&self) -> &str {
        match self {
            Self::Ready(entry) => entry.key(),
            Self::Corrupt { key, .. } => key,
        }
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        match self {
            Self::Ready(entry) => entry.dir(),
            Self::Corrupt { dir, .. } => dir,
        }
    }

    /// The entry, if it is whole.
    pub fn ready(&self) -> Option<&Entry> {
        match self {
            Self::Ready(entry) => Some(entry),
            Self::Corrupt { .. } => None,
        }
    }

    /// The space it takes, in bytes.
    pub fn bytes(&self) -> u64 {
        folder_bytes(self.dir())
    }

    pub(crate) fn read(key: &str, dir: PathBuf) -> Self {
        match Entry::read(&dir) {
            Ok(entry) => Self::Ready(entry),
            Err(reason) => Self::Corrupt { key: key.to_owned(), dir, reason },
        }
    }
}

fn folder_bytes(dir: &Path) -> u64 {
    let files = fs::read_dir(dir).into_iter().flatten().flatten();
    files.filter_map(|file| file.metadata().ok()).map(|file| file.len()).sum()
}
