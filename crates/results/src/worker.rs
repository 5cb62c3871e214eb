//! The figures of one worker.

use ktstr_model::{Allowance, CpuSet, Gap, Schedstat, WorkerExit, WorkerReport};
use serde::{Deserialize, Serialize};

use crate::times::Times;

/// What one worker did, without its events: those are in the report beside the record.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct WorkerFigures {
    /// The name of its cgroup; empty outside of all cgroups of the test.
    pub cgroup: String,
    /// Its place among the workers of that cgroup, from 0.
    pub index: u32,
    /// Its thread id in the guest.
    pub pid: u32,
    /// The name of its work type.
    pub work: String,
    /// How it ended.
    pub exit: WorkerExit,
    /// Checkpoints that it passed: steps of its work type.
    pub work_units: u64,
    /// Iterations of its computing loop.
    pub iterations: u64,
    /// CPU time it got, in nanoseconds.
    pub cpu_ns: u64,
    /// Wall time from being let go to stopping, in nanoseconds.
    pub wall_ns: u64,
    /// Share of the wall time that it was not on a CPU, in percent.
    pub off_cpu_pct: f64,
    /// Longest time without progress.
    pub max_gap: Gap,
    /// Moves between CPUs.
    pub migrations: u64,
    /// Moves between CPUs of different last-level caches.
    pub llc_migrations: u64,
    /// Moves between CPUs of different NUMA nodes.
    pub node_migrations: u64,
    /// CPUs it was seen on.
    pub cpus: CpuSet,
    /// What it was allowed to use.
    pub allowed: Allowance,
    /// Times from being woken to running; `None` when nothing was measured.
    pub wake_latency: Option<Times>,
    /// Times from one checkpoint to the next; `None` when nothing was measured.
    pub iteration_cost: Option<Times>,
    /// The kernel's account of its scheduling; `None` when it left none.
    pub schedstat: Option<Schedstat>,
    /// Pages of its working set on each NUMA node.
    pub numa_pages: Vec<(u32, u64)>,
    /// Pages that the kernel moved between NUMA nodes while it worked, in the whole machine.
    pub numa_pages_migrated: u64,
    /// Remarks of the work type.
    pub notes: Vec<String>,
}

impl From<&WorkerReport> for WorkerFigures {
    fn from(worker: &WorkerReport) -> Self {
        Self {
            cgroup: worker.cgroup.clone(),
            index: worker.index,
            pid: worker.pid,
            work: worker.work.clone(),
            exit: worker.exit.clone(),
            work_units: worker.work_units,
            iterations: worker.iterations,
            cpu_ns: worker.cpu_ns,
            wall_ns: worker.wall_ns,
            off_cpu_pct: worker.off_cpu_share() * 100.0,
            max_gap: worker.max_gap,
            migrations: worker.migrations,
            llc_migrations: worker.llc_migrations,
            node_migrations: worker.node_migrations,
            cpus: worker.cpus.clone(),
            allowed: worker.allowed.clone(),
            wake_latency: Times::of(&worker.wake_latencies),
            iteration_cost: Times::of(&worker.iteration_costs),
            schedstat: worker.schedstat,
            numa_pages: worker.numa_pages.clone(),
            numa_pages_migrated: worker.numa_pages_migrated,
            notes: worker.notes.clone(),
        }
    }
}
