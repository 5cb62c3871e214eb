//! The saved machines in a cache, for people who want to see or remove them.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde_json::Value;

use crate::eviction;
use crate::loaded::LOADED;
use crate::saved::{RECORD, STATE};
use crate::template::TEMPLATES;

/// What a saved machine is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SavedKind {
    /// A template: serves every payload.
    Template,
    /// A template with one payload in it.
    Loaded,
}

/// A saved machine on disk, whole or not.
#[derive(Clone, Debug)]
pub struct SavedMachine {
    /// What it is for.
    pub kind: SavedKind,
    /// Its folder.
    pub folder: PathBuf,
    /// What it is, as far as its record tells: topology, mode, kernel.
    pub about: String,
    /// Bytes of the disk that it takes.
    pub bytes: u64,
    /// When it was saved.
    pub saved: SystemTime,
    /// When a run used it last.
    pub used: SystemTime,
    /// Whether a process uses it, or builds it, now.
    pub in_use: bool,
}

/// All saved machines in `cache`; one whose folder cannot be read is left out.
pub fn saved_machines(cache: &Path) -> Vec<SavedMachine> {
    let of_kind = |(kind, name): (SavedKind, &str)| {
        let entries = fs::read_dir(cache.join(name)).into_iter().flatten().flatten();
        entries.filter_map(move |entry| SavedMachine::read(kind, entry.path())).collect::<Vec<_>>()
    };
    [(SavedKind::Template, TEMPLATES), (SavedKind::Loaded, LOADED)].into_iter().flat_map(of_kind).collect()
}

impl SavedMachine {
    fn read(kind: SavedKind, folder: PathBuf) -> Option<Self> {
        if !folder.is_dir() {
            return None;
        }
        let built = fs::metadata(&folder).and_then(|folder| folder.modified()).ok()?;
        let saved = fs::metadata(folder.join(STATE)).and_then(|file| file.modified()).unwrap_or(built);
        Some(Self {
            kind,
            about: if eviction::is_half(&folder) { "being built".to_owned() } else { about(&folder) },
            bytes: eviction::size(&folder).ok()?,
            saved,
            used: eviction::used(&folder).unwrap_or(saved),
            in_use: eviction::is_held(&eviction::lock_of(&folder)),
            folder,
        })
    }

    /// Removes it from the disk; false when it stays because a process uses it.
    ///
    /// # Errors
    /// When the folder may not be changed.
    pub fn remove(&self) -> io::Result<bool> {
        let lock = eviction::lock_of(&self.folder);
        if lock.exists() {
            return eviction::remove_unless_held(&self.folder, &lock);
        }
        // Without its record nobody can use it.
        fs::remove_dir_all(&self.folder).map(|()| true)
    }
}

/// Removes what is left in `cache` of saved machines that are gone: the files by which their builders locked each other out.
pub fn remove_idle_locks(cache: &Path) {
    [TEMPLATES, LOADED].iter().for_each(|name| eviction::remove_idle_locks(&cache.join(name)));
}

fn about(folder: &Path) -> String {
    let record: Option<Value> =
        File::open(folder.join(RECORD)).ok().and_then(|file| serde_json::from_reader(file).ok());
    let Some(record) = record else { return "without a record".to_owned() };
    let fields = ["topology", "mode", "kernel_release"].map(|name| record[name].as_str().unwrap_or_default());
    fields.join(" ").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_in_use_and_stays() {
        let cache = tempfile::tempdir().unwrap();
        let templates = cache.path().join(TEMPLATES);
        for name in ["a", "b", "c.half"] {
            fs::create_dir_all(templates.join(name)).unwrap();
        }
        fs::write(templates.join("a").join(RECORD), r#"{"topology": "1n1l1c1t", "mode": "deterministic"}"#)
            .unwrap();
        let lock = File::create(templates.join("c.lock")).unwrap();
        lock.lock().unwrap();
        let held = eviction::hold(&templates.join("a")).unwrap();
        let list = || {
            let mut machines = saved_machines(cache.path());
            machines.sort_by_key(|machine| machine.folder.clone());
            machines
        };
        let seen: Vec<_> = list().iter().map(|one| (one.about.clone(), one.in_use)).collect();
        assert_eq!(
            seen,
            [
                ("1n1l1c1t deterministic".to_owned(), true),
                ("without a record".to_owned(), false),
                ("being built".to_owned(), true)
            ]
        );
        let removed: Vec<_> = list().iter().map(|one| one.remove().unwrap()).collect();
        assert_eq!(removed, [false, true, false]);
        drop((held, lock));
        let removed: Vec<_> = list().iter().map(|one| one.remove().unwrap()).collect();
        assert_eq!(removed, [true, true]);
        assert!(list().is_empty());
        remove_idle_locks(cache.path());
        assert_eq!(fs::read_dir(&templates).unwrap().count(), 0, "the lock file goes too");
    }
}
