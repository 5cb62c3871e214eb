//! Cells whose machine this host cannot carry.

use std::fs;

use ktstr_model::{Mode, ModeChoice, TestSpec};
use ktstr_vm::Qemu;

use crate::settings::Settings;

/// Why the machine of `spec` cannot be had here, whatever the test; `None` when it can, or when something else is wrong
/// that the run will tell of.
pub(super) fn reason(spec: &TestSpec, settings: &Settings) -> Option<String> {
    let topology = spec.resolved_topology().ok()?;
    let needed_mb = spec.guest_memory_mb(&topology);
    if let Some(reason) = too_much_memory(needed_mb, &fs::read_to_string("/proc/meminfo").ok()?) {
        return Some(format!("{topology} {reason}"));
    }
    let qemu = Qemu::find().ok()?;
    let choice = if spec.mode == ModeChoice::Auto { settings.mode } else { spec.mode };
    // What real time may carry, is tried; a machine that neither mode carries is too large for both.
    let mode = if choice == ModeChoice::RealTime { Mode::RealTime } else { Mode::Deterministic };
    qemu.check_size(&topology, mode).err().map(|error| error.to_string())
}

/// `meminfo` is the text of `/proc/meminfo` (proc(5)).
fn too_much_memory(needed_mb: u32, meminfo: &str) -> Option<String> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let has_mb = line.split_whitespace().next()?.parse::<u64>().ok()? >> 10;
    (u64::from(needed_mb) > has_mb)
        .then(|| format!("takes {needed_mb} MiB of memory; this host has {has_mb} MiB"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_compared_with_the_hosts() {
        let meminfo = "MemTotal:        8388608 kB\nMemFree:         100 kB\n";
        assert_eq!(too_much_memory(8192, meminfo), None);
        assert_eq!(
            too_much_memory(8193, meminfo).as_deref(),
            Some("takes 8193 MiB of memory; this host has 8192 MiB")
        );
        assert_eq!(too_much_memory(8193, "?"), None);
    }
}
