//! Stand-ins for kernels in unit tests.

use std::{fs, path::Path};

use crate::{Cache, Entry, KernelVersion, Origin, StagedEntry};

/// The least that passes for an image of `release`.
pub(crate) fn image_bytes(release: &str) -> Vec<u8> {
    let mut image = vec![0; 0x800];
    image[0x1f1] = 2;
    image[0x1fe..0x200].copy_from_slice(&[0x55, 0xaa]);
    image[0x202..0x206].copy_from_slice(b"HdrS");
    image[0x20e..0x210].copy_from_slice(&0x200u16.to_le_bytes());
    image[0x236] = 1;
    let text = format!("{release} (builder@host) #1 SMP\0");
    image[0x400..0x400 + text.len()].copy_from_slice(text.as_bytes());
    image
}

/// A configuration as kbuild writes it.
pub(crate) fn config_text(version: KernelVersion, sched_ext: bool) -> String {
    let symbol = if sched_ext { "CONFIG_SCHED_CLASS_EXT=y" } else { "# CONFIG_SCHED_CLASS_EXT is not set" };
    let KernelVersion { major, minor, patch, .. } = version;
    format!("#\n# Linux/x86 {major}.{minor}.{patch} Kernel Configuration\n#\nCONFIG_SMP=y\n{symbol}\n")
}

/// Fills a staged entry with a kernel of `release`.
pub(crate) fn fill(staged: &StagedEntry, release: &str, sched_ext: bool) {
    let version = KernelVersion::from_release(release).unwrap();
    fs::write(staged.image(), image_bytes(release)).unwrap();
    fs::write(staged.config(), config_text(version, sched_ext)).unwrap();
}

/// Puts a kernel into the cache under `release` as its key.
pub(crate) fn add(cache: &Cache, release: &str) -> Entry {
    let lock = cache.lock(release, || ()).unwrap();
    let staged = cache.stage(&lock).unwrap();
    fill(&staged, release, true);
    staged.commit(Origin::Debian { packages: Vec::new() }).unwrap()
}

/// Writes an image of `release`, and the folders above it.
pub(crate) fn write_image(path: &Path, release: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, image_bytes(release)).unwrap();
}
