//! Programs on their way into a guest.

use std::path::{Path, PathBuf};
use std::process::Command;

use object::Endianness;
use object::elf::{EM_X86_64, FileHeader64, PT_INTERP, PT_LOAD};
use object::read::elf::{FileHeader as _, ProgramHeader as _};

use crate::error::VmError;

/// Where a 64-bit ELF header has the section table's offset, and its entry size, count and name index.
const SECTION_TABLE: [std::ops::Range<usize>; 2] = [0x28..0x30, 0x3a..0x40];

/// The part of a program that the kernel and the loader read. Debug information and symbols follow the last loaded
/// segment, and a debug build has ten times more of them than of code; the host keeps the whole file to symbolise with.
/// What is not a 64-bit ELF file is returned as it is.
pub fn loadable_part(mut bytes: Vec<u8>) -> Vec<u8> {
    let Some(end) = end_of_segments(&bytes).filter(|end| *end <= bytes.len()) else { return bytes };
    bytes.truncate(end);
    for field in SECTION_TABLE {
        bytes[field].fill(0);
    }
    bytes
}

fn end_of_segments(bytes: &[u8]) -> Option<usize> {
    let header = FileHeader64::<Endianness>::parse(bytes).ok()?;
    let endian = header.endian().ok()?;
    let segments = header.program_headers(endian, bytes).ok()?;
    let ends = segments.iter().map(|segment| segment.p_offset(endian) + segment.p_filesz(endian));
    // Segments other than the loaded ones (notes, for one) lie inside them, but need not.
    let table = header.e_phoff.get(endian) + (segments.len() * size_of_val(segments.first()?)) as u64;
    segments.iter().any(|s| s.p_type(endian) == PT_LOAD).then_some(())?;
    ends.max().map(|end| end.max(table) as usize)
}

/// Whether these are the bytes of a program that this host's loader could start: not a library, not another machine's.
pub fn is_program_of_this_host(bytes: &[u8]) -> bool {
    let of_this_host = || {
        let header = FileHeader64::<Endianness>::parse(bytes).ok()?;
        Some(header.e_machine(header.endian().ok()?) == EM_X86_64)
    };
    of_this_host() == Some(true) && interpreter(bytes).is_some()
}

/// The shared libraries that a program needs, its loader among them; none for a static one.
///
/// The program's own loader is asked, because search paths, preloads and the cache are its business.
pub fn libraries(program: &Path) -> Result<Vec<PathBuf>, VmError> {
    let bytes = std::fs::read(program).map_err(VmError::file("reading", program))?;
    let Some(loader) = interpreter(&bytes) else { return Ok(Vec::new()) };
    let output = Command::new(&loader)
        .arg("--list")
        .arg(program)
        .output()
        .map_err(VmError::file("running", loader.clone()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut libraries = vec![loader.clone()];
    for line in text.lines() {
        match listed(line) {
            Listed::At(path) => libraries.push(path),
            Listed::Missing(library) => {
                return Err(VmError::NoLibrary { program: program.to_owned(), library });
            }
            Listed::Nothing => {}
        }
    }
    if output.status.success() {
        return Ok(libraries);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = format!("{} ({})", said.trim(), output.status);
    Err(VmError::LoaderFailed { program: program.to_owned(), loader, said: said.trim_start().to_owned() })
}

enum Listed {
    At(PathBuf),
    Missing(String),
    Nothing,
}

/// Reads a line such as `libelf.so.1 => /lib/libelf.so.1 (0x7f..)`.
fn listed(line: &str) -> Listed {
    let Some((name, target)) = line.trim().split_once(" => ") else { return Listed::Nothing };
    if target.starts_with("not found") {
        return Listed::Missing(name.to_owned());
    }
    match target.rsplit_once(" (") {
        Some((path, _)) if path.starts_with('/') => Listed::At(path.into()),
        _ => Listed::Nothing,
    }
}

fn interpreter(bytes: &[u8]) -> Option<PathBuf> {
    let header = FileHeader64::<Endianness>::parse(bytes).ok()?;
    let endian = header.endian().ok()?;
    let segments = header.program_headers(endian, bytes).ok()?;
    let segment = segments.iter().find(|segment| segment.p_type(endian) == PT_INTERP)?;
    let data = segment.data(endian, bytes).ok()?;
    Some(String::from_utf8_lossy(data).trim_end_matches('\0').into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn the_loadable_part_still_runs() {
        let whole = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let size = whole.len();
        let part = loadable_part(whole);
        assert!(part.len() * 2 < size, "{} of {size}", part.len());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("part");
        std::fs::write(&path, part).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        let output = Command::new(&path).arg("--list").output().unwrap();
        assert!(String::from_utf8_lossy(&output.stdout).contains("the_loadable_part_still_runs"));
    }

    #[test]
    fn other_files_stay_as_they_are() {
        assert_eq!(loadable_part(b"#!/bin/sh\n".to_vec()), b"#!/bin/sh\n");
    }

    /// A copy of this test's program that names `loader` as its own.
    fn program_with_loader(folder: &Path, loader: &str) -> PathBuf {
        let mut bytes = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let named = interpreter(&bytes).unwrap().display().to_string();
        let at = bytes.windows(named.len()).position(|window| window == named.as_bytes()).unwrap();
        let padded = format!("{loader:\0<width$}", width = named.len());
        bytes[at..at + named.len()].copy_from_slice(padded.as_bytes());
        let path = folder.join("program");
        std::fs::write(&path, bytes).unwrap();
        path
    }

    #[test]
    fn a_loader_that_fails_or_is_absent_is_told_with_the_program() {
        let folder = tempfile::tempdir().unwrap();
        let error = libraries(&program_with_loader(folder.path(), "/bin/false")).unwrap_err().to_string();
        assert!(error.contains("/program") && error.contains("/bin/false"), "{error}");
        assert!(error.contains("exit status: 1"), "{error}");
        let error = libraries(&program_with_loader(folder.path(), "/lib/no-loader")).unwrap_err().to_string();
        assert!(error.contains("/lib/no-loader"), "{error}");
    }

    #[test]
    fn tells_programs_from_other_files() {
        assert!(is_program_of_this_host(&std::fs::read("/bin/true").unwrap()));
        assert!(!is_program_of_this_host(b"#!/bin/sh\n"));
        let mut foreign = std::fs::read("/bin/true").unwrap();
        // The machine's number, at its place in the header.
        foreign[0x12] = 0xb7;
        assert!(!is_program_of_this_host(&foreign));
    }

    #[test]
    fn reads_what_loaders_print() {
        assert!(
            matches!(listed("\tlibelf.so.1 => /lib/libelf.so.1 (0x7f)"), Listed::At(p) if p == Path::new("/lib/libelf.so.1"))
        );
        assert!(matches!(listed("\tlibfoo.so => not found"), Listed::Missing(name) if name == "libfoo.so"));
        assert!(matches!(listed("\tlinux-vdso.so.1 (0x7ffc)"), Listed::Nothing));
    }
}
