//! Reading the header of an x86 kernel image (`bzImage`, `vmlinuz`).
//!
//! The layout is that of the kernel's `Documentation/arch/x86/boot.rst`.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use crate::{Error, KernelVersion, little_endian::u16_at};

const SETUP_SECTORS: usize = 0x1f1;
const BOOT_FLAG: usize = 0x1fe;
const MAGIC: usize = 0x202;
const KERNEL_VERSION: usize = 0x20e;
const XLOADFLAGS: usize = 0x236;
const XLF_KERNEL_64: u8 = 1;
const SECTOR: usize = 512;
/// The boot sector and the 255 setup sectors that its one-byte count can name.
const LONGEST_HEADER: u64 = 256 * SECTOR as u64;

/// What an image's header says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageInfo {
    /// What `uname -r` will print in it.
    pub release: String,
    /// The version that the release begins with.
    pub version: KernelVersion,
}

impl ImageInfo {
    /// Reads the header of the image at `path`.
    ///
    /// # Errors
    /// When there is no such file, it cannot be read, or it is not a 64-bit x86 Linux kernel.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let not_a_kernel = |why: String| Error::NotAKernel { path: path.to_owned(), why };
        let header = read_header(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Error::ImageAbsent { path: path.to_owned() },
            io::ErrorKind::IsADirectory => not_a_kernel("it is a directory".into()),
            _ => Error::io("read", path)(error),
        })?;
        let release = release(&header).map_err(not_a_kernel)?;
        let version = KernelVersion::from_release(&release)
            .map_err(|_| not_a_kernel(format!("its header names the release `{release}`")))?;
        Ok(Self { release, version })
    }
}

fn read_header(path: &Path) -> io::Result<Vec<u8>> {
    let mut header = Vec::new();
    let file = File::open(path)?;
    // Opening a fifo or a device could block or never end.
    if !file.metadata()?.is_file() && !file.metadata()?.is_dir() {
        return Err(io::Error::other("it is not a regular file"));
    }
    file.take(LONGEST_HEADER).read_to_end(&mut header)?;
    Ok(header)
}

fn release(header: &[u8]) -> Result<String, String> {
    if header.starts_with(b"\x7fELF") {
        return Err(
            "it is an ELF file (a vmlinux?); the image of a build tree is arch/x86/boot/bzImage".into()
        );
    }
    if u16_at(header, BOOT_FLAG) != Some(0xaa55) || header.get(MAGIC..MAGIC + 4) != Some(b"HdrS") {
        return Err("it has no x86 Linux setup header".into());
    }
    if header.get(XLOADFLAGS).is_none_or(|flags| flags & XLF_KERNEL_64 == 0) {
        return Err("it is a kernel without a 64-bit entry point".into());
    }
    // Zero setup sectors mean four, as ancient boot loaders had it.
    let sectors = header.get(SETUP_SECTORS).map_or(0, |&n| if n == 0 { 4 } else { usize::from(n) });
    let setup = header.get(..header.len().min((sectors + 1) * SECTOR)).unwrap_or(header);
    let text = u16_at(header, KERNEL_VERSION)
        .filter(|&offset| offset != 0)
        .and_then(|offset| setup.get(usize::from(offset) + SECTOR..))
        .and_then(|text| text.split(|&b| b == 0 || b == b' ').next())
        .and_then(|text| str::from_utf8(text).ok())
        .filter(|text| !text.is_empty());
    text.map(str::to_owned).ok_or_else(|| "its header names no release; is it truncated?".into())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::*;
    use crate::testing::image_bytes;

    fn read(bytes: &[u8]) -> Result<ImageInfo, Error> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), bytes).unwrap();
        ImageInfo::read(file.path())
    }

    #[test]
    fn reads_the_release() {
        let info = read(&image_bytes("7.3.4+deb13-cloud-amd64")).unwrap();
        assert_eq!(info.release, "7.3.4+deb13-cloud-amd64");
        assert_eq!(info.version, KernelVersion::new(7, 3, 4));
    }

    #[test]
    fn says_why_something_is_not_a_kernel() {
        let good = image_bytes("7.3.4");
        let mut no_64_bit_entry = good.clone();
        no_64_bit_entry[XLOADFLAGS] = 0;
        for (bytes, why) in [
            (b"just some text\n".to_vec(), "no x86 Linux setup header"),
            (Vec::new(), "no x86 Linux setup header"),
            (b"\x7fELF and more".to_vec(), "arch/x86/boot/bzImage"),
            (good[..0x300].to_vec(), "truncated"),
            (no_64_bit_entry, "64-bit"),
            (image_bytes("banana"), "`banana`"),
        ] {
            let error = read(&bytes).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn tells_an_absent_file_from_a_directory() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(ImageInfo::read(&dir.path().join("none")), Err(Error::ImageAbsent { .. })));
        let error = ImageInfo::read(dir.path()).unwrap_err().to_string();
        assert!(error.contains("directory"), "{error}");
    }

    proptest! {
        #[test]
        fn never_panics(mut bytes in prop::collection::vec(any::<u8>(), 0..2000), with_magic in any::<bool>()) {
            if with_magic && bytes.len() > 0x240 {
                bytes[BOOT_FLAG..BOOT_FLAG + 2].copy_from_slice(&[0x55, 0xaa]);
                bytes[MAGIC..MAGIC + 4].copy_from_slice(b"HdrS");
                bytes[XLOADFLAGS] = XLF_KERNEL_64;
            }
            let _ = release(&bytes);
        }
    }
}
