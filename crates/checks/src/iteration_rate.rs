//! Workers whose computing loop was too slow.

use ktstr_model::{AssertResult, DetailKind, WorkerReport, format_ns};

use crate::precision::Precision;
use crate::words::{name, ran_to_the_end, violation};

/// One violation for every worker that did less than `min` iterations of its computing loop in a second of wall time.
/// Work types that have no such loop do none, and fail any threshold above 0. Workers that were never measured are left
/// out.
pub(crate) fn check(workers: &[WorkerReport], min: f64, precision: Precision) -> AssertResult {
    let key = format!("min_iteration_rate = {min}");
    if let Some(refused) =
        precision.refuses(&key, "how many iterations a second holds is the emulator's doing")
    {
        return refused;
    }
    let judged = workers.iter().filter(ran_to_the_end).filter(|worker| worker.wall_ns > 0);
    let details = judged.filter_map(|worker| {
        let rate = worker.iterations as f64 / (worker.wall_ns as f64 / 1e9);
        if rate >= min {
            return None;
        }
        let message = format!(
            "{} did {rate:.1} iterations a second ({} in {}, on CPUs {}); at least {min} are wanted",
            name(worker),
            worker.iterations,
            format_ns(worker.wall_ns),
            worker.cpus
        );
        Some(
            violation(DetailKind::IterationRate, worker, message)
                .seen(worker.cpus.first(), worker.wall_ns)
                .measured(rate, min),
        )
    });
    AssertResult { details: details.collect(), ..AssertResult::pass() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{DETERMINISTIC, REAL_TIME, any_workers, worker};

    #[test]
    fn names_iterations_time_and_rate() {
        let slow = WorkerReport { iterations: 4000, ..worker("cell_0", 0) };
        let result = check(std::slice::from_ref(&slow), 1e6, REAL_TIME);
        let [detail] = &result.details[..] else { panic!("{result:?}") };
        assert_eq!(
            detail.message,
            "worker 0 of cell_0 (pid 100) did 400.0 iterations a second (4000 in 10.00 s, on CPUs 0-1); at least 1000000 \
             are wanted"
        );
        let early = WorkerReport { wall_ns: 0, iterations: 0, ..slow.clone() };
        assert!(!check(&[early], 1e6, REAL_TIME).is_failed(), "it was never measured");
        assert!(check(&[slow], 1e6, DETERMINISTIC).notes[0].contains("not applicable"));
    }

    proptest! {
        #[test]
        fn fails_exactly_below_the_threshold(
            workers in any_workers(), iterations in 0u64..1 << 40, min in 0u64..1 << 40,
        ) {
            let mut workers = workers;
            workers.iter_mut().for_each(|worker| worker.iterations = iterations);
            let slow = workers.iter().filter(ran_to_the_end).filter(|_| iterations < min * 10).count();
            prop_assert_eq!(check(&workers, min as f64, REAL_TIME).details.len(), slow);
        }
    }
}
