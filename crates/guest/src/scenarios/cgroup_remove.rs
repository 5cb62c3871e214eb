//! Cgroups that leave others while they run.

use anyhow::Result;
use ktstr_model::{AssertResult, Backdrop, HoldSpec, Op};

use super::cell;
use crate::context::Ctx;
use crate::steps::{Step, execute_scenario};

/// Runs four cgroups of equal spinning workers for half of the time; then two of them are removed, with their workers.
///
/// # Errors
/// When a cgroup or a worker cannot be made.
pub fn cgroup_remove(ctx: &Ctx) -> Result<AssertResult> {
    let cells = (0..4).map(cell).collect();
    let remove = vec![Op::remove_cgroup("cell_2"), Op::remove_cgroup("cell_3")];
    let half = HoldSpec::frac(0.5);
    let steps = vec![Step::new(vec![], half), Step::new(remove, half)];
    execute_scenario(ctx, Backdrop { cgroups: cells, ..Backdrop::EMPTY }, steps)
}
