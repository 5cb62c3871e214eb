//! All worker checks in a row.

use ktstr_model::{Assert, AssertResult, WorkerReport};

use crate::precision::Precision;
use crate::{gap, lost, spread, starvation};

/// Judges workers by the checks and thresholds of `assert`. Workers that crashed or had to be killed are failures
/// whatever it says.
///
/// `turn_ns` is the longest time that a vCPU waits for its turn in deterministic mode, and `None` in real time. A
/// threshold below three turns would judge the emulator instead of the scheduler: it is not applied, and a note of the
/// result says so.
pub fn judge_workers(assert: &Assert, workers: &[WorkerReport], turn_ns: Option<u64>) -> AssertResult {
    let precision = Precision { turn_ns };
    let mut result = AssertResult::pass();
    result.merge(lost::check(workers));
    if assert.not_starved == Some(true) {
        result.merge(starvation::check(workers, precision));
    }
    if let Some(max_ms) = assert.max_gap_ms {
        result.merge(gap::check(workers, max_ms, precision));
    }
    if let Some(max_percent) = assert.max_spread_pct {
        result.merge(spread::check(workers, max_percent, precision));
    }
    result
}

#[cfg(test)]
mod tests {
    use ktstr_model::{DetailKind, ExitHow, WorkerExit};
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{SECOND, any_workers, worker};

    #[test]
    fn a_check_that_is_none_is_off() {
        let mut starved = worker("cell_0", 0);
        starved.work_units = 0;
        starved.cpu_ns = 0;
        starved.max_gap.ns = 9 * SECOND;
        let workers = [starved, worker("cell_0", 1)];
        let kinds = |assert: Assert| -> Vec<DetailKind> {
            judge_workers(&assert, &workers, None).details.iter().map(|detail| detail.kind).collect()
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
    fn a_crash_is_a_failure_under_any_assert() {
        let mut crashed = worker("cell_0", 0);
        crashed.exit = WorkerExit::Died(ExitHow::Signal(11));
        assert!(judge_workers(&Assert::NO_OVERRIDES, &[crashed], None).is_failed());
    }

    proptest! {
        #[test]
        fn raising_every_threshold_never_adds_a_failure(
            workers in any_workers(), ms in 0u64..4000, percent in 0.0..100.0, more in 1u64..100,
        ) {
            let strict = Assert::default_checks().max_gap_ms(ms).max_spread_pct(percent);
            let lax = strict.max_gap_ms(ms + more).max_spread_pct(percent + more as f64);
            let failures = |assert| judge_workers(&assert, &workers, None).details.len();
            prop_assert!(failures(lax) <= failures(strict));
        }

        #[test]
        fn longer_turns_never_add_a_failure(workers in any_workers(), turn_ns in 0..SECOND) {
            let failures = |turn| judge_workers(&Assert::default_checks(), &workers, turn).details.len();
            prop_assert!(failures(Some(turn_ns)) <= failures(None));
            prop_assert_eq!(failures(Some(0)), failures(None));
        }
    }
}
