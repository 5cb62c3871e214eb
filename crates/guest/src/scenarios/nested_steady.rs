//! Workers at several levels of cgroups.

use anyhow::Result;
use ktstr_model::AssertResult;

use super::blocks::{default_workload, work_and_judge};
use crate::cgroup::CgroupGroup;
use crate::context::Ctx;
use crate::worker::WorkloadHandle;

/// Runs equal spinning workers in three cgroups of different depth: `outer_0/inner_0`, `outer_0/inner_1` beside it, and
/// `outer_1/middle/inner` two levels down.
///
/// # Errors
/// When a cgroup or a worker cannot be made.
pub fn nested_steady(ctx: &Ctx) -> Result<AssertResult> {
    let mut cells = CgroupGroup::new(&ctx.cgroups);
    let mut handles = Vec::new();
    for name in ["outer_0/inner_0", "outer_0/inner_1", "outer_1/middle/inner"] {
        let cell = cells.add_cgroup_no_cpuset(name)?;
        handles.push(WorkloadHandle::spawn_config(ctx, cell, &default_workload(ctx))?);
    }
    Ok(work_and_judge(ctx, handles))
}
