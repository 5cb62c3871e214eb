//! What comes back from a guest.

use serde::{Deserialize, Serialize};

use crate::{AssertResult, CpuSet, WorkType};

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ExitHow {
    /// It exited with this code.
    Code(i32),
    /// This signal ended it.
    Signal(i32),
}

impl std::fmt::Display for ExitHow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exited with code {code}"),
            Self::Signal(signal) => write!(f, "was killed by signal {signal}"),
        }
    }
}

/// One progress checkpoint of a worker.
///
/// Serialized as a tuple: a record holds thousands of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(u64, u32, u32)", into = "(u64, u32, u32)")]
#[repr(C)]
pub struct WorkerEvent {
    /// Nanoseconds of the guest's monotonic clock since boot.
    pub at_ns: u64,
    /// The CPU that the worker was on.
    pub cpu: u32,
    /// How many checkpoints it had passed by then, modulo 2^32.
    pub count: u32,
}

impl From<(u64, u32, u32)> for WorkerEvent {
    fn from((at_ns, cpu, count): (u64, u32, u32)) -> Self {
        Self { at_ns, cpu, count }
    }
}

impl From<WorkerEvent> for (u64, u32, u32) {
    fn from(event: WorkerEvent) -> Self {
        (event.at_ns, event.cpu, event.count)
    }
}

/// A stretch of wall time without progress.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// How long it was, in nanoseconds.
    pub ns: u64,
    /// When it ended, in nanoseconds after the worker was let go.
    pub at_ns: u64,
    /// The CPU that the worker was on afterwards.
    pub cpu: u32,
}

/// How a worker ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WorkerExit {
    /// It stopped when told to.
    Stopped,
    /// It ended on its own, or was killed, before it was told to stop.
    Died(ExitHow),
    /// It did not stop in time and was killed.
    HungOnStop,
}

/// What one worker did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkerReport {
    /// The name of its cgroup.
    pub cgroup: String,
    /// Its place among the workers of that cgroup, from 0.
    pub index: u32,
    /// Its process id in the guest.
    pub pid: u32,
    /// What it was to do.
    pub work: WorkType,
    /// Checkpoints that it passed.
    pub work_units: u64,
    /// CPU time it got, in nanoseconds, by the kernel's account.
    pub cpu_ns: u64,
    /// Wall time from being let go to stopping, in nanoseconds.
    pub wall_ns: u64,
    /// Longest time without progress.
    pub max_gap: Gap,
    /// How often two consecutive checkpoints were on different CPUs.
    pub migrations: u64,
    /// CPUs it was seen on.
    pub cpus: CpuSet,
    /// How it ended.
    pub exit: WorkerExit,
    /// Checkpoints kept, evenly thinned out: every [`event_stride`](Self::event_stride)-th one.
    pub events: Vec<WorkerEvent>,
    /// Checkpoints from one kept event to the next.
    pub event_stride: u32,
}

impl WorkerReport {
    /// Share of its wall time that the worker was not on a CPU, 0 to 1.
    pub fn off_cpu_share(&self) -> f64 {
        match self.wall_ns {
            0 => 1.0,
            wall => (1.0 - self.cpu_ns as f64 / wall as f64).clamp(0.0, 1.0),
        }
    }
}

/// What became of the scheduler.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SchedulerReport {
    /// Its process id in the guest, for a program.
    pub pid: Option<u32>,
    /// Guest time from starting it to its being enabled, in nanoseconds; `None` when it never was.
    pub enabled_after_ns: Option<u64>,
    /// The name that the kernel knows it by (`/sys/kernel/sched_ext/root/ops`).
    pub ops: Option<String>,
    /// How its process ended.
    pub exit: Option<ExitHow>,
    /// When it ended or was disabled without being asked to, in nanoseconds of the guest's monotonic clock.
    pub died_at_ns: Option<u64>,
    /// It did not heed SIGINT and was killed.
    pub ignored_sigint: bool,
}

/// One frame of a backtrace, as an address in the test binary's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuestFrame {
    /// The address relative to where the binary was loaded.
    pub relative_address: u64,
}

/// Why a run ended without a result from the test body.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum GuestFailure {
    /// The guest could not be prepared: a mount, a sysctl, a cgroup.
    Setup(String),
    /// The scheduler's program could not be run or ended before it was enabled.
    SchedulerExited(ExitHow),
    /// The scheduler's program ran on but the kernel never enabled a scheduler; the state it was in.
    SchedulerNeverEnabled(String),
    /// The kernel has no sched_ext.
    NoSchedExt,
    /// The body returned an error.
    TestError(String),
    /// The body panicked.
    TestPanic {
        /// The panic's message.
        message: String,
        /// Source file, line and column.
        location: String,
        /// The stack, innermost first.
        frames: Vec<GuestFrame>,
    },
}

/// All that a guest reports of one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunReport {
    /// What the body returned, or why it returned nothing.
    pub result: Result<AssertResult, GuestFailure>,
    /// The workers in the order in which they were made.
    pub workers: Vec<WorkerReport>,
    /// The scheduler, if one was started.
    pub scheduler: Option<SchedulerReport>,
    /// Lines of the kernel's log that concern sched_ext.
    pub sched_ext_log: Vec<String>,
    /// Guest time from the first to the last line of the test process, in nanoseconds.
    pub guest_ns: u64,
    /// The digest of this report; see [`report_digest`](crate::report_digest).
    pub digest: crate::Digest,
}
