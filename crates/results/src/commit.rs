//! Which commit of the workspace under test was run.

use std::fmt;
use std::path::Path;
use std::process::Command;

use serde::{Deserialize, Serialize};

/// A commit of the workspace under test.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", from = "String")]
pub struct Commit {
    /// The beginning of its hash, as long as git finds it unique; `nogit` where there is none.
    pub short: String,
    /// Whether files that git knows were changed since.
    pub is_dirty: bool,
}

/// The mark of changed files.
const DIRTY: &str = "-dirty";

impl Commit {
    /// No commit: the workspace is not in git, has no commit yet, or git is not there.
    pub fn none() -> Self {
        Self { short: "nogit".to_owned(), is_dirty: false }
    }

    /// Asks git about the work tree that `folder` is in. Takes some milliseconds, more in large trees.
    pub fn of_work_tree(folder: &Path) -> Self {
        let mut git = Command::new("git");
        git.arg("-C").arg(folder).args(["describe", "--always", "--dirty", "--abbrev=7", "--exclude=*"]);
        let said = git.output().ok().filter(|output| output.status.success());
        let said = said.and_then(|output| String::from_utf8(output.stdout).ok());
        said.map_or_else(Self::none, |text| text.trim().to_owned().into())
    }
}

impl fmt::Display for Commit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.short, if self.is_dirty { DIRTY } else { "" })
    }
}

impl From<Commit> for String {
    fn from(commit: Commit) -> Self {
        commit.to_string()
    }
}

impl From<String> for Commit {
    fn from(text: String) -> Self {
        match text.strip_suffix(DIRTY) {
            Some(short) => Self { short: short.to_owned(), is_dirty: true },
            None => Self { short: text, is_dirty: false },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_work_tree_is_asked_for_its_commit_and_for_changes() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Commit::of_work_tree(folder.path()), Commit::none());
        let git = |arguments: &[&str]| {
            let identity =
                ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"];
            let mut git = Command::new("git");
            let status =
                git.arg("-C").arg(folder.path()).args(identity).args(arguments).output().unwrap().status;
            assert!(status.success(), "{arguments:?}");
        };
        git(&["init", "--quiet"]);
        assert_eq!(Commit::of_work_tree(folder.path()), Commit::none());
        fs::write(folder.path().join("file"), "one").unwrap();
        git(&["add", "file"]);
        git(&["commit", "--quiet", "--message", "one"]);
        git(&["tag", "v1"]);
        let clean = Commit::of_work_tree(folder.path());
        assert!(!clean.is_dirty && clean.short.len() >= 7, "{clean}");
        fs::write(folder.path().join("file"), "two").unwrap();
        assert_eq!(Commit::of_work_tree(folder.path()), Commit { is_dirty: true, ..clean });
    }

    #[test]
    fn is_written_as_one_word() {
        for text in ["abc1234", "abc1234-dirty", "nogit"] {
            assert_eq!(Commit::from(text.to_owned()).to_string(), text);
        }
        assert!(Commit::from("abc1234-dirty".to_owned()).is_dirty);
    }
}
