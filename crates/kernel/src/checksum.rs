//! SHA-256 sums of files, remembered as long as a file does not change.

use std::{
    ffi::CStr,
    fmt,
    fs::{self, File},
    io::{self, Read, Write},
    os::{fd::AsFd, unix::fs::MetadataExt},
    path::{Path, PathBuf},
    str::FromStr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rustix::fs::{AtFlags, statat};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::Error;

/// A SHA-256 sum, printed as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sha256Sum([u8; 32]);

impl Sha256Sum {
    /// The sum of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The sum of a file's content.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn of_file(path: &Path) -> Result<Self, Error> {
        File::open(path).and_then(Self::of_reader).map_err(Error::io("read", path))
    }

    /// The bytes.
    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    pub(crate) fn of_reader(mut reader: impl Read) -> io::Result<Self> {
        let mut hasher = Sha256::new();
        let mut buffer = vec![0; 1 << 16];
        loop {
            match reader.read(&mut buffer)? {
                0 => return Ok(Self(hasher.finalize().into())),
                n => hasher.update(&buffer[..n]),
            }
        }
    }
}

impl fmt::Display for Sha256Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Sha256Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Sha256Sum {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let error = || Error::Sha256 { text: text.to_owned() };
        if text.len() != 64 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(error());
        }
        let mut sum = [0; 32];
        for (i, byte) in sum.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).map_err(|_| error())?;
        }
        Ok(Self(sum))
    }
}

impl TryFrom<String> for Sha256Sum {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<Sha256Sum> for String {
    fn from(sum: Sha256Sum) -> Self {
        sum.to_string()
    }
}

/// Longer than a tick of any file system's clock.
const SETTLED: Duration = Duration::from_secs(2);
/// Length of [`Stamp::to_bytes`].
pub(crate) const STAMP_BYTES: usize = 56;

/// What a file's content cannot change without changing.
#[derive(PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stamp {
    device: u64,
    inode: u64,
    bytes: u64,
    modified_ns: i128,
    /// The change time too: copying tools restore the modification time.
    changed_ns: i128,
}

impl Stamp {
    pub fn of(file: &fs::Metadata) -> Self {
        let ns = |seconds: i64, ns: i64| i128::from(seconds) * 1_000_000_000 + i128::from(ns);
        Self {
            device: file.dev(),
            inode: file.ino(),
            bytes: file.len(),
            modified_ns: ns(file.mtime(), file.mtime_nsec()),
            changed_ns: ns(file.ctime(), file.ctime_nsec()),
        }
    }

    /// Of what lies at `path` below the folder `dir`; a link is not followed.
    pub fn at(dir: impl AsFd, path: &CStr) -> io::Result<Self> {
        let file = statat(dir, path, AtFlags::SYMLINK_NOFOLLOW)?;
        let ns = |seconds, ns| i128::from(seconds) * 1_000_000_000 + i128::from(ns);
        Ok(Self {
            device: file.st_dev,
            inode: file.st_ino,
            bytes: file.st_size.cast_unsigned(),
            modified_ns: ns(file.st_mtime, file.st_mtime_nsec),
            changed_ns: ns(file.st_ctime, file.st_ctime_nsec),
        })
    }

    /// All of it, in a fixed length.
    pub fn to_bytes(&self) -> [u8; STAMP_BYTES] {
        let Self { device, inode, bytes, modified_ns, changed_ns } = self;
        let mut all = [0; STAMP_BYTES];
        for (nth, word) in [device, inode, bytes].into_iter().enumerate() {
            all[8 * nth..][..8].copy_from_slice(&word.to_le_bytes());
        }
        all[24..40].copy_from_slice(&modified_ns.to_le_bytes());
        all[40..].copy_from_slice(&changed_ns.to_le_bytes());
        all
    }

    /// Whether another change would show by `now`: a file that was changed just before may be changed again without a
    /// sign, since clocks of file systems tick slowly.
    pub fn is_settled(&self, now: SystemTime) -> bool {
        let changed_at = UNIX_EPOCH + Duration::from_nanos(self.changed_ns.try_into().unwrap_or(0));
        changed_at + SETTLED < now
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { device, inode, bytes, modified_ns, changed_ns } = self;
        write!(f, "{device:x} {inode} {bytes} {modified_ns} {changed_ns}")
    }
}

#[derive(Serialize, Deserialize)]
struct Remembered {
    stamp: Stamp,
    sha256: Sha256Sum,
}

/// Sums of files by their stamps, one small file each, so that test processes do not each hash their kernel.
#[derive(Clone, Debug)]
pub(crate) struct Checksums {
    dir: PathBuf,
}

impl Checksums {
    pub fn new(dir: PathBuf) -> Self {
        Self { dir }
    }

    /// The sum of `path`, from memory when the file is the one that was hashed.
    pub fn of_file(&self, path: &Path) -> Result<Sha256Sum, Error> {
        let file = File::open(path).map_err(Error::io("read", path))?;
        let stamp = Stamp::of(&file.metadata().map_err(Error::io("read", path))?);
        let memory = self.dir.join(format!("{:x}-{:x}.json", stamp.device, stamp.inode));
        if let Some(known) = read(&memory)
            && known.stamp == stamp
        {
            return Ok(known.sha256);
        }
        let sha256 = Sha256Sum::of_reader(file).map_err(Error::io("read", path))?;
        // Where nothing can be written (a read-only cache), the next process hashes again.
        if let Ok(text) = serde_json::to_vec(&Remembered { stamp, sha256 }) {
            let _ = write_aside(&memory, &text);
        }
        Ok(sha256)
    }
}

/// Writes a file, with its folder, so that nobody reads half of it.
pub(crate) fn write_aside(path: &Path, content: &[u8]) -> io::Result<()> {
    let dir = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(dir)?;
    let mut file = tempfile::NamedTempFile::new_in(dir)?;
    file.write_all(content)?;
    file.persist(path)?;
    Ok(())
}

fn read(memory: &Path) -> Option<Remembered> {
    serde_json::from_slice(&fs::read(memory).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_what_it_reads() {
        let sum = Sha256Sum::of(b"abc");
        assert_eq!(sum.to_string(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(sum.to_string().parse::<Sha256Sum>().unwrap(), sum);
        for text in ["", "ba78", &"g".repeat(64), &"é".repeat(32)] {
            assert!(text.parse::<Sha256Sum>().is_err(), "{text}");
        }
    }

    #[test]
    fn remembers_a_file_until_it_changes() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("image");
        let checksums = Checksums::new(dir.path().join("checksums"));
        fs::write(&file, "one").unwrap();
        assert_eq!(checksums.of_file(&file).unwrap(), Sha256Sum::of(b"one"));

        // A planted answer proves that the second call does not hash.
        let memory = fs::read_dir(&checksums.dir).unwrap().next().unwrap().unwrap().path();
        let planted = Remembered { sha256: Sha256Sum::of(b"planted"), ..read(&memory).unwrap() };
        fs::write(&memory, serde_json::to_vec(&planted).unwrap()).unwrap();
        assert_eq!(checksums.of_file(&file).unwrap(), Sha256Sum::of(b"planted"));

        fs::write(&file, "two").unwrap();
        assert_eq!(checksums.of_file(&file).unwrap(), Sha256Sum::of(b"two"));
        fs::write(&memory, "{").unwrap();
        assert_eq!(checksums.of_file(&file).unwrap(), Sha256Sum::of(b"two"));
    }

    #[test]
    fn works_where_nothing_can_be_remembered() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("image");
        fs::write(&file, "one").unwrap();
        let checksums = Checksums::new(file.join("below-a-file"));
        assert_eq!(checksums.of_file(&file).unwrap(), Sha256Sum::of(b"one"));
    }
}
