//! Workers that are moved between levels of cgroups.

use anyhow::Result;
use ktstr_model::AssertResult;

use super::blocks::{collect_all, default_workload, start_all};
use crate::cgroup::CgroupGroup;
use crate::context::{Ctx, HoldEnd};
use crate::worker::WorkloadHandle;

/// Runs equal spinning workers that begin in `shallow`, are moved to `outer/middle/deep` and from there to
/// `outer/other`, and are a third of the time in each.
///
/// # Errors
/// When a cgroup or a worker cannot be made or moved.
pub fn nested_task_move(ctx: &Ctx) -> Result<AssertResult> {
    let mut cells = CgroupGroup::new(&ctx.cgroups);
    let way = ["shallow", "outer/middle/deep", "outer/other"];
    for name in way {
        cells.add_cgroup_no_cpuset(name)?;
    }
    let mut handles = vec![WorkloadHandle::spawn_config(ctx, cells.get(way[0])?, &default_workload(ctx))?];
    let mut end = start_all(ctx, &mut handles);
    for (from, to) in way.iter().zip(way.iter().skip(1).map(Some).chain([None])) {
        if end == HoldEnd::Elapsed {
            end = ctx.hold(ctx.duration / 3);
        }
        if let Some(to) = to {
            cells.get(from)?.move_all_to(cells.get(to)?)?;
        }
    }
    Ok(collect_all(handles, &ctx.assert))
}
