//! Workers that are told to run elsewhere while they run.

use anyhow::Result;
use ktstr_model::{AffinityIntent, AssertResult, Backdrop, HoldSpec, Op};

use super::cell;
use crate::context::Ctx;
use crate::steps::{Step, execute_scenario};

/// Runs two cgroups of equal spinning workers. Those of the first ask for one half of the usable CPUs, then for the other
/// half, then for none in particular, each for a quarter of the time; those of the second ask for nothing.
///
/// # Errors
/// When a cgroup or a worker cannot be made, or when there are no two CPUs.
pub fn affinity_change(ctx: &Ctx) -> Result<AssertResult> {
    let quarter = HoldSpec::frac(0.25);
    let ask = |affinity| Step::new(vec![Op::set_affinity("cell_0", affinity)], quarter);
    let mut steps = vec![Step::new(vec![], quarter)];
    steps.extend(ctx.topo.disjoint_cpusets(2)?.into_iter().map(AffinityIntent::Exact).map(ask));
    steps.push(ask(AffinityIntent::Inherit));
    execute_scenario(ctx, Backdrop::new().with_cgroup(cell(0)).with_cgroup(cell(1)), steps)
}
