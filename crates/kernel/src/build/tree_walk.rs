//! The files that the sources of a tree are, where git cannot tell.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::Error;

/// What lies below a tree, relative to it.
pub struct Walked {
    /// With the tree itself, as an empty path.
    pub folders: Vec<PathBuf>,
    /// In order.
    pub files: Vec<PathBuf>,
}

/// The folders and files below `tree`, without those that are left out and what lies in them.
pub fn walk(tree: &Path, is_left_out: impl Fn(&Path) -> bool) -> Result<Walked, Error> {
    let mut files = Vec::new();
    let mut folders = vec![PathBuf::new()];
    let mut next = 0;
    while let Some(folder) = folders.get(next).cloned() {
        next += 1;
        let dir = tree.join(&folder);
        for entry in fs::read_dir(&dir).map_err(Error::io("read", &dir))? {
            let entry = entry.map_err(Error::io("read", &dir))?;
            let path = folder.join(entry.file_name());
            let kind = entry.file_type().map_err(Error::io("read", &dir))?;
            if is_left_out(&path) {
            } else if kind.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    // As bytes: comparing paths part by part takes seconds for this many.
    files.sort_unstable_by(|a, b| a.as_os_str().cmp(b.as_os_str()));
    Ok(Walked { folders, files })
}

/// Whether it is git's own folder (or file, in a work tree).
pub fn is_git(path: &Path) -> bool {
    path == Path::new(".git")
}

/// Whether it is git's, or a build leaves a file or folder of this name.
pub fn is_product(path: &Path) -> bool {
    const PLACES: [&str; 6] = [
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
    is_git(path)
        || PLACES.iter().any(|place| path == Path::new(place))
        || NAMES.contains(&name.as_ref())
        || ENDS.iter().any(|end| name.ends_with(end))
}
