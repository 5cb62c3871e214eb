//! What git knows of a source tree. Nothing is written into the tree.

use std::{
    ffi::OsStr,
    io,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use super::tree_sum::sum_of;
use crate::{Error, Sha256Sum, program::git_command};

/// What is checked out.
pub struct GitState {
    /// The commit.
    pub commit: String,
    /// Of what differs from it, if anything does.
    pub changes: Option<Sha256Sum>,
}

/// The commit that is checked out; `None` where there is no git, or it refuses (the tree is another user's, say).
pub fn head(tree: &Path) -> Option<String> {
    if !tree.join(".git").exists() {
        return None;
    }
    let commit = git(tree, &["rev-parse", "--verify", "-q", "HEAD"]).ok()?;
    Some(String::from_utf8_lossy(&commit).trim().to_owned())
}

/// The state of a tree of which `commit` is checked out.
pub fn git_state(tree: &Path, commit: String) -> Result<GitState, Error> {
    let mut changes = git(tree, &["diff", "--binary", "--no-ext-diff", "--no-textconv", "HEAD"])?;
    let new: Vec<_> = paths(&git(tree, &["ls-files", "-z", "--others", "--exclude-standard"])?).collect();
    if changes.is_empty() && new.is_empty() {
        return Ok(GitState { commit, changes: None });
    }
    changes.extend_from_slice(sum_of(tree, &new)?.to_string().as_bytes());
    Ok(GitState { commit, changes: Some(Sha256Sum::of(&changes)) })
}

/// The files that git knows of or would take, in order; `None` as for [`head`].
#[cfg(feature = "get")]
pub fn git_files(tree: &Path) -> Result<Option<Vec<PathBuf>>, Error> {
    if head(tree).is_none() {
        return Ok(None);
    }
    let listed = git(tree, &["ls-files", "-z", "--cached", "--others", "--exclude-standard"])?;
    let mut files: Vec<_> =
        paths(&listed).filter(|file| tree.join(file).symlink_metadata().is_ok()).collect();
    files.sort_unstable_by(|a, b| a.as_os_str().cmp(b.as_os_str()));
    files.dedup();
    Ok(Some(files))
}

/// git, kept from refreshing its index: the tree is the user's.
fn git(tree: &Path, arguments: &[&str]) -> Result<Vec<u8>, Error> {
    let mut command = git_command();
    command.env("GIT_OPTIONAL_LOCKS", "0").arg("-C").arg(tree).args(arguments);
    let output = command.output().map_err(Error::io("run git in", tree))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(Error::io("read with git", tree)(io::Error::other(said)))
}

fn paths(listed: &[u8]) -> impl Iterator<Item = PathBuf> {
    listed
        .split(|b| *b == 0)
        .filter(|name| !name.is_empty())
        .map(|name| PathBuf::from(OsStr::from_bytes(name)))
}
