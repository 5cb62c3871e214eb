//! All worker checks in a row.

use ktstr_model::{Assert, AssertResult, WorkerReport};

use crate::precision::Precision;
use crate::{
    cross_node_migration, gap, isolation, iteration_rate, lost, migration_ratio, page_locality, slow_tier,
    spread, starvation, throughput, wake_latency, wake_latency_cv, work_rate,
};

/// Judges workers by the checks and thresholds of `assert`. Workers that crashed or had to be killed are failures
/// whatever it says.
///
/// What a check cannot tell about workers of a deterministic machine (those with a `turn_ns`) is not applied, since it
/// would judge the emulator instead of the scheduler; a note of the result says so.
pub fn judge_workers(assert: &Assert, workers: &[WorkerReport]) -> AssertResult {
    // Every field by name, so that a new one cannot be forgotten.
    let Assert {
        not_starved,
        isolation,
        max_gap_ms,
        max_spread_pct,
        max_throughput_cv,
        min_work_rate,
        min_iteration_rate,
        max_p99_wake_latency_ns,
        max_wake_latency_cv,
        max_migration_ratio,
        min_page_locality,
        max_cross_node_migration_ratio,
        max_slow_tier_ratio,
    } = *assert;
    let on = |flag: Option<bool>| flag.filter(|on| *on);
    let precision = Precision::of(workers);
    let results = [
        Some(lost::check(workers)),
        on(not_starved).map(|_| starvation::check(workers, precision)),
        on(isolation).map(|_| isolation::check(workers)),
        max_gap_ms.map(|max| gap::check(workers, max, precision)),
        // Before the spread: who is woken late gets less, and not the other way round.
        max_p99_wake_latency_ns.map(|max| wake_latency::check(workers, max, precision)),
        max_spread_pct.map(|max| spread::check(workers, max, precision)),
        max_wake_latency_cv.map(|max| wake_latency_cv::check(workers, max, precision)),
        max_throughput_cv.map(|max| throughput::check(workers, max, precision)),
        min_work_rate.map(|min| work_rate::check(workers, min, precision)),
        min_iteration_rate.map(|min| iteration_rate::check(workers, min, precision)),
        max_migration_ratio.map(|max| migration_ratio::check(workers, max)),
        min_page_locality.map(|min| page_locality::check(workers, min)),
        max_cross_node_migration_ratio.map(|max| cross_node_migration::check(workers, max)),
        max_slow_tier_ratio.map(|max| slow_tier::check(workers, max)),
    ];
    let mut all = AssertResult::pass();
    for result in results.into_iter().flatten() {
        all.merge(result);
    }
    all
}

/// Judging reports by an [`Assert`] as its own method.
pub trait AssertCgroup {
    /// Judges the workers of one cgroup, or of several, by these checks and thresholds: [`judge_workers`].
    fn assert_cgroup(&self, reports: &[WorkerReport]) -> AssertResult;
}

impl AssertCgroup for Assert {
    fn assert_cgroup(&self, reports: &[WorkerReport]) -> AssertResult {
        judge_workers(self, reports)
    }
}

#[cfg(test)]
mod tests {
    use ktstr_model::{Allowance, CpuSet, DetailKind, ExitHow, WorkerExit};
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{SECOND, any_workers, sample, worker};

    #[test]
    fn a_check_that_is_none_is_off() {
        let mut starved = worker("cell_0", 0);
        starved.work_units = 0;
        starved.cpu_ns = 0;
        starved.max_gap.ns = 9 * SECOND;
        let workers = [starved, worker("cell_0", 1)];
        let kinds = |assert: Assert| -> Vec<DetailKind> {
            assert.assert_cgroup(&workers).details.iter().map(|detail| detail.kind).collect()
        };
        assert_eq!(kinds(Assert::NO_OVERRIDES), []);
        assert_eq!(kinds(Assert::NO_OVERRIDES.not_starved(false)), []);
        assert_eq!(kinds(Assert::NO_OVERRIDES.max_gap_ms(10_000)), []);
        assert_eq!(
            kinds(Assert::default_checks()),
            [DetailKind::Starved, DetailKind::Gap, DetailKind::Spread]
        );
    }

    #[test]
    fn every_check_is_run() {
        let mut bad = worker("cell_0", 0);
        bad.allowed = Allowance {
            cpus: CpuSet::of([1]),
            home_nodes: CpuSet::of([1]),
            memory_only_nodes: CpuSet::of([0]),
        };
        (bad.work_units, bad.cpu_ns, bad.max_gap.ns, bad.migrations) = (1, SECOND, 9 * SECOND, 1);
        (bad.numa_pages, bad.numa_pages_migrated) = (vec![(0, 4)], 40);
        bad.wake_latencies = sample([1, 100]);
        let starved = WorkerReport { work_units: 0, cpu_ns: 0, ..worker("cell_0", 1) };
        let strict = Assert::default_checks().isolation(true).max_throughput_cv(0.0).min_work_rate(1e9);
        let strict = strict.min_iteration_rate(1.0).max_p99_wake_latency_ns(10).max_wake_latency_cv(0.1);
        let strict =
            strict.max_migration_ratio(0.5).min_page_locality(0.5).max_cross_node_migration_ratio(1.0);
        let workers = [bad, starved, worker("cell_0", 2)];
        let result = strict.max_slow_tier_ratio(0.5).assert_cgroup(&workers);
        let mut kinds: Vec<String> =
            result.details.iter().map(|detail| format!("{:?}", detail.kind)).collect();
        kinds.dedup();
        assert_eq!(
            kinds,
            [
                "Starved",
                "Isolation",
                "Gap",
                "WakeLatency",
                "Spread",
                "WakeLatencyCv",
                "ThroughputCv",
                "WorkRate",
                "IterationRate",
                "MigrationRatio",
                "PageLocality",
                "CrossNodeMigration",
                "SlowTier"
            ]
        );
    }

    #[test]
    fn a_crash_is_a_failure_under_any_assert() {
        let mut crashed = worker("cell_0", 0);
        crashed.exit = WorkerExit::Died(ExitHow::Signal(11));
        assert!(judge_workers(&Assert::NO_OVERRIDES, &[crashed]).is_failed());
    }

    proptest! {
        #[test]
        fn raising_every_threshold_never_adds_a_failure(
            workers in any_workers(), ms in 0u64..4000, percent in 0.0..100.0, more in 1u64..100,
        ) {
            let strict = Assert::default_checks().max_gap_ms(ms).max_spread_pct(percent);
            let lax = strict.max_gap_ms(ms + more).max_spread_pct(percent + more as f64);
            let failures = |assert: Assert| assert.assert_cgroup(&workers).details.len();
            prop_assert!(failures(lax) <= failures(strict));
        }

        #[test]
        fn longer_turns_never_add_a_failure(workers in any_workers(), turn_ns in 0..SECOND) {
            let failures = |turn| {
                let with_turn = |worker: &WorkerReport| WorkerReport { turn_ns: turn, ..worker.clone() };
                let workers: Vec<_> = workers.iter().map(with_turn).collect();
                judge_workers(&Assert::default_checks(), &workers).details.len()
            };
            prop_assert!(failures(Some(turn_ns)) <= failures(None));
        }
    }
}
