//! Where the sources of a kernel come from.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

#[cfg(feature = "get")]
use crate::KernelSpec;
use crate::Sha256Sum;

/// The sources that a build is asked for.
#[cfg(feature = "get")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuildSource {
    /// A release from kernel.org: a version, the newest of a series or range, or without one the newest of the newest
    /// stable series that is not brand new.
    Release(Option<KernelSpec>),
    /// A source tree; nothing is written into it.
    Tree(PathBuf),
    /// A git repository at one point, cloned without its history.
    Git {
        /// What `git fetch` is given.
        url: String,
        /// A branch, a tag or a commit.
        reference: String,
    },
}

/// The sources that a kernel was built from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum SourceRecord {
    /// A release's archive.
    Release {
        /// Its address.
        url: String,
        /// Of the archive.
        sha256: Sha256Sum,
        /// Whether the mirror's list of sums had the same.
        is_listed: bool,
    },
    /// A tree on this host.
    Tree {
        /// Its path.
        path: PathBuf,
        /// The commit, the commit and a hash of the changes, or a hash of all files' names and content.
        identity: String,
        /// Whether it had changes that its git did not have; unknown without git.
        is_changed: Option<bool>,
    },
    /// A git repository.
    Git {
        /// Its address.
        url: String,
        /// What was asked for.
        reference: String,
        /// The commit that this was.
        commit: String,
    },
}

impl SourceRecord {
    /// What identifies the content, whatever its place.
    pub fn identity(&self) -> String {
        match self {
            Self::Release { sha256, .. } => format!("release {sha256}"),
            Self::Tree { identity, .. } => format!("tree {identity}"),
            // The same commit is the same content as in a tree without changes.
            Self::Git { commit, .. } => format!("tree {commit}"),
        }
    }

    /// Whether the sources had changes of which there may be no other copy.
    pub fn is_changed(&self) -> bool {
        matches!(self, Self::Tree { is_changed: Some(true), .. })
    }
}
