//! What this host has for guests: the CPUs that this process may use, and memory.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread::available_parallelism;

use rustix::thread::{CpuSet, sched_getaffinity};

/// Of the host's memory, guests leave this much to others, in percent.
const KEPT_FREE_PERCENT: u64 = 10;

/// CPUs and memory for guests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HostCapacity {
    /// Numbers of the host's CPUs.
    pub cpus: Vec<usize>,
    /// MiB.
    pub memory_mb: u64,
}

impl HostCapacity {
    /// What this process may use: its affinity mask, as far as its cgroup's quota goes; the host's memory, as far as its
    /// cgroup's limit goes.
    pub fn of_this_process() -> Self {
        let allowed = sched_getaffinity(None).unwrap_or_else(|_| CpuSet::new());
        let quota = available_parallelism().map_or(1, usize::from);
        let mut cpus: Vec<usize> =
            (0..CpuSet::MAX_CPU).filter(|cpu| allowed.is_set(*cpu)).take(quota).collect();
        if cpus.is_empty() {
            // A host with more CPUs than the mask holds.
            cpus = (0..quota).collect();
        }
        let limits = [host_memory_mb(), cgroup_memory_mb(Path::new("/sys/fs/cgroup"))];
        let memory_mb = limits.into_iter().flatten().min().unwrap_or(u64::MAX / 100);
        Self { cpus, memory_mb: memory_mb * (100 - KEPT_FREE_PERCENT) / 100 }
    }
}

/// The host's memory in MiB: `MemTotal` of `/proc/meminfo` (proc(5)).
pub fn host_memory_mb() -> Option<u64> {
    let meminfo = fs::read_to_string("/proc/meminfo").ok()?;
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? >> 10)
}

/// The smallest `memory.max` of this process's cgroup and those above it, in MiB.
fn cgroup_memory_mb(mount: &Path) -> Option<u64> {
    let own = fs::read_to_string("/proc/self/cgroup").ok()?;
    let path = own.lines().find_map(|line| line.strip_prefix("0::"))?.trim_start_matches('/');
    let folders = PathBuf::from(path);
    let limit = |folder: &Path| {
        let text = fs::read_to_string(mount.join(folder).join("memory.max")).ok()?;
        text.trim().parse::<u64>().ok()
    };
    folders.ancestors().filter_map(limit).min().map(|bytes| bytes >> 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_may_use_something() {
        let capacity = HostCapacity::of_this_process();
        assert_eq!(capacity.cpus.len(), available_parallelism().unwrap().get());
        assert!(capacity.memory_mb > 0 && capacity.memory_mb < host_memory_mb().unwrap(), "{capacity:?}");
    }
}
