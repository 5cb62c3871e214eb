//! The payload: the files that a clone is given, as one cpio archive.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use cpio::newc::{Builder, trailer};
use ktstr_wire::layout::PAYLOAD;

use crate::elf;
use crate::error::VmError;

const REGULAR: u32 = 0o100000;
const LINK: u32 = 0o120777;
const FOLDER: u32 = 0o040755;

/// Files for a clone, by their path in the guest.
#[derive(Debug, Default)]
pub struct Payload {
    /// Mode with the type of file, and content.
    files: BTreeMap<String, (u32, Vec<u8>)>,
}

impl Payload {
    /// Adds a file with this content.
    pub fn add_bytes(&mut self, guest_path: &str, mode: u32, bytes: Vec<u8>) {
        self.insert(guest_path, REGULAR | mode, bytes);
    }

    /// Adds a symbolic link.
    pub fn add_link(&mut self, guest_path: &str, target: &str) {
        self.insert(guest_path, LINK, target.as_bytes().to_vec());
    }

    fn insert(&mut self, guest_path: &str, mode: u32, bytes: Vec<u8>) {
        self.files.insert(guest_path.trim_start_matches('/').to_owned(), (mode, bytes));
    }

    /// Adds a file or a folder with everything in it, and the shared libraries of the programs among them. Links are
    /// followed.
    ///
    /// # Errors
    /// When something cannot be read, is neither file nor folder, is a folder that a link in it leads back to, or is a
    /// program that lacks a library.
    pub fn add_path(&mut self, host: &Path, guest_path: &str) -> Result<(), VmError> {
        self.add_below(host, guest_path, &mut Vec::new())
    }

    /// `above` are the folders that this is in, as device and inode.
    fn add_below(
        &mut self,
        host: &Path,
        guest_path: &str,
        above: &mut Vec<(u64, u64)>,
    ) -> Result<(), VmError> {
        let found = std::fs::metadata(host).map_err(VmError::file("including", host))?;
        if found.is_dir() {
            let itself = (found.dev(), found.ino());
            if above.contains(&itself) {
                let source = io::Error::other("a link that leads back to a folder which it is in: remove it");
                return Err(VmError::File { what: "including", path: host.to_owned(), source });
            }
            above.push(itself);
            let mut entries = std::fs::read_dir(host).map_err(VmError::file("including", host))?.peekable();
            if entries.peek().is_none() {
                // The others are made for what is in them.
                self.insert(guest_path, FOLDER, Vec::new());
            }
            for entry in entries {
                let path = entry.map_err(VmError::file("including", host))?.path();
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                self.add_below(&path, &format!("{guest_path}/{name}"), above)?;
            }
            above.pop();
            return Ok(());
        }
        if !found.is_file() {
            let source = io::Error::other("neither a file nor a folder");
            return Err(VmError::File { what: "including", path: host.to_owned(), source });
        }
        self.check_room(found.len())?;
        let bytes = std::fs::read(host).map_err(VmError::file("including", host))?;
        let mode = found.permissions().mode() & 0o777;
        let is_program = mode & 0o111 != 0 && elf::is_program_of_this_host(&bytes);
        self.add_bytes(guest_path, mode, bytes);
        if is_program { self.add_libraries(host) } else { Ok(()) }
    }

    /// Adds a program, without the parts that only a debugger reads, and the shared libraries it needs.
    ///
    /// # Errors
    /// When it cannot be read, is no program, or lacks a library.
    pub fn add_program(&mut self, host: &Path, guest_path: &str) -> Result<(), VmError> {
        let bytes = std::fs::read(host).map_err(VmError::file("reading", host))?;
        self.add_bytes(guest_path, 0o755, elf::loadable_part(bytes));
        self.add_libraries(host)
    }

    fn add_libraries(&mut self, host: &Path) -> Result<(), VmError> {
        for library in elf::libraries(host)? {
            let path = library.to_string_lossy().into_owned();
            if self.files.contains_key(path.trim_start_matches('/')) {
                continue;
            }
            let bytes = std::fs::read(&library).map_err(VmError::file("reading", library.clone()))?;
            self.add_bytes(&path, 0o755, elf::loadable_part(bytes));
        }
        Ok(())
    }

    /// Size of all files in bytes.
    pub fn size(&self) -> u64 {
        self.files.values().map(|(_, bytes)| bytes.len() as u64).sum()
    }

    /// Checks that the files fit into the channel and into a guest of `memory_mb` MiB, where they live in a tmpfs that
    /// may take half of the memory.
    ///
    /// # Errors
    /// When they do not.
    pub fn check_fits(&self, memory_mb: u32) -> Result<(), VmError> {
        self.check_room(0)?;
        let (payload_mb, room_mb) = (self.size() >> 20, u64::from(memory_mb) / 2);
        if payload_mb < room_mb {
            return Ok(());
        }
        let (what, advice) = ("half of the guest's memory", "raise memory_mb");
        Err(VmError::PayloadTooLarge { payload_mb, what, room_mb, advice })
    }

    fn check_room(&self, more: u64) -> Result<(), VmError> {
        // Headers and names take at most a few hundred bytes a file.
        let size = self.size() + more + 512 * (self.files.len() as u64 + 2);
        if size < PAYLOAD.size {
            return Ok(());
        }
        Err(VmError::PayloadTooLarge {
            payload_mb: size >> 20,
            what: "the channel",
            room_mb: PAYLOAD.size >> 20,
            advice: "include fewer or smaller files",
        })
    }

    /// A hash of all names, modes and contents, in hexadecimal. BLAKE3, because it is fast in a debug build too.
    pub fn hash(&self) -> String {
        let mut hash = blake3::Hasher::new();
        for (name, (mode, bytes)) in &self.files {
            hash.update(name.as_bytes()).update(&[0]).update(&mode.to_le_bytes());
            hash.update(&(bytes.len() as u64).to_le_bytes()).update(bytes);
        }
        hash.finalize().to_hex().to_string()
    }

    /// A hash of the content of one file, in hexadecimal; `None` when there is no such file.
    pub fn file_hash(&self, guest_path: &str) -> Option<String> {
        let (_, bytes) = self.files.get(guest_path.trim_start_matches('/'))?;
        Some(blake3::hash(bytes).to_hex().to_string())
    }

    /// Writes the archive.
    ///
    /// # Errors
    /// When `output` cannot be written.
    pub fn write_to(&self, mut output: impl Write) -> io::Result<()> {
        for (name, (mode, bytes)) in &self.files {
            let size = u32::try_from(bytes.len()).map_err(io::Error::other)?;
            let mut file = Builder::new(name).mode(*mode).write(&mut output, size);
            file.write_all(bytes)?;
            file.finish()?;
        }
        trailer(output)?;
        Ok(())
    }

    /// Whether there is a file at this path.
    pub fn has(&self, guest_path: &str) -> bool {
        self.files.contains_key(guest_path.trim_start_matches('/'))
    }

    /// The guest paths of all files.
    pub fn paths(&self) -> impl Iterator<Item = PathBuf> + '_ {
        self.files.keys().map(|name| Path::new("/").join(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let mut payload = Payload::default();
        payload.add_bytes("/a/b", 0o644, b"hello".to_vec());
        let mut archive = Vec::new();
        payload.write_to(&mut archive).unwrap();
        let mut reader = cpio::NewcReader::new(&archive[..]).unwrap();
        assert_eq!((reader.entry().name(), reader.entry().mode()), ("a/b", 0o100644));
        let mut text = String::new();
        io::Read::read_to_string(&mut reader, &mut text).unwrap();
        assert_eq!(text, "hello");
    }

    #[test]
    fn links_are_links() {
        let mut payload = Payload::default();
        payload.add_link("/bin/ls", "/bin/busybox");
        let mut archive = Vec::new();
        payload.write_to(&mut archive).unwrap();
        let reader = cpio::NewcReader::new(&archive[..]).unwrap();
        assert_eq!((reader.entry().name(), reader.entry().mode()), ("bin/ls", 0o120777));
    }

    #[test]
    fn a_folder_with_a_link_back_to_itself_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("inner");
        std::fs::create_dir(&inner).unwrap();
        std::fs::write(inner.join("file"), "x").unwrap();
        std::os::unix::fs::symlink("inner", folder.path().join("again")).unwrap();
        let mut payload = Payload::default();
        payload.add_path(folder.path(), "/i").unwrap();
        assert_eq!(payload.paths().count(), 2, "the same folder twice is no loop");
        std::os::unix::fs::symlink("..", inner.join("loop")).unwrap();
        let error = payload.add_path(folder.path(), "/i").unwrap_err().to_string();
        assert!(error.contains("/loop: ") && error.contains("leads back"), "{error}");
    }

    #[test]
    fn empty_folders_are_there_too() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("logs/old")).unwrap();
        let mut payload = Payload::default();
        payload.add_path(folder.path(), "/i").unwrap();
        let mut archive = Vec::new();
        payload.write_to(&mut archive).unwrap();
        let reader = cpio::NewcReader::new(&archive[..]).unwrap();
        assert_eq!((reader.entry().name(), reader.entry().mode()), ("i/logs/old", 0o040755));
    }

    #[test]
    fn a_program_brings_its_libraries() {
        let mut payload = Payload::default();
        payload.add_program(&std::env::current_exe().unwrap(), "/ktstr/test").unwrap();
        let paths: Vec<String> = payload.paths().map(|p| p.display().to_string()).collect();
        assert!(paths.iter().any(|p| p.contains("libc.so")), "{paths:?}");
        assert!(paths.iter().any(|p| p.contains("ld-linux") || p.contains("ld-musl")), "{paths:?}");
    }

    #[test]
    fn included_programs_bring_theirs_and_stay_as_they_are() {
        let folder = tempfile::tempdir().unwrap();
        for (name, mode) in [("program", 0o755), ("data", 0o644)] {
            let path = folder.path().join(name);
            std::fs::copy("/bin/true", &path).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        }
        let has_libc = |included: &str| {
            let mut payload = Payload::default();
            payload.add_path(&folder.path().join(included), "/include-files/x").unwrap();
            payload.paths().any(|path| path.display().to_string().contains("libc.so"))
        };
        assert!(has_libc("program") && has_libc(""));
        assert!(!has_libc("data"), "what cannot be started needs no libraries");
        let mut payload = Payload::default();
        payload.add_path(&folder.path().join("program"), "/include-files/x").unwrap();
        assert_eq!(payload.files["include-files/x"].1, std::fs::read("/bin/true").unwrap());
    }

    #[test]
    fn too_much_for_the_guest_or_the_channel_is_refused() {
        let mut payload = Payload::default();
        payload.add_bytes("big", 0o644, vec![0; 200 << 20]);
        let error = payload.check_fits(256).unwrap_err().to_string();
        assert!(error.contains("200 MiB") && error.contains("memory_mb"), "{error}");
        payload.check_fits(2048).unwrap();
        payload.add_bytes("more", 0o644, vec![0; 40 << 20]);
        assert!(payload.check_fits(2048).unwrap_err().to_string().contains("the channel"));
    }

    #[test]
    fn special_files_are_refused() {
        let error = Payload::default().add_path(Path::new("/dev/null"), "/n").unwrap_err().to_string();
        assert!(error.contains("/dev/null"), "{error}");
        let error = Payload::default().add_path(Path::new("/nowhere"), "/n").unwrap_err().to_string();
        assert!(error.contains("/nowhere"), "{error}");
    }
}
