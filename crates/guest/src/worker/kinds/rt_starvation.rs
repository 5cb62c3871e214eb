//! `RtStarvation`: workers under SCHED_FIFO that leave ordinary ones little time.

use std::time::Duration;

use ktstr_model::SchedPolicy;

use super::Members;
use crate::worker::parts::{Sleep, Spin, SpinOn, Then, Under};

/// How long a real-time worker leaves its CPU between bursts. Without, its CPU would do nothing else, not even what the
/// kernel leaves to ordinary threads.
const PAUSE: Duration = Duration::from_micros(50);

pub(super) fn members(rt_workers: usize, cfs_workers: usize, rt_priority: i32, burst_iters: u64) -> Members {
    let policy = SchedPolicy::Fifo(rt_priority.unsigned_abs());
    let mut members = Members::new();
    for _ in 0..rt_workers {
        members.push(Box::new(Under(policy, Then(Spin(burst_iters), Sleep(PAUSE)))));
    }
    for _ in 0..cfs_workers {
        members.push(Box::new(SpinOn));
    }
    members
}
