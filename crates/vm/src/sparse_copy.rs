//! Copying a sparse file without filling its holes.

use std::fs::File;
use std::io;
use std::path::Path;

use rustix::fs::{SeekFrom, copy_file_range, ioctl_ficlone, seek};
use rustix::io::Errno;

/// Copies `from` to a new file `to`: as a reflink where the file system has them, else only the parts that hold data.
pub(crate) fn copy_sparse(from: &Path, to: &Path) -> io::Result<()> {
    let (from, to) = (File::open(from)?, File::create_new(to)?);
    if ioctl_ficlone(&to, &from).is_ok() {
        return Ok(());
    }
    let length = from.metadata()?.len();
    to.set_len(length)?;
    let mut at = 0;
    loop {
        let begin = match seek(&from, SeekFrom::Data(at)) {
            Ok(begin) => begin,
            // No data behind this point.
            Err(Errno::NXIO) => return Ok(()),
            Err(errno) => return Err(errno.into()),
        };
        let end = seek(&from, SeekFrom::Hole(begin))?;
        copy_range(&from, &to, begin, end)?;
        at = end;
    }
}

fn copy_range(from: &File, to: &File, begin: u64, end: u64) -> io::Result<()> {
    let (mut read_at, mut write_at) = (begin, begin);
    while read_at < end {
        let length = (end - read_at).min(1 << 30) as usize;
        if copy_file_range(from, Some(&mut read_at), to, Some(&mut write_at), length)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{FileExt as _, MetadataExt as _};

    use super::*;

    #[test]
    fn data_arrives_and_holes_stay() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        let file = File::create(&from).unwrap();
        file.set_len(64 << 20).unwrap();
        for (at, byte) in [(0, 1), (10 << 20, 2), ((64 << 20) - 4096, 3)] {
            file.write_all_at(&[byte; 4096], at).unwrap();
        }
        copy_sparse(&from, &to).unwrap();
        assert!(std::fs::read(&from).unwrap() == std::fs::read(&to).unwrap());
        assert!(std::fs::metadata(&to).unwrap().blocks() * 512 < 1 << 20);
        assert_eq!(copy_sparse(&from, &to).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    }
}
