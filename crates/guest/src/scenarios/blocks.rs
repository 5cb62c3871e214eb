//! What scenarios are built from when steps do not fit.

use std::time::Duration;

use anyhow::Result;
use ktstr_checks::judge_workers;
use ktstr_model::{Assert, AssertResult, WorkType, WorkloadConfig};

use crate::cgroup::CgroupGroup;
use crate::context::{Ctx, HoldEnd};
use crate::worker::WorkloadHandle;

/// How long bursty workers work, and sleep.
const BURST: Duration = Duration::from_millis(10);

/// What workers do unless something else is said: `ctx.workers_per_cgroup` of them, in whole groups of
/// `ctx.work_type_override`, or spinning.
pub fn default_workload(ctx: &Ctx) -> WorkloadConfig {
    let work = ctx.work_type_override.clone().unwrap_or_default();
    let workers = work.default_workers(ctx.workers_per_cgroup);
    WorkloadConfig::of(work, workers)
}

/// Makes cgroups `cell_0`, `cell_1` and so on with these workers in each, who wait to be started. The cgroups are removed
/// when the group is dropped; stop the workers before.
///
/// # Errors
/// When a cgroup or a worker cannot be made.
pub fn setup_cgroups<'ctx>(
    ctx: &'ctx Ctx,
    count: usize,
    workload: &WorkloadConfig,
) -> Result<(Vec<WorkloadHandle<'ctx>>, CgroupGroup<'ctx>)> {
    let mut cells = CgroupGroup::new(&ctx.cgroups);
    let mut handles = Vec::new();
    for number in 0..count {
        let cell = cells.add_cgroup_no_cpuset(&format!("cell_{number}"))?;
        handles.push(WorkloadHandle::spawn_config(ctx, cell, workload)?);
    }
    Ok((handles, cells))
}

/// Gives each of these cgroups workers of another kind: the first ones spin, the next ones work in bursts, then come
/// workers that write to files, that yield, and that talk through pipes, and then these again. They wait to be started.
///
/// # Errors
/// When there is no such cgroup, or when a worker cannot be made.
pub fn spawn_diverse<'ctx>(
    ctx: &'ctx Ctx,
    cells: &CgroupGroup<'_>,
    names: &[&str],
) -> Result<Vec<WorkloadHandle<'ctx>>> {
    let spawn = |(name, work): (&&str, WorkType)| {
        let workers = work.default_workers(ctx.workers_per_cgroup);
        Ok(WorkloadHandle::spawn(ctx, cells.get(name)?, workers, work)?)
    };
    names.iter().zip(diverse_work().into_iter().cycle()).map(spawn).collect()
}

/// Stops all workers at the same time and judges them. Workers that cannot be waited for are a violation.
pub fn collect_all(mut handles: Vec<WorkloadHandle<'_>>, checks: &Assert) -> AssertResult {
    handles.iter_mut().for_each(WorkloadHandle::stop);
    let (mut reports, mut lost) = (Vec::new(), AssertResult::pass());
    for handle in handles {
        let cgroup = handle.cgroup().to_owned();
        match handle.stop_and_collect() {
            Ok(more) => reports.extend(more),
            Err(error) => {
                lost.merge(AssertResult::fail_msg(format!("the workers of {cgroup} are lost: {error}")));
            }
        }
    }
    let mut result = judge_workers(checks, &reports);
    result.merge(lost);
    result
}

/// Work of very different kinds.
pub(super) fn diverse_work() -> Vec<WorkType> {
    vec![
        WorkType::SpinWait,
        WorkType::bursty(BURST, BURST),
        WorkType::IoSyncWrite,
        WorkType::YieldHeavy,
        WorkType::pipe_io(1000),
    ]
}

/// Lets all workers go at the same time and waits until the scheduler has settled.
pub(super) fn start_all(ctx: &Ctx, handles: &mut [WorkloadHandle<'_>]) -> HoldEnd {
    for handle in &*handles {
        handle.wait_until_ready();
    }
    handles.iter_mut().for_each(|handle| handle.start_settling(ctx.settle));
    ctx.hold(ctx.settle)
}

/// Lets all workers go, waits for `ctx.duration`, stops them and judges them by `ctx.assert`.
pub(super) fn work_and_judge(ctx: &Ctx, mut handles: Vec<WorkloadHandle<'_>>) -> AssertResult {
    if start_all(ctx, &mut handles) == HoldEnd::Elapsed {
        ctx.hold(ctx.duration);
    }
    collect_all(handles, &ctx.assert)
}
