//! Workers that did no work at all.

use ktstr_model::{AssertResult, DetailKind, WorkerReport, format_ns};

use crate::precision::Precision;
use crate::words::{name, ran_to_the_end, violation};

/// One violation for every worker that passed no checkpoint in its whole run. In deterministic mode a worker that got a vCPU
/// turn of CPU time did not starve: the kernel charges it with the turns of the others, so it may have had a CPU and no time
/// to reach a checkpoint.
pub(crate) fn check(workers: &[WorkerReport], precision: Precision) -> AssertResult {
    let mut result = AssertResult::pass();
    let mut slow = 0;
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
        if precision.turn_ns.is_some_and(|turn_ns| worker.cpu_ns >= turn_ns) {
            slow += 1;
            continue;
        }
        let message = format!(
            "{} starved: it passed no checkpoint on any CPU in {wall}, from being let go to the end, and got {} of \
             CPU time; at least one checkpoint is wanted",
            name(worker),
            format_ns(worker.cpu_ns)
        );
        let detail = violation(DetailKind::Starved, worker, message);
        result.details.push(detail.seen(None, worker.wall_ns).measured(0.0, 1.0));
    }
    if slow > 0 {
        result.note(format!(
            "starvation is not applicable to {slow} workers: they passed no checkpoint, but had a CPU for a vCPU turn or longer, \
             and how much work fits into that is the emulator's doing"
        ));
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
    fn who_had_a_cpu_for_a_turn_did_not_starve() {
        let idle = |cpu_ns| WorkerReport { work_units: 0, cpu_ns, ..worker("cell_0", 0) };
        let in_turns = |cpu_ns| check(&[idle(cpu_ns)], Precision { turn_ns: Some(1000) });
        assert!(in_turns(999).is_failed() && check(&[idle(1000)], REAL_TIME).is_failed());
        let slow = in_turns(1000);
        assert!(!slow.is_failed() && slow.notes[0].contains("not applicable to 1 workers"), "{slow:?}");
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
