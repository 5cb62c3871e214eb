//! Copying a tree that kbuild refuses to build out of: one in which a kernel was built.

use std::{
    fs, io,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    time::SystemTime,
};

use super::{
    tree_git::git_files,
    tree_walk::{is_product, walk},
};
use crate::Error;

/// Brings the folder `copy` to the state of the tree's sources. Files that did not change are left alone, so that an
/// incremental build stays one.
pub fn export(tree: &Path, copy: &Path) -> Result<(), Error> {
    let files = source_files(tree)?;
    remove_others(copy, Path::new(""), &files)?;
    for file in files {
        let (from, to) = (tree.join(&file), copy.join(&file));
        let parent = to.parent().unwrap_or(copy);
        fs::create_dir_all(parent).map_err(Error::cache_io("create", parent))?;
        copy_file(&from, &to).map_err(Error::cache_io("write", &to))?;
    }
    Ok(())
}

/// The files of the tree that its sources are, relative to it: those git knows of or would take, else all but what
/// builds leave.
pub fn source_files(tree: &Path) -> Result<Vec<PathBuf>, Error> {
    git_files(tree)?.map_or_else(|| Ok(walk(tree, is_product)?.files), Ok)
}

fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    let source = fs::symlink_metadata(from)?;
    if source.is_symlink() {
        let target = fs::read_link(from)?;
        if fs::read_link(to).is_ok_and(|known| known == target) {
            return Ok(());
        }
        let _ = fs::remove_file(to);
        return symlink(target, to);
    }
    let stamp = |file: &fs::Metadata| (file.len(), file.modified().unwrap_or(SystemTime::UNIX_EPOCH));
    if fs::symlink_metadata(to).is_ok_and(|known| known.is_file() && stamp(&known) == stamp(&source)) {
        return Ok(());
    }
    let _ = fs::remove_file(to);
    fs::copy(from, to)?;
    // make goes by times.
    fs::File::open(to)?.set_modified(stamp(&source).1)
}

/// Removes what the tree no longer has: kbuild takes a file that it finds.
fn remove_others(copy: &Path, below: &Path, files: &[PathBuf]) -> Result<(), Error> {
    let dir = copy.join(below);
    let entries = match fs::read_dir(&dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other.map_err(Error::cache_io("read", &dir))?,
    };
    for entry in entries {
        let entry = entry.map_err(Error::cache_io("read", &dir))?;
        let path = below.join(entry.file_name());
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_others(copy, &path, files)?;
        } else if files.binary_search_by(|file| file.as_os_str().cmp(path.as_os_str())).is_err() {
            fs::remove_file(entry.path()).map_err(Error::cache_io("remove", &entry.path()))?;
        }
    }
    Ok(())
}
