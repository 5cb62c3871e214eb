//! Unpacking the payload: a cpio archive in the `newc` format (cpio(5)).

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::Failure;
use crate::sys::Mapping;

const HEADER_LEN: usize = 110;
const TYPE_MASK: u32 = 0o170000;
const FOLDER: u32 = 0o040000;
const SYMLINK: u32 = 0o120000;

/// Unpacks the archive below `/`.
pub fn unpack(mapping: &Mapping) -> Result<(), Failure> {
    let mut rest = mapping.bytes();
    loop {
        let header = rest.get(..HEADER_LEN).ok_or("the payload archive is cut")?;
        if &header[..6] != b"070701" {
            return Err("the payload is not a cpio archive in newc format".to_owned());
        }
        let field = |index: usize| hex(&header[6 + index * 8..14 + index * 8]);
        let (mode, size, name_len) = (field(1)?, field(6)? as usize, field(11)? as usize);
        let data_at = (HEADER_LEN + name_len).next_multiple_of(4);
        let name = rest.get(HEADER_LEN..HEADER_LEN + name_len.saturating_sub(1)).ok_or("the payload archive is cut")?;
        let data = rest.get(data_at..data_at + size).ok_or("the payload archive is cut")?;
        let name = std::str::from_utf8(name).map_err(|e| format!("a name in the payload: {e}"))?;
        if name == "TRAILER!!!" {
            return Ok(());
        }
        let path = Path::new("/").join(name);
        let created = match create(&path, mode, data) {
            // Most folders are there already: looking first would cost more than trying twice.
            Err(e) if e.kind() == ErrorKind::NotFound => {
                path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| create(&path, mode, data))
            }
            other => other,
        };
        created.map_err(|e| match e.raw_os_error() {
            Some(28) => format!(
                "unpacking {} ({size} bytes): the guest's memory is full: raise memory_mb",
                path.display()
            ),
            _ => format!("unpacking {}: {e}", path.display()),
        })?;
        rest = rest.get((data_at + size).next_multiple_of(4)..).ok_or("the payload archive is cut")?;
    }
}

fn hex(digits: &[u8]) -> Result<u32, Failure> {
    let text = std::str::from_utf8(digits).map_err(|e| e.to_string())?;
    u32::from_str_radix(text, 16).map_err(|_| format!("`{text}` in the payload's header is not a number"))
}

fn create(path: &Path, mode: u32, data: &[u8]) -> std::io::Result<()> {
    match mode & TYPE_MASK {
        FOLDER => fs::create_dir_all(path),
        SYMLINK => std::os::unix::fs::symlink(PathBuf::from(String::from_utf8_lossy(data).as_ref()), path),
        _ => OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(mode & 0o7777)
            .open(path)?
            .write_all(data),
    }
}
