//! Work types: one file each, and one line in [`members`].
//!
//! A file has the work itself, as a struct that implements [`Work`], and a function `members` that makes those of one
//! group with what they share.

mod custom;
mod fork_exit;
mod futex_fan_out;
mod pipe_io;
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
    let _ = plan;
    match *work {
        WorkType::SpinWait => Ok(spin_wait::members()),
        WorkType::YieldHeavy => Ok(yield_heavy::members()),
        WorkType::PipeIo { burst_iters } => pipe_io::members(burst_iters),
        WorkType::FutexFanOut { fan_out, spin_iters } => futex_fan_out::members(fan_out, spin_iters),
        WorkType::ForkExit => Ok(fork_exit::members()),
        WorkType::Custom { run, .. } => Ok(custom::members(run)),
        _ => Err(GuestError::WorkTypeUnknown(work.name())),
    }
}
