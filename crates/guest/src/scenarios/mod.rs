//! Canned scenarios: a workload, a time, a verdict. One file each, found by its name; and the blocks to build others from.
//!
//! Their workers do what `ctx.work_type_override` says, when it says something. All are judged by `ctx.assert`.

mod affinity_change;
mod affinity_pinned;
mod blocks;
mod cgroup_add;
mod cgroup_remove;
mod cpuset_apply;
mod cpuset_clear;
mod cpuset_resize;
mod host_contention;
mod mixed_workloads;
mod nested_steady;
mod nested_task_move;
mod oversubscribed;
mod steady;
mod steady_llc;

pub use affinity_change::affinity_change;
pub use affinity_pinned::affinity_pinned;
pub use blocks::{collect_all, default_workload, setup_cgroups, spawn_diverse};
pub use cgroup_add::cgroup_add;
pub use cgroup_remove::cgroup_remove;
pub use cpuset_apply::cpuset_apply;
pub use cpuset_clear::cpuset_clear;
pub use cpuset_resize::cpuset_resize;
pub use host_contention::host_contention;
pub use mixed_workloads::mixed_workloads;
pub use nested_steady::nested_steady;
pub use nested_task_move::nested_task_move;
pub use oversubscribed::oversubscribed;
pub use steady::steady;
pub use steady_llc::steady_llc;

/// A cgroup of a canned scenario.
fn cell(number: usize) -> ktstr_model::CgroupDef {
    ktstr_model::CgroupDef::named(format!("cell_{number}")).swappable(true)
}
