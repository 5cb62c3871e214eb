//! `PreemptStorm`: one worker under SCHED_FIFO that wakes often and computes for a short time, among ordinary ones that
//! spin.

use std::time::Duration;

use ktstr_model::SchedPolicy;

use super::Members;
use crate::worker::parts::{Sleep, Spin, SpinOn, Then, Under};

/// Any priority is above that of ordinary workers.
const PRIORITY: u32 = 50;

pub(super) fn members(cfs_workers: usize, rt_burst_iters: u64, rt_sleep_us: u64) -> Members {
    let bursts = Then(Spin(rt_burst_iters), Sleep(Duration::from_micros(rt_sleep_us)));
    let mut members: Members = vec![Box::new(Under(SchedPolicy::Fifo(PRIORITY), bursts))];
    for _ in 0..cfs_workers {
        members.push(Box::new(SpinOn));
    }
    members
}
