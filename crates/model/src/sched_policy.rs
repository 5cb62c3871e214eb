//! Scheduling policies of workers.

use serde::{Deserialize, Serialize};

/// The scheduling policy of a worker; see sched(7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SchedPolicy {
    /// SCHED_OTHER, what every process begins with.
    #[default]
    Normal,
    /// SCHED_BATCH: as normal, but taken to be busy.
    Batch,
    /// SCHED_IDLE: runs when nobody else wants to.
    Idle,
    /// SCHED_FIFO with a priority of 1 to 99.
    Fifo(u32),
    /// SCHED_RR with a priority of 1 to 99.
    RoundRobin(u32),
    /// SCHED_EXT: given to the sched_ext scheduler even when that takes only the tasks that ask for it.
    Ext,
}

impl SchedPolicy {
    /// What a policy outside the range is told.
    pub(crate) const PRIORITIES: &str = "priorities 1 to 99";

    /// SCHED_FIFO.
    pub const fn fifo(priority: u32) -> Self {
        Self::Fifo(priority)
    }

    /// SCHED_RR.
    pub const fn round_robin(priority: u32) -> Self {
        Self::RoundRobin(priority)
    }

    /// The priority of a real-time policy; 0 for the others.
    pub const fn priority(&self) -> u32 {
        match self {
            Self::Fifo(priority) | Self::RoundRobin(priority) => *priority,
            _ => 0,
        }
    }

    /// Whether it is SCHED_FIFO or SCHED_RR.
    pub const fn is_real_time(&self) -> bool {
        matches!(self, Self::Fifo(_) | Self::RoundRobin(_))
    }

    /// Whether a real-time policy has a priority that the kernel takes.
    pub const fn in_range(&self) -> bool {
        !self.is_real_time() || (self.priority() >= 1 && self.priority() <= 99)
    }
}
