//! Workers that get other nice values.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use ktstr_model::{NiceChange, Stimulus};
use rustix::process::{Pid, setpriority_process};

use super::stimulus;
use super::timetable::Timetable;
use crate::clock::monotonic_ns;

/// The changes, and the workers that there are.
#[derive(Debug)]
pub(super) struct Niceness {
    /// By time.
    changes: Vec<NiceChange>,
    /// Thread ids by the worker's number in the run.
    workers: Mutex<BTreeMap<u32, u32>>,
}

impl Niceness {
    pub(super) fn new(changes: &[NiceChange]) -> Self {
        let mut changes = changes.to_vec();
        changes.sort_by_key(|change| change.at_ns);
        Self { changes, workers: Mutex::default() }
    }

    /// Gives new workers, by number and thread id, the values that are theirs at this time of the body.
    pub(super) fn workers_began(&self, began: impl Iterator<Item = (u32, u32)>, elapsed_ns: u64) {
        if self.changes.is_empty() {
            return;
        }
        let mut workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        for (worker, tid) in began {
            workers.insert(worker, tid);
            let due = |change: &&NiceChange| change.worker == worker && change.at_ns <= elapsed_ns;
            if let Some(change) = self.changes.iter().rev().find(due) {
                set(tid, change.nice);
            }
        }
    }

    /// Makes the changes when they are due. Those at the very beginning are made when their workers begin.
    pub(super) fn carry_out(&self, timetable: &Timetable) -> Vec<Stimulus> {
        let mut done = Vec::new();
        for change in self.changes.iter().filter(|change| change.at_ns > 0) {
            if !timetable.wait_until(change.at_ns) {
                break;
            }
            let began_ns = monotonic_ns();
            let workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(tid) = workers.get(&change.worker).copied()
                && set(tid, change.nice)
            {
                done.push(stimulus(began_ns, format!("worker {} to nice {}", change.worker, change.nice)));
            }
        }
        done
    }
}

/// Whether the worker could be given the value: not when it has ended.
fn set(tid: u32, nice: i8) -> bool {
    let tid = i32::try_from(tid).ok().and_then(Pid::from_raw);
    tid.is_some_and(|tid| setpriority_process(Some(tid), nice.into()).is_ok())
}
