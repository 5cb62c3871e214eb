//! Cells whose machine this host cannot carry: they are skipped, with the reason.

use ktstr_model::{Mode, ModeChoice, TestSpec, Topology};
use ktstr_vm::{Qemu, check_size, host_memory_mb};
use serde::{Deserialize, Serialize};

use super::Listed;
use crate::error::HarnessError;

/// A cell that this host cannot carry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TooLarge {
    /// Its name.
    pub cell: String,
    /// Why, in the words that its run says.
    pub why: String,
}

impl TooLarge {
    /// The argument that makes a test binary print its cells that are too large for this host in the mode of `KTSTR_MODE`, each
    /// as JSON in a line of its own. It runs nothing then.
    pub const ARGUMENT: &str = "--ktstr-too-large";
}

/// Those of `cells` that this host cannot carry. No machine is started, so `auto` counts as deterministic: whether KVM works is
/// not tried.
pub(crate) fn too_large(cells: &[Listed], qemu: &Qemu, choice: ModeChoice) -> Vec<TooLarge> {
    let reason = |cell: &Listed| {
        let why = fits(&cell.spec, qemu, choice).err().filter(HarnessError::is_of_size)?;
        Some(TooLarge { cell: cell.name.clone(), why: why.to_string() })
    };
    cells.iter().filter_map(reason).collect()
}

fn fits(spec: &TestSpec, qemu: &Qemu, choice: ModeChoice) -> Result<(), HarnessError> {
    let topology = spec.resolved_topology()?;
    fits_memory(spec, topology)?;
    let choice = if spec.mode == ModeChoice::Auto { choice } else { spec.mode };
    let mode = if choice == ModeChoice::RealTime { Mode::RealTime } else { Mode::Deterministic };
    Ok(check_size(qemu, &topology, mode)?)
}

/// A test that was asked for by its own name is tried whatever its guest's size: most of it may never be used.
pub(crate) fn fits_memory(spec: &TestSpec, topology: Topology) -> Result<(), HarnessError> {
    let needed_mb = spec.guest_memory_mb(&topology);
    match host_memory_mb() {
        Some(has_mb) if u64::from(needed_mb) > has_mb => {
            Err(HarnessError::TooMuchMemory { topology, needed_mb, has_mb })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use ktstr_vm::Version;

    use super::*;

    #[test]
    fn what_does_not_fit_is_told_and_the_rest_is_not() {
        let small = TestSpec::new("small", "c").on(&Topology::of(1, 1, 2, 1));
        let cell = |name: &str, spec: TestSpec| Listed { name: name.to_owned(), ignored: true, spec };
        let cells = [
            cell("gauntlet/small/a", small),
            cell("gauntlet/large/a", TestSpec { memory_mb: u32::MAX, ..small }),
            cell("gauntlet/small/b", small.on(&Topology::of(1, 14, 9, 2))),
        ];
        let qemu = Qemu { path: "q".into(), version: Version(8, 2, 0), host_cpu: String::new() };
        let found = too_large(&cells, &qemu, ModeChoice::Auto);
        let [memory, ids] = &found[..] else { panic!("{found:?}") };
        assert_eq!(memory.cell, "gauntlet/large/a");
        assert!(
            memory.why.starts_with("1n1l2c1t takes 4294967295 MiB of memory; this host has"),
            "{memory:?}"
        );
        assert_eq!(ids.cell, "gauntlet/small/b");
        assert!(ids.why.contains("APIC ids up to 433"), "{ids:?}");
    }
}
