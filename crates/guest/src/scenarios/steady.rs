//! Two cgroups of equal spinning workers.

use anyhow::Result;
use ktstr_model::AssertResult;

use super::cell;
use crate::context::Ctx;
use crate::steps::execute_defs;

/// Runs two cgroups, `cell_0` and `cell_1`, of `ctx.workers_per_cgroup` equal workers each: they spin, the scheduler
/// settles, and what they get in `ctx.duration` after that is judged by `ctx.assert`.
///
/// When the scheduler dies meanwhile, the workers stop at once and are judged all the same.
///
/// # Errors
/// When a cgroup or a worker cannot be made.
pub fn steady(ctx: &Ctx) -> Result<AssertResult> {
    execute_defs(ctx, vec![cell(0), cell(1)])
}
