//! Confined cgroups that are let loose while their workers run.

use anyhow::Result;
use ktstr_model::{AssertResult, Backdrop, CpusetSpec, HoldSpec, Op};

use super::cell;
use crate::context::Ctx;
use crate::steps::{Step, execute_scenario};

/// Runs two cgroups, each confined to a half of the usable CPUs, for half of the time; then both may use all CPUs.
///
/// # Errors
/// When a cgroup or a worker cannot be made, or when there are no two CPUs.
pub fn cpuset_clear(ctx: &Ctx) -> Result<AssertResult> {
    let confined = |number| cell(number).with_cpuset(CpusetSpec::disjoint(number, 2));
    let clear = vec![Op::clear_cpuset("cell_0"), Op::clear_cpuset("cell_1")];
    let steps = vec![Step::new(vec![], HoldSpec::frac(0.5)), Step::new(clear, HoldSpec::frac(0.5))];
    execute_scenario(ctx, Backdrop::new().with_cgroup(confined(0)).with_cgroup(confined(1)), steps)
}
