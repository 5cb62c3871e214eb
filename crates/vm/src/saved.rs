//! Machines saved on disk: a folder with the RAM files, the device state and a record.

use std::fs;
use std::io;
use std::path::Path;

use ktstr_host::{Version, quoted};
use ktstr_kernel::Sha256Sum;
use ktstr_wire::layout::word;
use serde::Serialize;
use serde_json::json;

use crate::command_line::ram_file;
use crate::error::VmError;
use crate::machine::Machine;
use crate::machine_spec::MachineSpec;
use crate::qemu::Qemu;
use crate::saved_instant;

/// The record's file.
pub(crate) const RECORD: &str = "record.json";
/// Extension of a folder that is being built.
pub(crate) const HALF: &str = "half";
/// Extension of the file by whose lock builders keep each other out.
pub(crate) const LOCK: &str = "lock";
/// The device state's file.
pub(crate) const STATE: &str = "state";

/// Saves a stopped machine's device state in `folder`; returns its hash.
pub(crate) fn save_state(
    machine: &mut Machine,
    qemu: &Qemu,
    spec: &MachineSpec,
    folder: &Path,
) -> Result<String, VmError> {
    let path = folder.join(STATE);
    machine.execute("migrate", json!({ "uri": transfer_uri(qemu, &path, "cat >") }))?;
    machine.wait_migrated()?;
    let mut state = fs::read(&path).map_err(VmError::file("reading", path.clone()))?;
    if spec.is_repeatable() {
        let time_stamp = machine.channel().u64(word::STOP_TSC)?;
        if !saved_instant::settle(&mut state, time_stamp) {
            return Err(VmError::StateWithoutClock(qemu.version));
        }
        fs::write(&path, &state).map_err(VmError::file("writing", path))?;
    }
    Ok(Sha256Sum::of(&state).to_string())
}

/// Writes what is to be known of a saved machine beside it. The last of its files: a folder without one is not whole.
pub(crate) fn write_record(folder: &Path, record: &impl Serialize) -> Result<(), VmError> {
    let path = folder.join(RECORD);
    let text = serde_json::to_vec_pretty(record).map_err(io::Error::from);
    text.and_then(|text| fs::write(&path, text)).map_err(VmError::file("writing", path))
}

/// Checks a saved machine's files against its record; the reason when they cannot be used.
pub(crate) fn check_files(folder: &Path, spec: &MachineSpec, state_sha256: &str) -> Result<(), String> {
    let state = fs::read(folder.join(STATE)).map_err(|e| format!("{STATE}: {e}"))?;
    if Sha256Sum::of(&state).to_string() != state_sha256 {
        return Err("its device state is damaged".to_owned());
    }
    for node in 0..spec.topology.memory_nodes() {
        let file = ram_file(node);
        let length = fs::metadata(folder.join(&file)).map_err(|e| format!("{file}: {e}"))?.len();
        if length != u64::from(spec.memory_per_node_mb()) << 20 {
            return Err(format!("{file} has {length} bytes"));
        }
    }
    Ok(())
}

/// How QEMU reaches a file with device state.
pub(crate) fn transfer_uri(qemu: &Qemu, path: &Path, shell: &str) -> String {
    if qemu.version >= Version::FILE_MIGRATION {
        format!("file:{}", path.display())
    } else {
        format!("exec:{shell} {}", quoted(&path.display().to_string()))
    }
}

/// Checks that QEMU can be told of files in `cache`.
pub(crate) fn check_path(cache: &Path) -> Result<(), VmError> {
    let why = match cache.to_str() {
        None => "it is no UTF-8 text",
        // QEMU takes what follows it in a `file:` for a number.
        Some(path) if path.contains(",offset=") => "QEMU reads `,offset=` in it as an option",
        Some(_) => return Ok(()),
    };
    Err(VmError::CachePath { path: cache.to_owned(), why })
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    use super::*;

    #[test]
    fn a_shell_reads_every_path_back() {
        let qemu = |version| Qemu { path: "q".into(), version, host_cpu: String::new() };
        let path = Path::new("/cache/o'brien/a b/state");
        let old = transfer_uri(&qemu(Version(8, 1, 0)), path, "cat >");
        assert_eq!(old, r"exec:cat > '/cache/o'\''brien/a b/state'");
        let new = transfer_uri(&qemu(Version::FILE_MIGRATION), path, "cat >");
        assert_eq!(new, "file:/cache/o'brien/a b/state");
    }

    #[test]
    fn a_cache_that_qemu_cannot_be_told_of_is_refused_by_name() {
        check_path(Path::new("/cache/o'brien/a, b")).unwrap();
        let said = |path| check_path(path).unwrap_err().to_string();
        let error = said(Path::new("/a,offset=1"));
        assert!(error.contains("/a,offset=1") && error.contains("KTSTR_CACHE_DIR"), "{error}");
        assert!(said(Path::new(OsStr::from_bytes(b"/a\xff"))).contains("UTF-8"));
    }
}
