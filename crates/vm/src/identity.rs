//! What a QEMU and a host are, beyond their version: two builds of one version may behave differently.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::content_hash::{sha256, sha256_file};
use crate::error::VmError;
use crate::qemu::Qemu;

/// Firmware that our machines run.
const FIRMWARE: [&str; 4] = ["bios-256k.bin", "linuxboot_dma.bin", "pvh.bin", "kvmvapic.bin"];

/// A hash over QEMU's program and firmware. Hashing them takes longer than starting a clone, so it is kept in the cache
/// until the program's file changes.
pub fn of_qemu(cache: &Path, qemu: &Qemu) -> Result<String, VmError> {
    let file = fs::metadata(&qemu.path).map_err(VmError::file("reading", qemu.path.clone()))?;
    let state = format!(
        "{} {} {} {}.{}",
        qemu.path.display(),
        file.ino(),
        file.len(),
        file.mtime(),
        file.mtime_nsec()
    );
    let kept = cache.join("identities").join(&sha256(state.as_bytes())[..32]);
    if let Some(identity) = fs::read_to_string(&kept).ok().filter(|text| text.len() == 64) {
        return Ok(identity);
    }
    let mut hashes = sha256_file(&qemu.path).map_err(VmError::file("reading", qemu.path.clone()))?;
    for path in firmware(&qemu.path) {
        hashes += &sha256_file(&path).map_err(VmError::file("reading", path))?;
    }
    let identity = sha256(hashes.as_bytes());
    // Losing it costs time only.
    let _ = fs::create_dir_all(cache.join("identities"));
    let aside = kept.with_extension(std::process::id().to_string());
    let _ = fs::write(&aside, &identity).and_then(|()| fs::rename(&aside, &kept));
    Ok(identity)
}

/// The firmware files in QEMU's own data folders (`-L help`).
fn firmware(qemu: &Path) -> Vec<PathBuf> {
    let Ok(output) = Command::new(qemu).args(["-L", "help"]).output() else { return Vec::new() };
    let folders: Vec<PathBuf> = String::from_utf8_lossy(&output.stdout).lines().map(PathBuf::from).collect();
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
