//! Files that workers read and write.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use rustix::fs::{Mode, OFlags, fdatasync, fstatfs};
use rustix::io::Errno;

use super::work::{Trouble, trouble, unless_interrupted};
use crate::guest_disk;

/// Where files are when the machine has no disk.
const IN_MEMORY: &str = "/tmp";
/// `TMPFS_MAGIC` of `linux/magic.h`.
const TMPFS: u64 = 0x0102_1994;
/// `EXT4_SUPER_MAGIC` of `linux/magic.h`.
const EXT4: u64 = 0xef53;

/// The disk where there is one, else a tmpfs.
fn folder() -> &'static str {
    if Path::new(guest_disk::FOLDER).is_dir() { guest_disk::FOLDER } else { IN_MEMORY }
}

/// A file without a name, gone with the last who has it open.
pub(crate) struct WorkFile(File);

impl WorkFile {
    /// A file of `len` bytes, all written.
    ///
    /// # Errors
    /// When there is no room for it.
    pub(crate) fn new(len: usize, flags: OFlags) -> Result<Self, Errno> {
        let flags = flags | OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
        let file = File::from(rustix::fs::open(folder(), flags, Mode::RUSR | Mode::WUSR)?);
        let zeroes = vec![0; len];
        file.write_all_at(&zeroes, 0).map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
        Ok(Self(file))
    }

    /// Which storage it is on, in words for a report.
    pub(crate) fn storage(&self) -> String {
        match fstatfs(&self.0).map(|found| found.f_type as u64) {
            Ok(TMPFS) => format!("storage: tmpfs in {IN_MEMORY}, no disk"),
            Ok(EXT4) => format!("storage: ext4 on a virtio disk in {}", guest_disk::FOLDER),
            Ok(other) => format!("storage: file system {other:#x} in {}", folder()),
            Err(errno) => format!("storage: unknown, in {} ({errno})", folder()),
        }
    }

    /// Reads at this place.
    ///
    /// # Errors
    /// When the kernel cannot.
    pub(crate) fn read_at(&self, into: &mut [u8], at: usize) -> Result<(), Trouble> {
        let read = unless_interrupted(rustix::io::pread(&self.0, into, at as u64));
        read.map(drop).map_err(trouble("read from its file"))
    }

    /// Writes at this place.
    ///
    /// # Errors
    /// When the kernel cannot.
    pub(crate) fn write_at(&self, bytes: &[u8], at: usize) -> Result<(), Trouble> {
        let written = unless_interrupted(rustix::io::pwrite(&self.0, bytes, at as u64));
        written.map(drop).map_err(trouble("write to its file"))
    }

    /// Writes at the end of a file that was opened with `APPEND`; one that has grown to `most` bytes is cut to `least`
    /// before.
    ///
    /// # Errors
    /// When the kernel cannot.
    pub(crate) fn append(&self, bytes: &[u8], least: usize, most: usize) -> Result<(), Trouble> {
        let len = rustix::fs::fstat(&self.0).map_err(trouble("look at its file"))?.st_size;
        if len as usize >= most {
            rustix::fs::ftruncate(&self.0, least as u64).map_err(trouble("cut its file"))?;
        }
        let written = unless_interrupted(rustix::io::write(&self.0, bytes));
        written.map(drop).map_err(trouble("append to its file"))
    }

    /// Waits until what was written is on the storage.
    ///
    /// # Errors
    /// When the kernel cannot.
    pub(crate) fn wait_for_storage(&self) -> Result<(), Trouble> {
        unless_interrupted(fdatasync(&self.0)).map(drop).map_err(trouble("wait for the storage of its file"))
    }
}
