//! Workers of one cgroup that did unequal amounts of work in the same CPU time.

use ktstr_model::{AssertResult, DetailKind, WorkerReport, format_ns};

use crate::distribution::Distribution;
use crate::precision::Precision;
use crate::statistics::by_cgroup;
use crate::words::{cgroup_name, name, ran_to_the_end, violation};

/// Checkpoints that a worker passed in a second of its CPU time; `None` for one that had no CPU time.
pub(crate) fn work_rate(worker: &WorkerReport) -> Option<f64> {
    (worker.cpu_ns > 0).then(|| worker.work_units as f64 / (worker.cpu_ns as f64 / 1e9))
}

/// One violation for every cgroup in which the coefficient of variation of its workers' checkpoints a CPU second is above
/// `max`. Workers without CPU time are left out: whether they starved is another check. A cgroup of one worker, or whose
/// workers do different things, has nothing to compare.
pub(crate) fn check(workers: &[WorkerReport], max: f64, precision: Precision) -> AssertResult {
    let key = format!("max_throughput_cv = {max}");
    if let Some(refused) = precision.refuses(&key, "how much work a CPU second holds is the emulator's doing")
    {
        return refused;
    }
    let mut result = AssertResult::pass();
    for (cgroup, workers) in by_cgroup(workers) {
        let rated = workers.into_iter().filter(ran_to_the_end);
        let rated: Vec<_> = rated.filter_map(|worker| Some((worker, work_rate(worker)?))).collect();
        if rated.iter().any(|(worker, _)| worker.work != rated[0].0.work) {
            result.note(format!(
                "{key} says nothing about {}: its workers do different things",
                cgroup_name(cgroup)
            ));
            continue;
        }
        let Some(cv) = Distribution::of(rated.iter().map(|(_, rate)| *rate)).variation() else { continue };
        let by_rate = |a: &&(&WorkerReport, f64), b: &&(&WorkerReport, f64)| a.1.total_cmp(&b.1);
        let (Some((slow, least)), Some((fast, most))) =
            (rated.iter().min_by(by_rate), rated.iter().max_by(by_rate))
        else {
            continue;
        };
        if cv <= max {
            continue;
        }
        let message = format!(
            "{} passed {least:.0} checkpoints a CPU second on CPUs {} in its {}, but {} {most:.0} on CPUs {}: a \
             coefficient of variation of {cv:.3} in {}, {max} is allowed",
            name(slow),
            slow.cpus,
            format_ns(slow.wall_ns),
            name(fast),
            fast.cpus,
            cgroup_name(cgroup)
        );
        let detail = violation(DetailKind::ThroughputCv, slow, message)
            .seen(slow.cpus.first(), slow.wall_ns)
            .measured(cv, max);
        result.details.push(detail);
    }
    result
}

#[cfg(test)]
mod tests {
    use ktstr_model::WorkerExit;
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{DETERMINISTIC, REAL_TIME, any_workers, worker};

    fn with_units(index: u32, work_units: u64) -> WorkerReport {
        WorkerReport { work_units, ..worker("cell_0", index) }
    }

    #[test]
    fn names_the_slowest_and_the_fastest() {
        let result = check(&[with_units(0, 5000), with_units(1, 15_000)], 0.2, REAL_TIME);
        let [detail] = &result.details[..] else { panic!("{result:?}") };
        assert_eq!(
            detail.message,
            "worker 0 of cell_0 (pid 100) passed 1000 checkpoints a CPU second on CPUs 0-1 in its 10.00 s, but worker 1 \
             of cell_0 (pid 101) 3000 on CPUs 0-1: a coefficient of variation of 0.500 in cell_0, 0.2 is allowed"
        );
        assert_eq!((detail.value, detail.threshold), (Some(0.5), Some(0.2)));
        let fails_above =
            |max| check(&[with_units(0, 5000), with_units(1, 15_000)], max, REAL_TIME).is_failed();
        assert!(fails_above(0.499) && !fails_above(0.5));
        let dead = WorkerReport { exit: WorkerExit::HungOnStop, ..with_units(2, 1) };
        let died = WorkerReport { exit: WorkerExit::Failed("x".into()), ..dead.clone() };
        assert!(check(&[with_units(0, 5), dead], 0.2, REAL_TIME).is_failed(), "it worked to the end");
        assert!(!check(&[with_units(0, 5), died], 0.2, REAL_TIME).is_failed());
        let idle = WorkerReport { cpu_ns: 0, ..with_units(3, 0) };
        assert!(!check(&[with_units(0, 5), idle], 0.2, REAL_TIME).is_failed(), "that is starvation's");
    }

    #[test]
    fn is_not_judged_in_turns_nor_among_workers_of_different_kinds() {
        let unequal = [with_units(0, 1), with_units(1, 9)];
        let result = check(&unequal, 0.0, DETERMINISTIC);
        assert!(!result.is_failed() && result.notes[0].contains("not applicable"), "{result:?}");
        let mut others = unequal.clone();
        others[1].work = "YieldHeavy".into();
        let result = check(&others, 0.0, REAL_TIME);
        assert!(!result.is_failed() && result.notes[0].contains("different things"), "{result:?}");
        assert!(check(&unequal, 0.0, REAL_TIME).is_failed());
    }

    proptest! {
        #[test]
        fn equal_rates_never_fail(units in 0u64..1 << 40, count in 0u32..9) {
            let workers: Vec<_> = (0..count).map(|index| with_units(index, units)).collect();
            prop_assert_eq!(check(&workers, 0.0, REAL_TIME), AssertResult::pass());
        }

        #[test]
        fn a_higher_threshold_never_adds_a_failure(workers in any_workers(), max in 0.0f64..3.0, more in 0.0f64..1.0) {
            let failures = |max| check(&workers, max, REAL_TIME).details.len();
            prop_assert!(failures(max + more) <= failures(max));
            prop_assert_eq!(failures(3.0), 0, "eight figures vary by the root of 7 at most");
        }
    }
}
