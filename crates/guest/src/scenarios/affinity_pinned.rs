//! Workers that all want the same CPU.

use anyhow::Result;
use ktstr_model::{AffinityIntent, AssertResult, CpusetSpec};

use super::cell;
use crate::context::Ctx;
use crate::steps::execute_defs;

/// Runs two cgroups of equal spinning workers, each confined to a half of the usable CPUs, with all workers of a cgroup
/// pinned to the first CPU of it.
///
/// # Errors
/// When a cgroup or a worker cannot be made, or when there are no two CPUs.
pub fn affinity_pinned(ctx: &Ctx) -> Result<AssertResult> {
    let pinned = |number| {
        cell(number).with_cpuset(CpusetSpec::disjoint(number, 2)).affinity(AffinityIntent::SingleCpu)
    };
    execute_defs(ctx, vec![pinned(0), pinned(1)])
}
