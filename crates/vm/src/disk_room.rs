//! Room on the disk for saved machines.

use std::path::Path;

use rustix::process::Signal;

use crate::error::VmError;
use crate::machine::Stop;

/// Checks that `needed_mb` MiB are free where `folder` is.
pub(crate) fn check(folder: &Path, needed_mb: u64) -> Result<(), VmError> {
    let disk = rustix::fs::statvfs(folder).map_err(VmError::system("statvfs"))?;
    let free_mb = (disk.f_bavail * disk.f_frsize) >> 20;
    if free_mb >= needed_mb { Ok(()) } else { Err(full(folder, free_mb, needed_mb)) }
}

/// Whether a machine whose RAM is a file ended because the disk was full: QEMU then gets a SIGBUS.
pub(crate) fn was_full(stop: &Stop) -> bool {
    stop.signal() == Some(Signal::BUS.as_raw())
}

/// The error that says so.
pub(crate) fn full(folder: &Path, free_mb: u64, needed_mb: u64) -> VmError {
    VmError::DiskFull { path: folder.to_owned(), free_mb, needed_mb }
}
