//! `PolicyChurn`: changes its scheduling policy, then computes.

use ktstr_model::SchedPolicy;

use super::Members;
use crate::worker::bench::Bench;
use crate::worker::settings::set_policy;
use crate::worker::work::{Trouble, Work};

/// In the order in which it takes them on. The last only where the kernel has sched_ext.
const POLICIES: [SchedPolicy; 6] = [
    SchedPolicy::Normal,
    SchedPolicy::Batch,
    SchedPolicy::Idle,
    SchedPolicy::Fifo(1),
    SchedPolicy::RoundRobin(1),
    SchedPolicy::Ext,
];

struct PolicyChurn {
    spin_iters: u64,
    /// How many of the policies there are.
    count: usize,
    next: usize,
}

pub(super) fn members(spin_iters: u64) -> Members {
    vec![Box::new(PolicyChurn { spin_iters, count: POLICIES.len(), next: 0 })]
}

impl Work for PolicyChurn {
    fn prepare(&mut self, bench: &mut Bench<'_>) -> Result<(), Trouble> {
        if set_policy(SchedPolicy::Ext).is_err() {
            bench.remark("this kernel has no SCHED_EXT: goes through the other five policies");
            self.count -= 1;
        }
        set_policy(SchedPolicy::Normal)
    }

    fn step(&mut self, bench: &mut Bench<'_>) -> Result<(), Trouble> {
        set_policy(POLICIES[self.next])?;
        self.next = (self.next + 1) % self.count;
        bench.spin(self.spin_iters);
        Ok(())
    }
}
