//! Cpusets that grow at each other's cost while workers run.

use anyhow::Result;
use ktstr_model::{AssertResult, Backdrop, CpusetSpec, HoldSpec, Op};

use super::cell;
use crate::context::Ctx;
use crate::steps::{Step, execute_scenario};

/// Runs two cgroups that share the usable CPUs out between them: half and half, then a quarter and three quarters, then
/// the other way round, each for a third of the time.
///
/// # Errors
/// When a cgroup or a worker cannot be made, or when there are no two CPUs.
pub fn cpuset_resize(ctx: &Ctx) -> Result<AssertResult> {
    let (left, right) = (|border| CpusetSpec::range(0.0, border), |border| CpusetSpec::range(border, 1.0));
    let share_out =
        |border| vec![Op::set_cpuset("cell_0", left(border)), Op::set_cpuset("cell_1", right(border))];
    let backdrop = Backdrop::new()
        .with_cgroup(cell(0).with_cpuset(left(0.5)))
        .with_cgroup(cell(1).with_cpuset(right(0.5)));
    let third = HoldSpec::frac(1.0 / 3.0);
    let steps =
        vec![Step::new(vec![], third), Step::new(share_out(0.25), third), Step::new(share_out(0.75), third)];
    execute_scenario(ctx, backdrop, steps)
}
