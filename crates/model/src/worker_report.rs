//! What workers report.

use serde::{Deserialize, Serialize};

use crate::{CpuSet, ExitHow};

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

/// A worker seen on another CPU than before.
///
/// Serialized as a tuple, as [`WorkerEvent`] is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(u64, u32, u32)", into = "(u64, u32, u32)")]
#[repr(C)]
pub struct Migration {
    /// When it was seen there, in nanoseconds of the guest's monotonic clock.
    pub at_ns: u64,
    /// The CPU before.
    pub from: u32,
    /// The CPU now.
    pub to: u32,
}

impl From<(u64, u32, u32)> for Migration {
    fn from((at_ns, from, to): (u64, u32, u32)) -> Self {
        Self { at_ns, from, to }
    }
}

impl From<Migration> for (u64, u32, u32) {
    fn from(migration: Migration) -> Self {
        (migration.at_ns, migration.from, migration.to)
    }
}

/// Many measured times: their number, sum and largest, and a sample of them in which each had the same chance to be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeSample {
    /// How many times were measured.
    pub count: u64,
    /// Their sum in nanoseconds.
    pub sum_ns: u64,
    /// The largest in nanoseconds.
    pub max_ns: u64,
    /// When the largest ended, in nanoseconds after the worker was let go.
    #[serde(default)]
    pub max_at_ns: u64,
    /// The CPU that the worker was on then.
    #[serde(default)]
    pub max_cpu: u32,
    /// The sample in nanoseconds; all of them when they are few.
    pub kept_ns: Vec<u64>,
}

impl TimeSample {
    /// Their mean in nanoseconds; 0 when there are none.
    pub fn mean_ns(&self) -> f64 {
        match self.count {
            0 => 0.0,
            count => self.sum_ns as f64 / count as f64,
        }
    }
}

/// What the kernel's scheduler says of a task (`/proc/PID/schedstat`), for the time that was measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedstat {
    /// Time on a CPU, in nanoseconds.
    pub cpu_ns: u64,
    /// Time runnable but not running, in nanoseconds.
    pub run_delay_ns: u64,
    /// How often it was put on a CPU.
    pub timeslices: u64,
}

/// What a worker was allowed to use, and where its memory belongs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allowance {
    /// CPUs of its cpuset; when that changed while it worked, or when it was moved to another cgroup, those of all of
    /// them. Empty when they are not known.
    pub cpus: CpuSet,
    /// NUMA nodes where its pages belong: those that its memory policy names, else those of its CPUs, as far as its cpuset
    /// lets it have memory there. Empty when they are not known.
    pub home_nodes: CpuSet,
    /// NUMA nodes of the machine that have memory and no CPUs: its slow tier.
    pub memory_only_nodes: CpuSet,
}

/// How a worker ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum WorkerExit {
    /// It stopped when told to.
    #[default]
    Stopped,
    /// It ended on its own, or was killed, before it was told to stop.
    Died(ExitHow),
    /// It did not stop in time and was killed.
    HungOnStop,
    /// It could not be prepared as asked, or could not go on; what it was about to do, and why it failed.
    Failed(String),
}

/// What one worker did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WorkerReport {
    /// The name of its cgroup; empty for workers outside of all cgroups of the test.
    pub cgroup: String,
    /// Its place among the workers of that cgroup, from 0.
    pub index: u32,
    /// Its thread id in the guest, which for a process is its process id.
    pub pid: u32,
    /// The name of its work type.
    pub work: String,
    /// Checkpoints that it passed: steps of its work type.
    pub work_units: u64,
    /// Iterations of its computing loop, while measuring.
    pub iterations: u64,
    /// CPU time it got, in nanoseconds, by the kernel's account.
    pub cpu_ns: u64,
    /// Wall time from being let go to stopping, in nanoseconds.
    pub wall_ns: u64,
    /// Longest time without progress.
    pub max_gap: Gap,
    /// How often two consecutive checkpoints were on different CPUs.
    pub migrations: u64,
    /// How often they were on CPUs of different last-level caches.
    pub llc_migrations: u64,
    /// How often they were on CPUs of different NUMA nodes.
    pub node_migrations: u64,
    /// The first of those migrations.
    pub migration_log: Vec<Migration>,
    /// CPUs it was seen on.
    pub cpus: CpuSet,
    /// What it was allowed to use.
    #[serde(default)]
    pub allowed: Allowance,
    /// How it ended.
    pub exit: WorkerExit,
    /// Times from being woken, by another worker or by a timer, to running.
    pub wake_latencies: TimeSample,
    /// Times from one checkpoint to the next.
    pub iteration_costs: TimeSample,
    /// The kernel's account of its scheduling; `None` when it left none.
    pub schedstat: Option<Schedstat>,
    /// Pages of its working set on each NUMA node, where its work type has one and the machine more than one node.
    pub numa_pages: Vec<(u32, u64)>,
    /// Pages that the kernel moved between NUMA nodes while it worked, in the whole machine.
    pub numa_pages_migrated: u64,
    /// Longest time that a virtual CPU of its machine waits for its turn, in nanoseconds: what is shorter tells nothing of
    /// the scheduler. `None` in real time, where they run at once.
    #[serde(default)]
    pub turn_ns: Option<u64>,
    /// Remarks of the work type, such as where its file was.
    pub notes: Vec<String>,
    /// A hash over the times and CPUs of all its checkpoints, also of those that are not kept.
    #[serde(default)]
    pub course: u64,
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

    /// Wall time that the worker was not on a CPU, in nanoseconds.
    pub fn off_cpu_ns(&self) -> u64 {
        self.wall_ns.saturating_sub(self.cpu_ns)
    }
}
