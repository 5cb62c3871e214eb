//! The disk of the machine, for the files of workers.

use std::fs;
use std::path::Path;

use rustix::mount::{MountFlags, mount};

use crate::error::{GuestError, on_file};

/// Where it is mounted.
pub(crate) const FOLDER: &str = "/disk";
/// The first virtio disk.
const DEVICE: &str = "/dev/vda";

/// Mounts it.
///
/// # Errors
/// When the kernel has no driver for it, or cannot mount it.
pub(crate) fn mount_it() -> Result<(), GuestError> {
    let device = Path::new(DEVICE);
    fs::create_dir_all(FOLDER).map_err(on_file("create", Path::new(FOLDER)))?;
    mount(DEVICE, FOLDER, "ext4", MountFlags::NOATIME, None)
        .map_err(|errno| on_file("mount the disk", device)(errno.into()))
}
