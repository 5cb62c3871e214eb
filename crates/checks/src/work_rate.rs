//! Workers that did too little work in their CPU time.

use ktstr_model::{AssertResult, DetailKind, WorkerReport, format_ns};

use crate::precision::Precision;
use crate::throughput::work_rate;
use crate::words::{name, ran_to_the_end, violation};

/// One violation for every worker that passed less than `min` checkpoints in a second of its CPU time. How much work a
/// checkpoint is depends on the work type. Workers without CPU time are left out: whether they starved is another check.
pub(crate) fn check(workers: &[WorkerReport], min: f64, precision: Precision) -> AssertResult {
    let key = format!("min_work_rate = {min}");
    if let Some(refused) = precision.refuses(&key, "how much work a CPU second holds is the emulator's doing")
    {
        return refused;
    }
    let judged = workers.iter().filter(ran_to_the_end);
    let details = judged.filter_map(|worker| {
        let rate = work_rate(worker).filter(|rate| *rate < min)?;
        let message = format!(
            "{} passed {rate:.1} checkpoints a second of CPU time ({} in {}, on CPUs {}, from being let go to {}); at \
             least {min} are wanted",
            name(worker),
            worker.work_units,
            format_ns(worker.cpu_ns),
            worker.cpus,
            format_ns(worker.wall_ns)
        );
        Some(violation(DetailKind::WorkRate, worker, message)
            .seen(worker.cpus.first(), worker.wall_ns)
            .measured(rate, min))
    });
    AssertResult { details: details.collect(), ..AssertResult::pass() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{DETERMINISTIC, REAL_TIME, any_workers, worker};

    #[test]
    fn names_work_time_and_rate() {
        let result = check(&[worker("cell_0", 0)], 20_000.0, REAL_TIME);
        let [detail] = &result.details[..] else { panic!("{result:?}") };
        assert_eq!(
            detail.message,
            "worker 0 of cell_0 (pid 100) passed 14000.0 checkpoints a second of CPU time (70000 in 5.00 s, on CPUs 0-1, \
             from being let go to 10.00 s); at least 20000 are wanted"
        );
        assert!(check(&[worker("cell_0", 0)], 20_000.0, DETERMINISTIC).notes[0].contains("not applicable"));
    }

    proptest! {
        #[test]
        fn fails_exactly_below_the_threshold(workers in any_workers(), min in 0.0f64..2.0) {
            let slow = workers.iter().filter(ran_to_the_end).filter(|w| w.cpu_ns > 0);
            let slow = slow.filter(|w| w.work_units as f64 * 1e9 / (w.cpu_ns as f64) < min).count();
            prop_assert!(check(&workers, min, REAL_TIME).details.len().abs_diff(slow) == 0);
        }
    }
}
