//! Workers that did no work at all.

use ktstr_model::{AssertResult, DetailKind, WorkerReport, format_ns};

use crate::precision::Precision;
use crate::words::{name, ran_to_the_end, violation};

/// One violation for every worker that passed no checkpoint in its whole run.
pub(crate) fn check(workers: &[WorkerReport], precision: Precision) -> AssertResult {
    let mut result = AssertResult::pass();
    for worker in workers.iter().filter(ran_to_the_end).filter(|worker| worker.work_units == 0) {
        let wall = format_ns(worker.wall_ns);
        if worker.wall_ns == 0 {
            result.note(format!(
                "starvation of {} is not applicable: it was stopped before measuring began",
                name(worker)
            ));
            continue;
        }
        if let Some(why) = precision.too_short(worker.wall_ns) {
            result
                .note(format!("starvation of {} is not applicable: it ran for {wall}, {why}", name(worker)));
            continue;
        }
        let message = format!(
            "{} starved: it passed no checkpoint on any CPU in {wall}, from being let go to the end, and got {} of \
             CPU time; at least one checkpoint is wanted",
            name(worker),
            format_ns(worker.cpu_ns)
        );
        let mut detail = violation(DetailKind::Starved, worker, message);
        detail.at_ns = Some(worker.wall_ns);
        detail.value = Some(0.0);
        detail.threshold = Some(1.0);
        result.details.push(detail);
    }
    result
}

#[cfg(test)]
mod tests {
    use ktstr_model::{ExitHow, WorkerExit};
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{REAL_TIME, any_workers, worker};

    #[test]
    fn names_the_worker_and_how_long_it_waited() {
        let mut starved = worker("cell_1", 2);
        starved.work_units = 0;
        starved.cpu_ns = 0;
        let result = check(&[worker("cell_1", 1), starved], REAL_TIME);
        let [detail] = &result.details[..] else { panic!("{result:?}") };
        assert_eq!(
            detail.message,
            "worker 2 of cell_1 (pid 102) starved: it passed no checkpoint on any CPU in 10.00 s, from being let go \
             to the end, and got 0 ns of CPU time; at least one checkpoint is wanted"
        );
    }

    #[test]
    fn a_worker_that_crashed_did_not_starve() {
        let mut crashed = worker("cell_0", 0);
        crashed.work_units = 0;
        crashed.exit = WorkerExit::Died(ExitHow::Code(1));
        assert_eq!(check(&[crashed], REAL_TIME), AssertResult::pass());
    }

    #[test]
    fn a_run_shorter_than_three_turns_tells_nothing() {
        let mut starved = worker("cell_0", 0);
        starved.work_units = 0;
        starved.wall_ns = 29;
        let result = check(&[starved], Precision { turn_ns: Some(10) });
        assert!(!result.is_failed());
        assert!(result.notes[0].contains("not applicable"), "{:?}", result.notes);
    }

    #[test]
    fn who_was_never_measured_did_not_starve() {
        let early = WorkerReport { work_units: 0, wall_ns: 0, ..worker("cell_0", 0) };
        let result = check(&[early], REAL_TIME);
        assert!(!result.is_failed() && result.notes[0].contains("before measuring began"), "{result:?}");
    }

    proptest! {
        #[test]
        fn exactly_the_idle_ones_starve(workers in any_workers()) {
            let idle = workers.iter().filter(ran_to_the_end).filter(|worker| worker.work_units == 0).count();
            prop_assert_eq!(check(&workers, REAL_TIME).details.len(), idle);
        }
    }
}
