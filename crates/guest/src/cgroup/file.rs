//! Reading and writing a cgroup's files.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use crate::error::{GuestError, on_file};

/// The text of a file.
pub(super) fn read(path: &Path) -> Result<String, GuestError> {
    fs::read_to_string(path).map_err(on_file("read", path))
}

/// Writes a value in one call, as the kernel wants it.
pub(super) fn write(path: &Path, value: &str) -> Result<(), GuestError> {
    let file = fs::OpenOptions::new().write(true).open(path);
    file.and_then(|mut file| file.write_all(value.as_bytes()))
        .map_err(on_file(format!("write `{}` to", value.trim_end()), path))
}

/// The number that a file holds; `None` when there is no such file, or no limit (`max`).
pub(super) fn number(path: &Path) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// The value of a line `name value`; `None` when there is no such file or line.
pub(super) fn keyed(path: &Path, name: &str) -> Option<u64> {
    let text = fs::read_to_string(path).ok()?;
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok())
}
