//! What a source tree holds: its version, and what tells it from every other state of it.

use std::{fs, path::Path, time::SystemTime};

use super::{
    tree_git::{GitState, git_state, head},
    tree_snapshot::{self, TreeSnapshot, TreeState},
    tree_sum::remembered_sum_of,
    tree_walk::{is_git, is_product, walk},
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
        fs::metadata(tree).map_err(Error::io("read", tree))?;
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
        let TreeState { identity, is_changed, .. } = read_state(tree, cache)?;
        Ok(Self { version, identity, is_changed, is_built_in_place })
    }
}

/// What was found the last time, as long as nothing has changed since.
fn read_state(tree: &Path, cache: &Cache) -> Result<TreeState, Error> {
    let (commit, snapshots) = (head(tree), cache.tree_snapshot(tree));
    if let Some(known) = tree_snapshot::unchanged(tree, &snapshots, commit.as_deref()) {
        return Ok(known);
    }
    // The time before the folders, these before the stamps and those before the content, so that a change in between
    // shows the next time.
    let now = SystemTime::now();
    // Of a git tree more than its sources: of those, some may have the name of a product, which git knows.
    let walked = walk(tree, if commit.is_some() { is_git } else { is_product });
    // What cannot be read may be none of git's business.
    let snapshot = walked.as_ref().ok().and_then(|walked| TreeSnapshot::take(tree, walked, now).ok());
    let (identity, is_changed) = match commit.clone() {
        Some(commit) => match git_state(tree, commit)? {
            GitState { commit, changes: None } => (commit, Some(false)),
            GitState { commit, changes: Some(changes) } => (format!("{commit}+{changes}"), Some(true)),
        },
        None => {
            let sum = remembered_sum_of(tree, &walked?.files, &cache.tree_checksums(tree))?;
            (sum.to_string(), None)
        }
    };
    let state = TreeState { identity, is_changed, commit };
    if let Some(snapshot) = snapshot {
        snapshot.keep(&snapshots, &state);
    }
    Ok(state)
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
