//! One folder of the cache that can be removed at the price of time.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context as _, Result};
use ktstr_kernel::{Cache, Error, Leftover, LeftoverKind};
use ktstr_vm::{SavedKind, SavedMachine, saved_machines};
use serde::Serialize;

/// What it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    Template,
    LoadedTemplate,
    Build,
    Download,
}

impl Kind {
    pub const ALL: [Self; 4] = [Self::Template, Self::LoadedTemplate, Self::Build, Self::Download];

    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Template => "template",
            Self::LoadedTemplate => "loaded template",
            Self::Build => "build",
            Self::Download => "download",
        }
    }
}

/// One folder.
pub struct Item {
    pub kind: Kind,
    pub name: String,
    pub about: String,
    pub folder: PathBuf,
    /// On the disk.
    pub bytes: u64,
    pub made: SystemTime,
    pub used: SystemTime,
    pub in_use: bool,
    origin: Origin,
}

enum Origin {
    Saved(SavedMachine),
    Leftover(Leftover),
}

/// All of them, those used longest ago last.
pub fn items(cache: &Cache) -> Result<Vec<Item>> {
    let saved = saved_machines(cache.root()).into_iter().map(Item::of_saved);
    let leftovers = cache.leftovers()?.into_iter().map(Item::of_leftover);
    let mut items: Vec<_> = saved.chain(leftovers).collect();
    items.sort_by(|a, b| b.used.cmp(&a.used).then_with(|| a.name.cmp(&b.name)));
    Ok(items)
}

impl Item {
    fn of_saved(machine: SavedMachine) -> Self {
        let kind = match machine.kind {
            SavedKind::Template => Kind::Template,
            SavedKind::Loaded => Kind::LoadedTemplate,
        };
        Self {
            kind,
            name: name_of(&machine.folder),
            about: machine.about.clone(),
            folder: machine.folder.clone(),
            bytes: machine.bytes,
            made: machine.saved,
            used: machine.used,
            in_use: machine.in_use,
            origin: Origin::Saved(machine),
        }
    }

    fn of_leftover(leftover: Leftover) -> Self {
        let (kind, about) = match leftover.kind() {
            LeftoverKind::Build => (Kind::Build, "a kernel's objects and sources"),
            LeftoverKind::Download => (Kind::Download, "an interrupted fetch"),
        };
        Self {
            kind,
            name: name_of(leftover.dir()),
            about: about.to_owned(),
            folder: leftover.dir().to_owned(),
            bytes: leftover.bytes(),
            made: leftover.made(),
            used: leftover.used(),
            in_use: leftover.is_in_use(),
            origin: Origin::Leftover(leftover),
        }
    }

    /// Removes it; false when it stays because a process uses it.
    ///
    /// # Errors
    /// When it may not be removed.
    pub fn remove(&self) -> Result<bool> {
        match &self.origin {
            Origin::Saved(machine) => {
                machine.remove().with_context(|| format!("cannot remove {}", self.folder.display()))
            }
            Origin::Leftover(leftover) => match leftover.remove() {
                Ok(()) => Ok(true),
                Err(Error::InUse { .. }) => Ok(false),
                Err(error) => Err(error.into()),
            },
        }
    }
}

fn name_of(folder: &Path) -> String {
    folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
