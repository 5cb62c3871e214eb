//! Workers that made no progress for too long.

use ktstr_model::{AssertResult, DetailKind, WorkerReport, format_ns};

use crate::precision::Precision;
use crate::words::{name, ran_to_the_end, violation};

/// One violation for every worker whose longest wall time between two checkpoints is above `max_ms` milliseconds.
pub(crate) fn check(workers: &[WorkerReport], max_ms: u64, precision: Precision) -> AssertResult {
    let max_ns = max_ms.saturating_mul(1_000_000);
    if let Some(why) = precision.too_short(max_ns) {
        return AssertResult::pass()
            .with_note(format!("max_gap_ms = {max_ms} is not applicable: the threshold is {why}"));
    }
    let details = workers.iter().filter(ran_to_the_end).filter(|worker| worker.max_gap.ns > max_ns);
    let details = details.map(|worker| {
        let gap = worker.max_gap;
        let message = format!(
            "{} made no progress for {}, until {} after it was let go, when it was on CPU {}; {max_ms} ms are allowed",
            name(worker),
            format_ns(gap.ns),
            format_ns(gap.at_ns),
            gap.cpu
        );
        violation(DetailKind::Gap, worker, message)
            .seen(Some(gap.cpu), gap.at_ns)
            .measured(gap.ns as f64 / 1e6, max_ms as f64)
    });
    AssertResult { details: details.collect(), ..AssertResult::pass() }
}

#[cfg(test)]
mod tests {
    use ktstr_model::Gap;
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{REAL_TIME, any_workers, worker};

    #[test]
    fn names_worker_cpu_time_value_and_threshold() {
        let mut late = worker("cell_0", 1);
        late.max_gap = Gap { ns: 2_500_000_000, at_ns: 4_000_000_000, cpu: 6 };
        let result = check(&[late, worker("cell_0", 2)], 2000, REAL_TIME);
        let [detail] = &result.details[..] else { panic!("{result:?}") };
        assert_eq!(
            detail.message,
            "worker 1 of cell_0 (pid 101) made no progress for 2.50 s, until 4.00 s after it was let go, when it was \
             on CPU 6; 2000 ms are allowed"
        );
        assert_eq!((detail.cpu, detail.at_ns), (Some(6), Some(4_000_000_000)));
        assert_eq!((detail.value, detail.threshold), (Some(2500.0), Some(2000.0)));
    }

    #[test]
    fn a_threshold_below_three_turns_is_not_applicable() {
        let mut late = worker("cell_0", 1);
        late.max_gap.ns = 1_000_000_000;
        let result = check(&[late], 35, Precision { turn_ns: Some(12_000_000) });
        assert!(!result.is_failed());
        assert_eq!(
            result.notes,
            [
                "max_gap_ms = 35 is not applicable: the threshold is below three vCPU turns of this deterministic \
             machine (36.00 ms, a turn lasts up to 12.00 ms)"
            ]
        );
    }

    proptest! {
        #[test]
        fn fails_exactly_above_the_threshold(workers in any_workers(), max_ms in 0u64..5000) {
            let late = workers.iter().filter(ran_to_the_end).filter(|w| w.max_gap.ns > max_ms * 1_000_000);
            prop_assert_eq!(check(&workers, max_ms, REAL_TIME).details.len(), late.count());
        }
    }
}
