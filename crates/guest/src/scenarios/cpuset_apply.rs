//! Cgroups that are confined while their workers run.

use anyhow::Result;
use ktstr_model::{AssertResult, Backdrop, CpusetSpec, HoldSpec, Op};

use super::cell;
use crate::context::Ctx;
use crate::steps::{Step, execute_scenario};

/// Runs two cgroups on all CPUs for half of the time; then each is confined to a half of the usable CPUs.
///
/// # Errors
/// When a cgroup or a worker cannot be made, or when there are no two CPUs.
pub fn cpuset_apply(ctx: &Ctx) -> Result<AssertResult> {
    let confine = vec![
        Op::set_cpuset("cell_0", CpusetSpec::disjoint(0, 2)),
        Op::set_cpuset("cell_1", CpusetSpec::disjoint(1, 2)),
    ];
    let steps = vec![Step::new(vec![], HoldSpec::frac(0.5)), Step::new(confine, HoldSpec::frac(0.5))];
    execute_scenario(ctx, Backdrop::new().with_cgroup(cell(0)).with_cgroup(cell(1)), steps)
}
