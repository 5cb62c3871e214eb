//! The disk that a test may ask for.
//!
//! It is a file in the host's memory: nothing is left behind, and a busy disk of the host does not disturb the guest. All
//! disks of one size have the same bytes, so that what a template's kernel has read of its own holds for those of its
//! clones.

use std::fs::File;
use std::io::Write as _;
use std::os::fd::AsRawFd as _;
use std::process::{Command, Stdio};

use crate::error::VmError;
use crate::machine::scratch;

/// The file system's identity, for equal bytes.
const UUID: &str = "6b747374-7200-4000-8000-000000000001";
/// The time that the file system was made, in seconds since 1970, likewise.
const MADE_AT: &str = "1767225600";

/// A disk of `disk_mb` MiB with an empty ext4 file system on it.
///
/// # Errors
/// When there is no `mke2fs`, or it cannot make one so small.
pub(crate) fn create(disk_mb: u32) -> Result<File, VmError> {
    let mut file = scratch("ktstr-disk")?;
    file.set_len(u64::from(disk_mb) << 20).map_err(VmError::system("sizing a disk"))?;
    let path = format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd());
    let output = mke2fs()
        .args(["-q", "-F", "-t", "ext4", "-U", UUID])
        .args(["-E", &format!("nodiscard,lazy_itable_init=0,lazy_journal_init=0,hash_seed={UUID}")])
        .arg(path)
        .env("E2FSPROGS_FAKE_TIME", MADE_AT)
        .env("SOURCE_DATE_EPOCH", MADE_AT)
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .output()
        .map_err(|source| VmError::NoMke2fs { source })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(VmError::Disk { disk_mb, said });
    }
    file.flush().map_err(VmError::system("writing a disk"))?;
    Ok(file)
}

/// The program is in root's folders, which are not in everybody's `PATH`.
fn mke2fs() -> Command {
    let folders = ["/usr/sbin", "/sbin", "/usr/local/sbin"];
    let found = folders
        .iter()
        .map(|folder| format!("{folder}/mke2fs"))
        .find(|path| std::fs::exists(path).unwrap_or(false));
    Command::new(found.unwrap_or_else(|| "mke2fs".to_owned()))
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Seek as _, SeekFrom};

    use super::*;

    fn bytes(mut file: File) -> Vec<u8> {
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(0)).and_then(|_| file.read_to_end(&mut bytes)).unwrap();
        bytes
    }

    #[test]
    fn disks_of_one_size_have_equal_bytes_and_a_file_system() {
        let one = bytes(create(16).unwrap());
        assert_eq!(one.len(), 16 << 20);
        // `EXT4_SUPER_MAGIC`, at its place in the superblock.
        assert_eq!(one[0x438..0x43a], [0x53, 0xef]);
        assert!(one == bytes(create(16).unwrap()), "two disks differ");
    }
}
