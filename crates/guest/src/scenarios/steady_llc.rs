//! Two cgroups of equal workers, each with a last-level cache of its own.

use anyhow::Result;
use ktstr_model::{AssertResult, CpusetSpec};

use super::cell;
use crate::context::Ctx;
use crate::steps::execute_defs;

/// Runs two cgroups of equal spinning workers, the first confined to the first last-level cache, the second to the second.
/// Skipped on a machine with fewer than two that have usable CPUs.
///
/// # Errors
/// When a cgroup or a worker cannot be made.
pub fn steady_llc(ctx: &Ctx) -> Result<AssertResult> {
    let llcs = ctx.topo.split_by_llc().len();
    if llcs < 2 {
        return Ok(AssertResult::skip(format!("steady_llc needs 2 LLCs with usable CPUs; there is {llcs}")));
    }
    let confined = |number| cell(number).with_cpuset(CpusetSpec::llc(number));
    execute_defs(ctx, vec![confined(0), confined(1)])
}
