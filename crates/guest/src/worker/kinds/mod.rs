//! Work types: one file each, and one line in [`members`].
//!
//! A file has the work itself, as a struct that implements [`Work`], and a function `members` that makes those of one
//! group with what they share.

mod affinity_churn;
mod cgroup_churn;
mod custom;
mod fork_exit;
mod futex_fan_out;
mod io_convoy;
mod io_rand_read;
mod io_sync_write;
mod nice_sweep;
mod numa_migration_churn;
mod numa_working_set_sweep;
mod page_fault_churn;
mod pipe_io;
mod policy_churn;
mod spin_wait;
mod yield_heavy;

use ktstr_model::WorkType;

use super::group::GroupPlan;
use super::work::Work;
use crate::error::GuestError;

/// The members of one group, in order.
pub(crate) type Members = Vec<Box<dyn Work>>;

/// Makes the members of one group.
///
/// # Errors
/// When what they share cannot be had, or when this machine cannot carry the work.
pub(crate) fn members(work: &WorkType, plan: &GroupPlan<'_>) -> Result<Members, GuestError> {
    match *work {
        WorkType::SpinWait => Ok(spin_wait::members()),
        WorkType::YieldHeavy => Ok(yield_heavy::members()),
        WorkType::PipeIo { burst_iters } => pipe_io::members(burst_iters),
        WorkType::FutexFanOut { fan_out, spin_iters } => futex_fan_out::members(fan_out, spin_iters),
        WorkType::ForkExit => Ok(fork_exit::members()),
        WorkType::IoSyncWrite => Ok(io_sync_write::members()),
        WorkType::IoRandRead => Ok(io_rand_read::members()),
        WorkType::IoConvoy => io_convoy::members(),
        WorkType::NiceSweep => Ok(nice_sweep::members()),
        WorkType::AffinityChurn { spin_iters } => Ok(affinity_churn::members(spin_iters, plan)),
        WorkType::PolicyChurn { spin_iters } => Ok(policy_churn::members(spin_iters)),
        WorkType::NumaMigrationChurn { period_ms } => numa_migration_churn::members(period_ms, plan),
        WorkType::CgroupChurn { groups, cycle_ms } => cgroup_churn::members(groups, cycle_ms, plan),
        WorkType::PageFaultChurn { region_kb, touches_per_cycle, spin_iters } => {
            Ok(page_fault_churn::members(region_kb, touches_per_cycle, spin_iters))
        }
        WorkType::NumaWorkingSetSweep { region_kb, sweep_period_ms, ref target_nodes } => {
            numa_working_set_sweep::members(region_kb, sweep_period_ms, target_nodes, plan)
        }
        WorkType::Custom { run, .. } => Ok(custom::members(run)),
        _ => Err(GuestError::WorkTypeUnknown(work.name())),
    }
}
