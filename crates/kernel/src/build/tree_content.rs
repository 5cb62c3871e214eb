//! What a source tree holds: its version, and what tells it from every other state of it.

use std::{
    ffi::OsStr,
    fs,
    io::{self, Read},
    os::unix::{ffi::OsStrExt, fs::MetadataExt},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use super::git::git_command;
use crate::{Error, KernelVersion, Sha256Sum, tree::is_source_tree};

/// The first version with sched_ext.
pub const OLDEST: KernelVersion = KernelVersion::new(6, 12, 0);
/// What only a build inside the tree leaves there, and makes kbuild refuse to build elsewhere.
const BUILD_MARKS: [&str; 3] = [".config", "include/config", "arch/x86/include/generated"];

/// A source tree as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeContent {
    /// From its `Makefile`.
    pub version: KernelVersion,
    /// With git the commit and a hash of what differs from it; else a hash of all files' names, lengths and times.
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

    /// Reads the tree, and changes nothing in it.
    ///
    /// # Errors
    /// When it is no source tree of Linux, is too old, or cannot be read.
    pub fn read(tree: &Path) -> Result<Self, Error> {
        let version = Self::version_of(tree)?;
        let is_built_in_place = BUILD_MARKS.iter().any(|mark| tree.join(mark).exists());
        let (identity, is_changed) = match git_state(tree)? {
            Some((commit, changes)) => (
                changes.as_ref().map_or(commit.clone(), |c| format!("{commit}+{c}")),
                Some(changes.is_some()),
            ),
            None => (hash_stamps(tree, &walk(tree)?)?, None),
        };
        Ok(Self { version, identity, is_changed, is_built_in_place })
    }
}

/// [`TreeContent::identity`] of a tree.
///
/// # Errors
/// As [`TreeContent::read`].
pub(crate) fn tree_identity(tree: &Path) -> Result<String, Error> {
    TreeContent::read(tree).map(|content| content.identity)
}

/// Refuses versions that no sched_ext scheduler can run on.
pub fn require_new_enough(version: KernelVersion) -> Result<(), Error> {
    if version < (KernelVersion { rc: Some(0), ..OLDEST }) { Err(Error::TooOld { version }) } else { Ok(()) }
}

/// The files of the tree that its sources are, relative to it: those git knows of or would take, else all but what
/// builds leave.
pub fn source_files(tree: &Path) -> Result<Vec<PathBuf>, Error> {
    if !is_git_top(tree) {
        return walk(tree);
    }
    let listed = git(tree, &["ls-files", "-z", "--cached", "--others", "--exclude-standard"])?;
    let mut files: Vec<_> =
        paths(&listed).filter(|file| tree.join(file).symlink_metadata().is_ok()).collect();
    files.sort_unstable_by(|a, b| a.as_os_str().cmp(b.as_os_str()));
    files.dedup();
    Ok(files)
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

/// A tree whose git refuses (it is another user's, say) counts as one without.
fn is_git_top(tree: &Path) -> bool {
    tree.join(".git").exists() && git(tree, &["rev-parse", "--verify", "-q", "HEAD"]).is_ok()
}

/// The commit that is checked out, and a hash of what differs from it.
fn git_state(tree: &Path) -> Result<Option<(String, Option<String>)>, Error> {
    if !is_git_top(tree) {
        return Ok(None);
    }
    let commit = String::from_utf8_lossy(&git(tree, &["rev-parse", "HEAD"])?).trim().to_owned();
    let changes = git(tree, &["diff", "--binary", "--no-ext-diff", "--no-textconv", "HEAD"])?;
    let new: Vec<_> = paths(&git(tree, &["ls-files", "-z", "--others", "--exclude-standard"])?).collect();
    if changes.is_empty() && new.is_empty() {
        return Ok(Some((commit, None)));
    }
    let mut hasher = Sha256::new();
    hasher.update(&changes);
    hasher.update(hash_files(tree, &new)?);
    Ok(Some((commit, Some(hex(hasher)))))
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

/// Files below `tree`, without those that a build makes, in order.
fn walk(tree: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut files = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        let dir = tree.join(&folder);
        for entry in fs::read_dir(&dir).map_err(Error::io("read", &dir))? {
            let entry = entry.map_err(Error::io("read", &dir))?;
            let path = folder.join(entry.file_name());
            let kind = entry.file_type().map_err(Error::io("read", &dir))?;
            if is_product(&path) {
            } else if kind.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    // As bytes: comparing paths part by part takes seconds for this many.
    files.sort_unstable_by(|a, b| a.as_os_str().cmp(b.as_os_str()));
    Ok(files)
}

/// Whether a build leaves a file or folder of this name.
fn is_product(path: &Path) -> bool {
    const PLACES: [&str; 7] = [
        ".git",
        ".config",
        ".config.old",
        "include/config",
        "include/generated",
        "arch/x86/include/generated",
        "arch/x86/boot/bzImage",
    ];
    const NAMES: [&str; 8] = [
        "vmlinux",
        "vmlinux.unstripped",
        "System.map",
        "Module.symvers",
        "modules.order",
        "modules.builtin",
        ".version",
        ".tmp_vmlinux1",
    ];
    const ENDS: [&str; 6] = [".o", ".a", ".ko", ".cmd", ".d", ".o.d"];
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    PLACES.iter().any(|place| path == Path::new(place))
        || NAMES.contains(&name.as_ref())
        || ENDS.iter().any(|end| name.ends_with(end))
}

/// A hash of the files' names, lengths and modification times. make goes by the same times, so what it would not see
/// is not built either; reading all of the sources would take longer than some builds.
fn hash_stamps(tree: &Path, files: &[PathBuf]) -> Result<String, Error> {
    let mut text = Vec::new();
    for file in files {
        let path = tree.join(file);
        let found = fs::symlink_metadata(&path).map_err(Error::io("read", &path))?;
        text.extend_from_slice(file.as_os_str().as_bytes());
        text.extend_from_slice(
            format!("\0{} {} {}\n", found.len(), found.mtime(), found.mtime_nsec()).as_bytes(),
        );
    }
    Ok(Sha256Sum::of(&text).to_string())
}

fn hash_files(tree: &Path, files: &[PathBuf]) -> Result<String, Error> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    for file in files {
        let path = tree.join(file);
        let kind = fs::symlink_metadata(&path).map_err(Error::io("read", &path))?;
        let name = file.as_os_str().as_bytes();
        hasher.update((name.len() as u64).to_le_bytes());
        hasher.update(name);
        hasher.update(kind.len().to_le_bytes());
        if kind.is_symlink() {
            let target = fs::read_link(&path).map_err(Error::io("read", &path))?;
            hasher.update(target.as_os_str().as_bytes());
        } else if kind.is_file() {
            let mut content = fs::File::open(&path).map_err(Error::io("read", &path))?;
            loop {
                match content.read(&mut buffer).map_err(Error::io("read", &path))? {
                    0 => break,
                    n => hasher.update(&buffer[..n]),
                }
            }
        }
    }
    Ok(hex(hasher))
}

fn hex(hasher: Sha256) -> String {
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
