//! `PriorityInversion`: workers of low and high priority that share a lock, and others of medium priority that keep the
//! CPUs busy.

use std::time::Duration;

use ktstr_model::{FutexLockMode, SchedPolicy};

use super::Members;
use super::mutex_contention::Contender;
use crate::error::GuestError;
use crate::worker::lock::Lock;
use crate::worker::parts::{Sleep, SpinFor, Then, Under};

const HIGH: SchedPolicy = SchedPolicy::Fifo(50);
const MEDIUM: SchedPolicy = SchedPolicy::Fifo(25);
/// How long those of high priority stay away from the lock: else no other would come to hold it.
const AWAY: Duration = Duration::from_millis(1);
/// How long those of medium priority keep a CPU, and how long they leave it for others to take the lock.
const BUSY: Duration = Duration::from_millis(5);
const PAUSE: Duration = Duration::from_millis(1);

/// How many there are of each.
pub(super) struct Counts {
    pub high: usize,
    pub medium: usize,
    pub low: usize,
}

pub(super) fn members(
    counts: &Counts,
    hold_iters: u64,
    work_iters: u64,
    mode: FutexLockMode,
) -> Result<Members, GuestError> {
    let lock = Lock::new(mode)?;
    let contender = || Contender { lock: lock.clone(), hold_iters, work_iters };
    let mut members = Members::new();
    for _ in 0..counts.high {
        members.push(Box::new(Under(HIGH, Then(contender(), Sleep(AWAY)))));
    }
    for _ in 0..counts.medium {
        members.push(Box::new(Under(MEDIUM, Then(SpinFor(BUSY), Sleep(PAUSE)))));
    }
    for _ in 0..counts.low {
        members.push(Box::new(contender()));
    }
    Ok(members)
}
