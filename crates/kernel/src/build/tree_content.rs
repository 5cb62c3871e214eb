//! What a source tree holds: its version, and what tells it from every other state of it.

use std::{fs, path::Path};

use super::{
    tree_git::{GitState, git_state},
    tree_sum::remembered_sum_of,
    tree_walk::walk,
};
use crate::{Cache, Error, KernelVersion, tree::is_source_tree};

/// The first version with sched_ext.
pub const OLDEST: KernelVersion = KernelVersion::new(6, 12, 0);
/// What only a build inside the tree leaves there, and makes kbuild refuse to build elsewhere.
const BUILD_MARKS: [&str; 3] = [".config", "include/config", "arch/x86/include/generated"];

/// A source tree as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeContent {
    /// From its `Makefile`.
    pub version: KernelVersion,
    /// With git the commit and a hash of what differs from it; else a hash of all files' names and content.
    pub identity: String,
    /// Whether it has changes that its git does not have; unknown without git.
    pub is_changed: Option<bool>,
    /// Whether a kernel was built inside it.
    pub is_built_in_place: bool,
}

impl TreeContent {
    /// The version of a tree that ktstr can build.
    ///
    /// # Errors
    /// When it is no source tree of Linux, or too old.
    pub fn version_of(tree: &Path) -> Result<KernelVersion, Error> {
        if !is_source_tree(tree) {
            return Err(Error::NotATree { path: tree.to_owned() });
        }
        let version = makefile_version(tree)?;
        require_new_enough(version)?;
        Ok(version)
    }

    /// Reads the tree, and changes nothing in it. The cache remembers the sums of its files.
    ///
    /// # Errors
    /// When it is no source tree of Linux, is too old, or cannot be read.
    pub fn read(tree: &Path, cache: &Cache) -> Result<Self, Error> {
        let version = Self::version_of(tree)?;
        let is_built_in_place = BUILD_MARKS.iter().any(|mark| tree.join(mark).exists());
        let (identity, is_changed) = match git_state(tree)? {
            Some(GitState { commit, changes: None }) => (commit, Some(false)),
            Some(GitState { commit, changes: Some(changes) }) => (format!("{commit}+{changes}"), Some(true)),
            None => {
                let files = walk(tree)?;
                (remembered_sum_of(tree, &files, &cache.tree_checksums(tree))?.to_string(), None)
            }
        };
        Ok(Self { version, identity, is_changed, is_built_in_place })
    }
}

/// [`TreeContent::identity`] of a tree.
///
/// # Errors
/// As [`TreeContent::read`].
pub(crate) fn tree_identity(tree: &Path, cache: &Cache) -> Result<String, Error> {
    TreeContent::read(tree, cache).map(|content| content.identity)
}

/// Refuses versions that no sched_ext scheduler can run on.
pub fn require_new_enough(version: KernelVersion) -> Result<(), Error> {
    if version < (KernelVersion { rc: Some(0), ..OLDEST }) { Err(Error::TooOld { version }) } else { Ok(()) }
}

fn makefile_version(tree: &Path) -> Result<KernelVersion, Error> {
    let path = tree.join("Makefile");
    let text = fs::read_to_string(&path).map_err(Error::io("read", &path))?;
    let value = |name: &str| {
        let mut values =
            text.lines().take(10).filter_map(|line| line.strip_prefix(name)?.trim().strip_prefix('='));
        values.next().unwrap_or_default().trim()
    };
    let release =
        [value("VERSION"), value("PATCHLEVEL"), value("SUBLEVEL")].join(".") + value("EXTRAVERSION");
    KernelVersion::from_release(&release).map_err(|_| Error::NotATree { path: tree.to_owned() })
}
