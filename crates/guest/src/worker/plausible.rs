//! What can be said against workers before any is made.

use std::collections::BTreeSet;

use ktstr_model::{CpuSet, WorkloadConfig};

use super::affinity;
use super::mem_policy::KernelPolicy;
use crate::error::GuestError;
use crate::topology::TestTopology;
use ktstr_model::SplitMix64;

/// Whether these workers make sense in a cgroup that may use these CPUs and nodes; their memory policy as the kernel
/// takes it.
///
/// # Errors
/// When they do not: their number, affinity, memory policy, nice value or priority.
pub(crate) fn check(
    config: &WorkloadConfig,
    topology: &TestTopology,
    cpus: &CpuSet,
    nodes: &BTreeSet<usize>,
) -> Result<Option<KernelPolicy>, GuestError> {
    config.work_type.validate(config.num_workers)?;
    // Whether there are such CPUs does not depend on chance.
    affinity::resolve(&config.affinity, topology, cpus, &mut SplitMix64::of_worker(0, 0))?;
    if let Some(nice) = config.nice.filter(|nice| !(-20..=19).contains(nice)) {
        return Err(GuestError::Nice(nice));
    }
    if !config.sched_policy.in_range() {
        return Err(GuestError::Priority(config.sched_policy));
    }
    KernelPolicy::new(&config.mem_policy, config.mpol_flags, nodes)
}

/// Whether the workers of a cgroup that may use these CPUs can change their affinity to this.
///
/// # Errors
/// When these are CPUs that the machine or the cgroup does not have.
pub(crate) fn check_affinity(
    affinity: &ktstr_model::AffinityIntent,
    topology: &TestTopology,
    cpus: &CpuSet,
) -> Result<(), GuestError> {
    affinity::resolve(affinity, topology, cpus, &mut SplitMix64::of_worker(0, 0)).map(drop)
}
