//! Two cgroups of equal spinning workers.

use anyhow::Result;
use ktstr_model::AssertResult;

use crate::context::Ctx;
use crate::worker::WorkloadHandle;

/// Runs two cgroups, `cell_0` and `cell_1`, of `ctx.workers_per_cgroup` equal workers each: they spin, the scheduler
/// settles, and what they get in `ctx.duration` after that is judged by `ctx.assert`.
///
/// When the scheduler dies meanwhile, the workers stop at once and are judged all the same.
///
/// # Errors
/// When a cgroup or a worker cannot be made.
pub fn steady(ctx: &Ctx) -> Result<AssertResult> {
    let work = ctx.work_type_override.clone().unwrap_or_default();
    let cells = [ctx.cgroups.create("cell_0")?, ctx.cgroups.create("cell_1")?];
    let workers = work.default_workers(ctx.workers_per_cgroup);
    let mut workloads = Vec::new();
    for cell in &cells {
        workloads.push(WorkloadHandle::spawn(ctx, cell, workers, work.clone())?);
    }
    workloads.iter_mut().for_each(|workload| workload.start_settling(ctx.settle));
    ctx.hold(ctx.settle + ctx.duration);
    workloads.iter_mut().for_each(WorkloadHandle::stop);
    let mut reports = Vec::new();
    for workload in workloads {
        reports.extend(workload.stop_and_collect()?);
    }
    Ok(ctx.judge(&reports))
}
