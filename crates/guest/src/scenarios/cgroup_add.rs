//! A cgroup that joins others while they run.

use anyhow::Result;
use ktstr_model::{AssertResult, Backdrop, HoldSpec};

use super::cell;
use crate::context::Ctx;
use crate::steps::{Step, execute_scenario};

/// Runs two cgroups of equal spinning workers all the time, and a third one in the second half of it.
///
/// # Errors
/// When a cgroup or a worker cannot be made.
pub fn cgroup_add(ctx: &Ctx) -> Result<AssertResult> {
    let half = HoldSpec::frac(0.5);
    let steps = vec![Step::new(vec![], half), Step::with_defs(vec![cell(2)], half)];
    execute_scenario(ctx, Backdrop::new().with_cgroup(cell(0)).with_cgroup(cell(1)), steps)
}
