//! Linux source and build trees on disk.

use std::path::{Path, PathBuf};

const IMAGE: &str = "arch/x86/boot/bzImage";

/// The image in a built tree, if it has been built.
pub(crate) fn built_image(tree: &Path) -> Option<PathBuf> {
    Some(tree.join(IMAGE)).filter(|image| image.is_file())
}

/// The tree that an image lies in, going by its path; its other name `arch/x86_64` is a link.
pub(crate) fn tree_of(image: &Path) -> Option<&Path> {
    let boot = image.parent()?;
    let arch = boot.parent()?;
    let is_built = boot.ends_with("boot") && (arch.ends_with("arch/x86") || arch.ends_with("arch/x86_64"));
    is_built.then(|| arch.parent()?.parent()).flatten()
}

/// Whether a folder looks like the top of Linux's sources.
pub(crate) fn is_source_tree(dir: &Path) -> bool {
    ["Makefile", "Kbuild", "Kconfig", "kernel/sched/core.c"].iter().all(|file| dir.join(file).is_file())
}
