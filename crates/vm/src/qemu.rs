//! Finding QEMU, and what a version of it may be used for.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use ktstr_model::Mode;

use crate::error::VmError;
use crate::identity;
use ktstr_host::Version;

/// QEMU's name in `PATH`.
const PROGRAM: &str = "qemu-system-x86_64";

/// A QEMU on this host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Qemu {
    /// The program.
    pub path: PathBuf,
    /// What it says it is.
    pub version: Version,
    /// Who made the CPU that `-cpu host` stands for: `vendor_id` of `/proc/cpuinfo`.
    pub host_cpu: String,
}

impl Qemu {
    /// The QEMU named by `KTSTR_QEMU`, else `qemu-system-x86_64` in `PATH`.
    ///
    /// # Errors
    /// When there is none, or what is there is not QEMU.
    pub fn find() -> Result<Self, VmError> {
        Self::find_in(env::var_os("KTSTR_QEMU").as_deref(), env::var_os("PATH").as_deref())
    }

    /// A hash over its program and the firmware that its machines run. `cache` is the cache's folder.
    ///
    /// # Errors
    /// When one of them cannot be read.
    pub fn identity(&self, cache: &Path) -> Result<String, VmError> {
        identity::of_qemu(cache, self)
    }

    fn find_in(named: Option<&OsStr>, search: Option<&OsStr>) -> Result<Self, VmError> {
        let path = match named.filter(|name| !name.is_empty()) {
            Some(name) => {
                let path = PathBuf::from(name);
                if !path.is_file() {
                    let name = name.to_string_lossy().into_owned();
                    return Err(VmError::NoQemu {
                        name,
                        looked_in: "KTSTR_QEMU, which is not a file".to_owned(),
                    });
                }
                path
            }
            None => env::split_paths(search.unwrap_or_default())
                .map(|folder| folder.join(PROGRAM))
                .find(|path| path.is_file())
                .ok_or_else(|| VmError::NoQemu { name: PROGRAM.to_owned(), looked_in: "PATH".to_owned() })?,
        };
        Self::probe(&path)
    }

    fn probe(path: &Path) -> Result<Self, VmError> {
        let output = Command::new(path)
            .arg("--version")
            .output()
            .map_err(VmError::file("running", path.to_owned()))?;
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        match Version::parse(&printed) {
            Some(version) => Ok(Self { path: path.to_owned(), version, host_cpu: host_cpu_vendor() }),
            None => {
                let printed = [printed, String::from_utf8_lossy(&output.stderr).into_owned()].concat();
                Err(VmError::NotQemu { path: path.to_owned(), printed: printed.trim().to_owned() })
            }
        }
    }

    /// Checks that this version may be used for `mode`.
    ///
    /// # Errors
    /// When it is too old.
    pub fn check(&self, mode: Mode) -> Result<(), VmError> {
        let needed = match mode {
            Mode::RealTime => Version::REAL_TIME,
            Mode::Deterministic => Version::DETERMINISTIC,
        };
        if self.version >= needed {
            return Ok(());
        }
        Err(VmError::QemuTooOld { path: self.path.clone(), found: self.version, mode, needed })
    }
}

/// Empty when the kernel does not tell.
fn host_cpu_vendor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("vendor_id"));
    line.unwrap_or_default().trim_start_matches([' ', '\t', ':']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn fake_qemu(folder: &Path, prints: &str) -> PathBuf {
        let path = folder.join(PROGRAM);
        std::fs::write(&path, format!("#!/bin/sh\necho '{prints}'\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    #[test]
    fn says_where_it_looked() {
        let folder = tempfile::tempdir().unwrap();
        let error = Qemu::find_in(None, Some(folder.path().as_os_str())).unwrap_err().to_string();
        assert!(
            error.contains("qemu-system-x86_64") && error.contains("PATH") && error.contains("KTSTR_QEMU")
        );
        let error = Qemu::find_in(Some(OsStr::new("/nowhere/qemu")), None).unwrap_err().to_string();
        assert!(error.contains("/nowhere/qemu"), "{error}");
    }

    #[test]
    fn an_old_one_is_refused_for_deterministic_mode_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = fake_qemu(folder.path(), "QEMU emulator version 7.2.17");
        let qemu = Qemu::find_in(Some(path.as_os_str()), None).unwrap();
        qemu.check(Mode::RealTime).unwrap();
        let error = qemu.check(Mode::Deterministic).unwrap_err().to_string();
        assert!(
            error.contains("7.2.17") && error.contains("8.2.0") && error.contains("deterministic"),
            "{error}"
        );
    }

    #[test]
    fn another_program_is_no_qemu() {
        let folder = tempfile::tempdir().unwrap();
        let path = fake_qemu(folder.path(), "hello");
        let error = Qemu::find_in(Some(path.as_os_str()), None).unwrap_err().to_string();
        assert!(error.ends_with("hello"), "{error}");
    }
}
