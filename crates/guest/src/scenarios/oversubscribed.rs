//! Far more workers than CPUs.

use anyhow::Result;
use ktstr_model::{AssertResult, WorkType};

use super::cell;
use crate::context::Ctx;
use crate::steps::execute_defs;

/// Runs two cgroups of spinning workers, each with twice as many as there are CPUs: four to a CPU in all.
///
/// # Errors
/// When a cgroup or a worker cannot be made.
pub fn oversubscribed(ctx: &Ctx) -> Result<AssertResult> {
    let work = ctx.work_type_override.clone().unwrap_or(WorkType::SpinWait);
    let workers = work.default_workers(2 * ctx.topo.cpus().len());
    execute_defs(ctx, vec![cell(0).workers(workers), cell(1).workers(workers)])
}
