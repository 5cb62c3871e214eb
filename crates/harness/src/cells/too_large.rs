//! Cells whose machine this host cannot carry: they are skipped, with the reason.

use ktstr_model::{Mode, ModeChoice, TestSpec, Topology};
use ktstr_vm::{KnownKvm, Qemu, check_size, host_memory_mb};
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

/// Those of `cells` that this host cannot carry. No machine is started: of the modes that `auto` may mean here, `auto`, a cell
/// has to fit one.
pub(crate) fn too_large(cells: &[Listed], qemu: &Qemu, choice: ModeChoice, auto: &[Mode]) -> Vec<TooLarge> {
    let reason = |cell: &Listed| {
        let why = fits(&cell.spec, qemu, choice, auto).err().filter(HarnessError::is_of_size)?;
        Some(TooLarge { cell: cell.name.clone(), why: why.to_string() })
    };
    cells.iter().filter_map(reason).collect()
}

/// The modes that `auto` may mean on a host of whose KVM so much is known; the likelier one last.
pub(crate) fn modes_of_auto(kvm: &KnownKvm) -> &'static [Mode] {
    match kvm {
        KnownKvm::Works => &[Mode::RealTime],
        KnownKvm::Fails(_) => &[Mode::Deterministic],
        KnownKvm::Unproved => &[Mode::Deterministic, Mode::RealTime],
    }
}

fn fits(spec: &TestSpec, qemu: &Qemu, choice: ModeChoice, auto: &[Mode]) -> Result<(), HarnessError> {
    let topology = spec.resolved_topology()?;
    fits_memory(spec, topology)?;
    let choice = if spec.mode == ModeChoice::Auto { choice } else { spec.mode };
    let modes = match choice {
        ModeChoice::Auto => auto,
        ModeChoice::RealTime => &[Mode::RealTime],
        ModeChoice::Deterministic => &[Mode::Deterministic],
    };
    let mut fitting = Ok(());
    for mode in modes {
        fitting = check_size(qemu, &topology, *mode);
        if fitting.is_ok() {
            break;
        }
    }
    Ok(fitting?)
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
        let without_kvm = modes_of_auto(&KnownKvm::Fails("/dev/kvm: not there".to_owned()));
        let found = too_large(&cells, &qemu, ModeChoice::Auto, without_kvm);
        let [memory, ids] = &found[..] else { panic!("{found:?}") };
        assert_eq!(memory.cell, "gauntlet/large/a");
        assert!(
            memory.why.starts_with("1n1l2c1t takes 4294967295 MiB of memory; this host has"),
            "{memory:?}"
        );
        assert_eq!(ids.cell, "gauntlet/small/b");
        assert!(ids.why.contains("APIC ids up to 433"), "{ids:?}");
    }

    #[test]
    fn what_is_too_large_for_one_mode_may_run_in_the_other() {
        let spec = TestSpec::new("many", "c").on(&Topology::of(1, 14, 9, 2));
        let cells = [Listed { name: "gauntlet/many/max-cpu".to_owned(), ignored: true, spec }];
        let qemu = Qemu { path: "q".into(), version: Version(10, 0, 0), host_cpu: String::new() };
        let found = |choice, kvm| too_large(&cells, &qemu, choice, modes_of_auto(&kvm)).len();
        assert_eq!(found(ModeChoice::Auto, KnownKvm::Works), 0);
        assert_eq!(found(ModeChoice::Auto, KnownKvm::Unproved), 0, "nobody knows yet");
        assert_eq!(found(ModeChoice::Auto, KnownKvm::Fails(String::new())), 1);
        assert_eq!(found(ModeChoice::Deterministic, KnownKvm::Works), 1);
    }
}
