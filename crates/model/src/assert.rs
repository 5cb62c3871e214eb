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
    /// Longest wall time between two progress checkpoints of a worker, in milliseconds.
    pub max_gap_ms: Option<u64>,
    /// Largest minus smallest off-CPU share among the workers of one cgroup, in percent points.
    pub max_spread_pct: Option<f64>,
}

impl Assert {
    /// A layer that changes nothing.
    pub const NO_OVERRIDES: Self = Self { not_starved: None, max_gap_ms: None, max_spread_pct: None };

    /// The checks that every test has unless a layer above says otherwise: starvation, a gap of at most 2000 ms, a
    /// spread of at most 15 %. Debug builds of the test, whose own bookkeeping is slow, get 3000 ms and 35 %.
    pub const fn default_checks() -> Self {
        let debug = cfg!(debug_assertions);
        Self {
            not_starved: Some(true),
            max_gap_ms: Some(if debug { 3000 } else { 2000 }),
            max_spread_pct: Some(if debug { 35.0 } else { 15.0 }),
        }
    }

    /// Whether a worker without any work is a failure.
    #[must_use]
    pub const fn not_starved(mut self, on: bool) -> Self {
        self.not_starved = Some(on);
        self
    }

    /// Longest allowed wall time between two progress checkpoints, in milliseconds.
    #[must_use]
    pub const fn max_gap_ms(mut self, ms: u64) -> Self {
        self.max_gap_ms = Some(ms);
        self
    }

    /// Largest allowed difference of off-CPU shares in one cgroup, in percent points.
    #[must_use]
    pub const fn max_spread_pct(mut self, percent: f64) -> Self {
        self.max_spread_pct = Some(percent);
        self
    }

    /// This layer with `over` laid on top of it.
    #[must_use]
    pub fn merge(&self, over: &Self) -> Self {
        Self {
            not_starved: over.not_starved.or(self.not_starved),
            max_gap_ms: over.max_gap_ms.or(self.max_gap_ms),
            max_spread_pct: over.max_spread_pct.or(self.max_spread_pct),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_layer_that_speaks_wins() {
        let scheduler = Assert::NO_OVERRIDES.max_gap_ms(500).max_spread_pct(5.0);
        let test = Assert::NO_OVERRIDES.max_gap_ms(900).not_starved(false);
        let merged = Assert::default_checks().merge(&scheduler).merge(&test);
        assert_eq!(
            merged,
            Assert { not_starved: Some(false), max_gap_ms: Some(900), max_spread_pct: Some(5.0) }
        );
        assert_eq!(Assert::default_checks().merge(&Assert::NO_OVERRIDES), Assert::default_checks());
    }
}
