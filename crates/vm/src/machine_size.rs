//! How many virtual CPUs a machine can have on this host.

use ktstr_host::Version;
use ktstr_model::{Mode, Topology};

use crate::error::VmError;
use crate::kvm_limit;
use crate::qemu::Qemu;

/// CPUs that a q35 machine has at most before QEMU 8.1 (`max_cpus` of its hw/i386/pc_q35.c).
const MOST_CPUS_OF_OLD: u32 = 288;
/// The highest id that an APIC has without x2APIC.
const HIGHEST_XAPIC_ID: u32 = 254;

/// Checks that a machine with these CPUs can be had here: from this QEMU, and in real-time mode from the host's KVM.
///
/// # Errors
/// When it cannot, with the limit.
pub fn check_size(qemu: &Qemu, topology: &Topology, mode: Mode) -> Result<(), VmError> {
    check_qemu(qemu.version, *topology, mode)?;
    // Without an answer QEMU's own will have to do.
    let most = (mode == Mode::RealTime).then(kvm_limit::most_vcpus).flatten();
    check_kvm(most, *topology)
}

fn check_qemu(version: Version, topology: Topology, mode: Mode) -> Result<(), VmError> {
    if topology.cpus() > MOST_CPUS_OF_OLD && version < Version::MORE_CPUS {
        return Err(VmError::TooManyCpus { topology, most: MOST_CPUS_OF_OLD, version });
    }
    // Seen with QEMU 10.0 and Linux 7.3: without an IOMMU the kernel leaves such CPUs out ("has invalid APIC ID"), and
    // with `-device intel-iommu,intremap=on,eim=on` QEMU ends at the first interrupt ("Bad icount read").
    if mode == Mode::Deterministic && needs_x2apic(&topology) {
        return Err(VmError::ApicIds { topology, highest: highest_apic_id(&topology) });
    }
    Ok(())
}

fn check_kvm(most: Option<u32>, topology: Topology) -> Result<(), VmError> {
    match most {
        Some(most) if topology.cpus() > most => Err(VmError::TooManyForKvm { topology, most }),
        _ => Ok(()),
    }
}

/// Whether its APIC ids are too high for plain APICs.
pub(crate) fn needs_x2apic(topology: &Topology) -> bool {
    highest_apic_id(topology) > HIGHEST_XAPIC_ID
}

/// The highest APIC id: each level takes whole bits, so SMT and odd counts leave gaps.
fn highest_apic_id(topology: &Topology) -> u32 {
    let bits = |count: u32| count.next_power_of_two().trailing_zeros();
    let thread_bits = bits(topology.threads_per_core());
    let core_bits = thread_bits + bits(topology.cores_per_llc());
    let die_bits = core_bits + bits(topology.llcs_per_node());
    ((topology.numa_nodes() - 1) << die_bits)
        | ((topology.llcs_per_node() - 1) << core_bits)
        | ((topology.cores_per_llc() - 1) << thread_bits)
        | (topology.threads_per_core() - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn apic_ids_leave_gaps() {
        assert_eq!(highest_apic_id(&Topology::of(1, 2, 4, 1)), 7);
        assert_eq!(highest_apic_id(&Topology::of(1, 3, 3, 1)), 2 << 2 | 2);
        assert_eq!(highest_apic_id(&Topology::of(1, 14, 9, 2)), 13 << 5 | 8 << 1 | 1);
    }

    #[test]
    fn machines_too_large_for_qemu() {
        let size =
            |version, topology, mode| check_qemu(version, topology, mode).map_err(|error| error.to_string());
        let gaps = Topology::of(1, 14, 9, 2);
        let error = size(Version(10, 0, 0), gaps, Mode::Deterministic).unwrap_err();
        assert!(error.contains("433") && error.contains("real-time mode"), "{error}");
        assert_eq!(size(Version(8, 2, 0), gaps, Mode::RealTime), Ok(()));
        assert_eq!(size(Version(10, 0, 0), Topology::of(1, 15, 8, 2), Mode::Deterministic), Ok(()));
        let many = Topology::of(1, 17, 17, 1);
        let error = size(Version(7, 2, 17), many, Mode::RealTime).unwrap_err();
        assert!(error.contains("289 CPUs") && error.contains("288"), "{error}");
        assert_eq!(size(Version(8, 1, 0), many, Mode::RealTime), Ok(()));
    }

    #[test]
    fn machines_too_large_for_kvm() {
        let size = |most| check_kvm(most, Topology::of(1, 4, 4, 1)).map_err(|error| error.to_string());
        assert_eq!([size(None), size(Some(16))], [Ok(()), Ok(())]);
        assert_eq!(
            size(Some(15)).unwrap_err(),
            "1n4l4c1t has 16 CPUs; this host's KVM gives a machine 15 at most"
        );
    }
}
