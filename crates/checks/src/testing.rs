//! Reports for the tests of this crate.

use ktstr_model::{CpuSet, ExitHow, Gap, TimeSample, WorkerExit, WorkerReport};
use proptest::prelude::*;

use crate::precision::Precision;

pub(crate) const SECOND: u64 = 1_000_000_000;
pub(crate) const REAL_TIME: Precision = Precision { turn_ns: None };
pub(crate) const DETERMINISTIC: Precision = Precision { turn_ns: Some(2_000_000) };

/// These times, all kept.
pub(crate) fn sample(times: impl IntoIterator<Item = u64>) -> TimeSample {
    let kept_ns: Vec<u64> = times.into_iter().collect();
    let (count, sum_ns) = (kept_ns.len() as u64, kept_ns.iter().sum());
    TimeSample {
        count,
        sum_ns,
        max_ns: kept_ns.iter().copied().max().unwrap_or(0),
        kept_ns,
        ..TimeSample::default()
    }
}

/// A worker of cell_0 that has so many pages on each node.
pub(crate) fn with_pages(index: u32, pages: &[(u32, u64)]) -> WorkerReport {
    WorkerReport { numa_pages: pages.to_vec(), ..worker("cell_0", index) }
}

/// A worker without fault: 10 s of wall time, half of it on CPUs 0 and 1.
pub(crate) fn worker(cgroup: &str, index: u32) -> WorkerReport {
    WorkerReport {
        cgroup: cgroup.into(),
        index,
        pid: 100 + index,
        work: "SpinWait".into(),
        work_units: 70_000,
        cpu_ns: 5 * SECOND,
        wall_ns: 10 * SECOND,
        max_gap: Gap { ns: 8_000_000, at_ns: SECOND, cpu: 1 },
        migrations: 12,
        cpus: CpuSet::from_iter([0, 1]),
        event_stride: 1,
        ..WorkerReport::default()
    }
}

/// Up to eight workers in two cgroups, with and without faults.
pub(crate) fn any_workers() -> impl Strategy<Value = Vec<WorkerReport>> {
    let exit = prop_oneof![
        8 => Just(WorkerExit::Stopped),
        1 => Just(WorkerExit::HungOnStop),
        1 => Just(WorkerExit::Died(ExitHow::Signal(11))),
    ];
    let figures = (0u32..2, 0u64..3, 0..=10 * SECOND, 0..5 * SECOND, exit);
    proptest::collection::vec(figures, 0..8).prop_map(|figures| {
        let workers = figures.into_iter().enumerate();
        let workers = workers.map(|(index, (cgroup, work_units, cpu_ns, gap_ns, exit))| WorkerReport {
            work_units,
            cpu_ns,
            max_gap: Gap { ns: gap_ns, at_ns: gap_ns, cpu: 0 },
            exit,
            ..worker(&format!("cell_{cgroup}"), index as u32)
        });
        workers.collect()
    })
}
