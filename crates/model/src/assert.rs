//! Which checks judge a run, and their thresholds.

use serde::{Deserialize, Serialize};

/// Checks and thresholds in one layer; `None` leaves a check to the layer below.
///
/// Three layers are merged, last `Some` wins: [`Assert::default_checks`], the scheduler's, the test's. A check that is
/// `None` in the merged result is off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Assert {
    /// Every worker must have done some work.
    pub not_starved: Option<bool>,
    /// Every worker must have run on the CPUs of its cpuset only.
    pub isolation: Option<bool>,
    /// Longest wall time between two progress checkpoints of a worker, in milliseconds.
    pub max_gap_ms: Option<u64>,
    /// Largest minus smallest off-CPU share among the workers of one cgroup, in percent points.
    pub max_spread_pct: Option<f64>,
    /// Coefficient of variation (standard deviation over mean) of the checkpoints a CPU second among the workers of one
    /// cgroup; 0 when all are equal.
    pub max_throughput_cv: Option<f64>,
    /// Fewest checkpoints of a worker in a second of its CPU time.
    pub min_work_rate: Option<f64>,
    /// Fewest iterations of a worker's computing loop in a second of wall time.
    pub min_iteration_rate: Option<f64>,
    /// 99th percentile of the times from being woken to running in one cgroup, in nanoseconds.
    pub max_p99_wake_latency_ns: Option<u64>,
    /// Coefficient of variation of those times in one cgroup.
    pub max_wake_latency_cv: Option<f64>,
    /// Largest share of a worker's checkpoints that were on another CPU than the one before, 0 to 1.
    pub max_migration_ratio: Option<f64>,
    /// Smallest share of a worker's pages on the NUMA nodes where they belong, 0 to 1.
    pub min_page_locality: Option<f64>,
    /// Pages that the kernel moved between NUMA nodes, over pages of the workers; more than 1 when pages were moved again
    /// and again.
    pub max_cross_node_migration_ratio: Option<f64>,
    /// Largest share of one cgroup's pages on NUMA nodes that have memory and no CPUs, 0 to 1.
    pub max_slow_tier_ratio: Option<f64>,
}

impl Assert {
    /// A layer that changes nothing.
    pub const NO_OVERRIDES: Self = Self {
        not_starved: None,
        isolation: None,
        max_gap_ms: None,
        max_spread_pct: None,
        max_throughput_cv: None,
        min_work_rate: None,
        min_iteration_rate: None,
        max_p99_wake_latency_ns: None,
        max_wake_latency_cv: None,
        max_migration_ratio: None,
        min_page_locality: None,
        max_cross_node_migration_ratio: None,
        max_slow_tier_ratio: None,
    };

    /// The checks that every test has unless a layer above says otherwise: starvation, a gap of at most 2000 ms, a
    /// spread of at most 15 %. Debug builds of the test, whose own bookkeeping is slow, get 3000 ms and 35 %.
    pub const fn default_checks() -> Self {
        let debug = cfg!(debug_assertions);
        Self {
            not_starved: Some(true),
            max_gap_ms: Some(if debug { 3000 } else { 2000 }),
            max_spread_pct: Some(if debug { 35.0 } else { 15.0 }),
            ..Self::NO_OVERRIDES
        }
    }

    /// Whether a worker without any work is a failure.
    #[must_use]
    pub const fn not_starved(mut self, on: bool) -> Self {
        self.not_starved = Some(on);
        self
    }

    /// Whether a worker seen outside of its cpuset is a failure.
    #[must_use]
    pub const fn isolation(mut self, on: bool) -> Self {
        self.isolation = Some(on);
        self
    }

    /// Longest allowed wall time between two progress checkpoints, in milliseconds.
    #[must_use]
    pub const fn max_gap_ms(mut self, ms: u64) -> Self {
        self.max_gap_ms = Some(ms);
        self
    }

    /// Largest allowed difference of off-CPU shares in one cgroup, in percent points.
    ///
    /// # Panics
    /// As all setters of numbers that may have a fraction: when it is negative or no number. In a constant that is an
    /// error of compilation.
    #[must_use]
    #[track_caller]
    pub const fn max_spread_pct(mut self, percent: f64) -> Self {
        self.max_spread_pct = Some(at_least_0(percent));
        self
    }

    /// Largest allowed coefficient of variation of the checkpoints a CPU second in one cgroup, such as 0.2.
    #[must_use]
    #[track_caller]
    pub const fn max_throughput_cv(mut self, cv: f64) -> Self {
        self.max_throughput_cv = Some(at_least_0(cv));
        self
    }

    /// Fewest allowed checkpoints of a worker in a second of its CPU time.
    #[must_use]
    #[track_caller]
    pub const fn min_work_rate(mut self, checkpoints: f64) -> Self {
        self.min_work_rate = Some(at_least_0(checkpoints));
        self
    }

    /// Fewest allowed iterations of a worker's computing loop in a second of wall time.
    #[must_use]
    #[track_caller]
    pub const fn min_iteration_rate(mut self, iterations: f64) -> Self {
        self.min_iteration_rate = Some(at_least_0(iterations));
        self
    }

    /// Largest allowed 99th percentile of wake latencies in one cgroup, in nanoseconds.
    #[must_use]
    pub const fn max_p99_wake_latency_ns(mut self, ns: u64) -> Self {
        self.max_p99_wake_latency_ns = Some(ns);
        self
    }

    /// Largest allowed coefficient of variation of wake latencies in one cgroup.
    #[must_use]
    #[track_caller]
    pub const fn max_wake_latency_cv(mut self, cv: f64) -> Self {
        self.max_wake_latency_cv = Some(at_least_0(cv));
        self
    }

    /// Largest allowed share of a worker's checkpoints that are on another CPU than the one before, 0 to 1.
    #[must_use]
    #[track_caller]
    pub const fn max_migration_ratio(mut self, share: f64) -> Self {
        self.max_migration_ratio = Some(at_least_0(share));
        self
    }

    /// Smallest allowed share of a worker's pages on the NUMA nodes where they belong, 0 to 1.
    #[must_use]
    #[track_caller]
    pub const fn min_page_locality(mut self, share: f64) -> Self {
        self.min_page_locality = Some(at_least_0(share));
        self
    }

    /// Largest allowed ratio of pages that the kernel moved between NUMA nodes to pages of the workers.
    #[must_use]
    #[track_caller]
    pub const fn max_cross_node_migration_ratio(mut self, ratio: f64) -> Self {
        self.max_cross_node_migration_ratio = Some(at_least_0(ratio));
        self
    }

    /// Largest allowed share of one cgroup's pages on nodes of memory only, 0 to 1.
    #[must_use]
    #[track_caller]
    pub const fn max_slow_tier_ratio(mut self, share: f64) -> Self {
        self.max_slow_tier_ratio = Some(at_least_0(share));
        self
    }

    /// This layer with `over` laid on top of it.
    #[must_use]
    pub fn merge(&self, over: &Self) -> Self {
        // Every field by name, so that a new one cannot be forgotten.
        let Self {
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
        } = *self;
        Self {
            not_starved: over.not_starved.or(not_starved),
            isolation: over.isolation.or(isolation),
            max_gap_ms: over.max_gap_ms.or(max_gap_ms),
            max_spread_pct: over.max_spread_pct.or(max_spread_pct),
            max_throughput_cv: over.max_throughput_cv.or(max_throughput_cv),
            min_work_rate: over.min_work_rate.or(min_work_rate),
            min_iteration_rate: over.min_iteration_rate.or(min_iteration_rate),
            max_p99_wake_latency_ns: over.max_p99_wake_latency_ns.or(max_p99_wake_latency_ns),
            max_wake_latency_cv: over.max_wake_latency_cv.or(max_wake_latency_cv),
            max_migration_ratio: over.max_migration_ratio.or(max_migration_ratio),
            min_page_locality: over.min_page_locality.or(min_page_locality),
            max_cross_node_migration_ratio: over
                .max_cross_node_migration_ratio
                .or(max_cross_node_migration_ratio),
            max_slow_tier_ratio: over.max_slow_tier_ratio.or(max_slow_tier_ratio),
        }
    }
}

#[track_caller]
const fn at_least_0(threshold: f64) -> f64 {
    assert!(threshold >= 0.0, "a threshold is a number of 0 or more");
    threshold
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_layer_that_speaks_wins() {
        let scheduler = Assert::NO_OVERRIDES.max_gap_ms(500).max_spread_pct(5.0).isolation(true);
        let test = Assert::NO_OVERRIDES.max_gap_ms(900).not_starved(false).max_wake_latency_cv(2.0);
        let merged = Assert::default_checks().merge(&scheduler).merge(&test);
        assert_eq!(
            merged,
            Assert {
                not_starved: Some(false),
                isolation: Some(true),
                max_gap_ms: Some(900),
                max_spread_pct: Some(5.0),
                max_wake_latency_cv: Some(2.0),
                ..Assert::NO_OVERRIDES
            }
        );
        assert_eq!(Assert::default_checks().merge(&Assert::NO_OVERRIDES), Assert::default_checks());
    }

    #[test]
    fn every_check_reaches_the_merged_layer() {
        let all = Assert::NO_OVERRIDES
            .not_starved(true)
            .isolation(true)
            .max_gap_ms(1)
            .max_spread_pct(2.0)
            .max_throughput_cv(3.0)
            .min_work_rate(4.0)
            .min_iteration_rate(5.0)
            .max_p99_wake_latency_ns(6)
            .max_wake_latency_cv(7.0)
            .max_migration_ratio(0.1)
            .min_page_locality(0.2)
            .max_cross_node_migration_ratio(0.3)
            .max_slow_tier_ratio(0.4);
        assert_eq!(Assert::NO_OVERRIDES.merge(&all), all);
        assert_eq!(all.merge(&Assert::NO_OVERRIDES), all);
        let lower = Assert::NO_OVERRIDES.not_starved(false).max_gap_ms(9).max_slow_tier_ratio(0.9);
        assert_eq!(lower.merge(&all), all);
    }

    #[test]
    #[should_panic(expected = "a number of 0 or more")]
    fn a_threshold_that_is_no_number_is_refused() {
        let _ = Assert::NO_OVERRIDES.max_throughput_cv(f64::NAN);
    }
}
