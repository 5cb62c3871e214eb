//! Cgroups against workers that are in none.

use anyhow::Result;
use ktstr_model::{AssertResult, HoldSpec, Op, WorkSpec};

use super::cell;
use crate::context::Ctx;
use crate::steps::{Step, execute_steps};

/// Runs two cgroups of equal spinning workers, and outside of all cgroups of the test one spinning worker to a CPU.
///
/// # Errors
/// When a cgroup or a worker cannot be made.
pub fn host_contention(ctx: &Ctx) -> Result<AssertResult> {
    let everywhere = WorkSpec::default().workers(ctx.topo.cpus().len());
    let step = Step::with_defs(vec![cell(0), cell(1)], HoldSpec::FULL);
    execute_steps(ctx, vec![step.with_ops(vec![Op::spawn_host(everywhere)])])
}
