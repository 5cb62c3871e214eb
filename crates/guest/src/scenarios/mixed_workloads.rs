//! Cgroups whose workers have little in common.

use anyhow::Result;
use ktstr_model::AssertResult;

use super::blocks::diverse_work;
use super::cell;
use crate::context::Ctx;
use crate::steps::execute_defs;

/// Runs a cgroup each of workers that spin, that work in bursts, that write to files, that yield, and that talk through
/// pipes.
///
/// # Errors
/// When a cgroup or a worker cannot be made.
pub fn mixed_workloads(ctx: &Ctx) -> Result<AssertResult> {
    let cells = diverse_work().into_iter().enumerate().map(|(number, work)| cell(number).work_type(work));
    execute_defs(ctx, cells.collect())
}
