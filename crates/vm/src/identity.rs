//! What a QEMU and a host are, beyond their version: two builds of one version may behave differently.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use ktstr_kernel::{Cache, Sha256Sum};

use crate::error::VmError;
use crate::lockstep::LOCKSTEP;
use crate::qemu::Qemu;

/// Firmware that our machines run.
const FIRMWARE: [&str; 4] = ["bios-256k.bin", "linuxboot_dma.bin", "pvh.bin", "kvmvapic.bin"];

/// A hash over QEMU's program, its firmware, and what we let it load. Hashing them takes longer than starting a clone, so the cache remembers each
/// file's sum until the file changes.
pub fn of_qemu(cache: &Path, qemu: &Qemu) -> Result<String, VmError> {
    let sums = Cache::at(cache);
    let folders = data_folders(cache, &qemu.path)?;
    let mut hashes = sums.sha256_of(&qemu.path)?.to_string();
    for path in firmware(&folders) {
        hashes += &sums.sha256_of(&path)?.to_string();
    }
    hashes += &Sha256Sum::of(LOCKSTEP).to_string();
    Ok(Sha256Sum::of(hashes.as_bytes()).to_string())
}

/// QEMU's own data folders (`-L help`), which its program has in itself: asking it takes longer than starting a clone, so
/// the answer is kept in the cache until the program's file changes.
fn data_folders(cache: &Path, qemu: &Path) -> Result<Vec<PathBuf>, VmError> {
    let file = fs::metadata(qemu).map_err(VmError::file("reading", qemu.to_owned()))?;
    let change = (file.mtime(), file.mtime_nsec(), file.ctime(), file.ctime_nsec());
    let state = format!("{} {} {} {change:?}", qemu.display(), file.ino(), file.len());
    let kept = cache
        .join("identities")
        .join(format!("{}.folders", &Sha256Sum::of(state.as_bytes()).to_string()[..32]));
    if let Ok(listed) = fs::read_to_string(&kept) {
        return Ok(listed.lines().map(PathBuf::from).collect());
    }
    let Ok(output) = Command::new(qemu).args(["-L", "help"]).output() else { return Ok(Vec::new()) };
    let listed = String::from_utf8_lossy(&output.stdout).into_owned();
    // Losing it costs time only.
    let _ = fs::create_dir_all(cache.join("identities"));
    let aside = kept.with_extension(std::process::id().to_string());
    let _ = fs::write(&aside, &listed).and_then(|()| fs::rename(&aside, &kept));
    Ok(listed.lines().map(PathBuf::from).collect())
}

/// The firmware files: of each name the one in the first folder that has it, as QEMU takes it.
fn firmware(folders: &[PathBuf]) -> Vec<PathBuf> {
    let find = |name: &str| folders.iter().map(|folder| folder.join(name)).find(|path| path.is_file());
    FIRMWARE.iter().filter_map(|name| find(name)).collect()
}

/// The host CPU's model, which KVM passes to the guest.
pub fn of_host_cpu() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let wanted = ["vendor_id", "cpu family", "model", "stepping", "microcode", "flags"];
    let first_cpu = text.lines().take_while(|line| !line.is_empty());
    first_cpu
        .filter(|line| wanted.contains(&line.split('\t').next().unwrap_or_default()))
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use ktstr_host::Version;

    #[test]
    fn another_program_or_firmware_is_another_identity() {
        let dir = tempfile::tempdir().unwrap();
        let (program, firmware) = (dir.path().join("qemu"), dir.path().join("pvh.bin"));
        let cache = dir.path().join("cache");
        let write_program = |comment: &str| {
            let text = format!("#!/bin/sh\n# {comment}\necho {}\n", dir.path().display());
            fs::write(&program, text).unwrap();
            fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        };
        let qemu = || Qemu { path: program.clone(), version: Version(10, 0, 0), host_cpu: String::new() };
        write_program("one");
        fs::write(&firmware, "one").unwrap();
        let first = of_qemu(&cache, &qemu()).unwrap();
        assert_eq!(of_qemu(&cache, &qemu()).unwrap(), first);
        fs::write(&firmware, "two").unwrap();
        let second = of_qemu(&cache, &qemu()).unwrap();
        assert_ne!(second, first, "the program did not change, its firmware did");
        write_program("two");
        assert_ne!(of_qemu(&cache, &qemu()).unwrap(), second);
        fs::write(&firmware, "one").unwrap();
        write_program("one");
        assert_eq!(of_qemu(&cache, &qemu()).unwrap(), first);
    }
}
