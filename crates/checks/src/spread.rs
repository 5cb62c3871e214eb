//! Workers of one cgroup that got too unequal shares of CPU time.

use ktstr_model::{AssertResult, DetailKind, WorkerReport, format_ns};

use crate::precision::Precision;
use crate::statistics::by_cgroup;
use crate::words::{name, ran_to_the_end, violation};

/// One violation for every cgroup in which the largest and the smallest off-CPU share of its workers differ by more than
/// `max_percent` percent points. A cgroup of one worker has no spread.
pub(crate) fn check(workers: &[WorkerReport], max_percent: f64, precision: Precision) -> AssertResult {
    let mut result = AssertResult::pass();
    for (cgroup, workers) in by_cgroup(workers) {
        let judged: Vec<&WorkerReport> = workers.into_iter().filter(ran_to_the_end).collect();
        let by_share =
            |a: &&&WorkerReport, b: &&&WorkerReport| a.off_cpu_share().total_cmp(&b.off_cpu_share());
        let (Some(least), Some(most)) = (judged.iter().min_by(by_share), judged.iter().max_by(by_share))
        else {
            continue;
        };
        // The kernel charges a whole turn to whoever was on the vCPU, so shares are off by turns over wall time.
        let wall_ns = judged.iter().map(|worker| worker.wall_ns).min().unwrap_or(0);
        let threshold_ns = max_percent / 100.0 * wall_ns as f64;
        if let Some(why) = precision.too_short(threshold_ns as u64) {
            result.note(format!(
                "max_spread_pct = {max_percent} is not applicable to {cgroup}: of {} that is {}, {why}",
                format_ns(wall_ns),
                format_ns(threshold_ns as u64)
            ));
            continue;
        }
        let [high, low] = [most, least].map(|worker| worker.off_cpu_share() * 100.0);
        let spread = high - low;
        if spread <= max_percent {
            continue;
        }
        let gap = most.max_gap;
        let message = format!(
            "{} was off CPU {high:.1} % of its {}, but {} only {low:.1} %: a spread of {spread:.1} points, \
             {max_percent} are allowed; the former {}, and its longest gap of {} ended {} after it was let \
             go on CPU {}",
            name(most),
            format_ns(most.wall_ns),
            name(least),
            match most.cpus.is_empty() {
                true => "was seen on no CPU".to_owned(),
                false => format!("ran on CPUs {}", most.cpus),
            },
            format_ns(gap.ns),
            format_ns(gap.at_ns),
            gap.cpu
        );
        let detail = violation(DetailKind::Spread, most, message)
            .seen(Some(gap.cpu), gap.at_ns)
            .measured(spread, max_percent);
        result.details.push(detail);
    }
    result
}

#[cfg(test)]
mod tests {
    use ktstr_model::{CpuSet, ExitHow, Gap, WorkerExit};
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{REAL_TIME, SECOND, any_workers, worker};

    fn with_cpu_seconds(cgroup: &str, index: u32, seconds: u64) -> WorkerReport {
        WorkerReport { cpu_ns: seconds * SECOND, ..worker(cgroup, index) }
    }

    #[test]
    fn names_both_ends_of_the_spread() {
        let mut behind = with_cpu_seconds("cell_0", 1, 2);
        behind.max_gap = Gap { ns: SECOND, at_ns: 3 * SECOND, cpu: 4 };
        let workers = [with_cpu_seconds("cell_0", 0, 5), behind, with_cpu_seconds("cell_0", 2, 4)];
        let result = check(&workers, 15.0, REAL_TIME);
        let [detail] = &result.details[..] else { panic!("{result:?}") };
        assert_eq!(
            detail.message,
            "worker 1 of cell_0 (pid 101) was off CPU 80.0 % of its 10.00 s, but worker 0 of cell_0 (pid 100) only \
             50.0 %: a spread of 30.0 points, 15 are allowed; the former ran on CPUs 0-1, and its longest gap of \
             1.00 s ended 3.00 s after it was let go on CPU 4"
        );
    }

    #[test]
    fn who_passed_no_checkpoint_was_seen_on_no_cpu() {
        let unseen = WorkerReport { cpus: CpuSet::default(), ..with_cpu_seconds("cell_0", 1, 0) };
        let result = check(&[with_cpu_seconds("cell_0", 0, 5), unseen], 15.0, REAL_TIME);
        let message = &result.details[0].message;
        assert!(message.contains("; the former was seen on no CPU, and its longest gap of "), "{message}");
    }

    #[test]
    fn what_is_allowed_is_allowed_exactly() {
        let workers = [with_cpu_seconds("cell_0", 0, 5), with_cpu_seconds("cell_0", 1, 4)];
        assert!(!check(&workers, 10.0, REAL_TIME).is_failed());
        assert!(check(&workers, 9.999, REAL_TIME).is_failed());
    }

    #[test]
    fn cgroups_are_judged_apart_and_the_dead_not_at_all() {
        let mut dead = with_cpu_seconds("cell_0", 1, 0);
        dead.exit = WorkerExit::Died(ExitHow::Code(1));
        let workers = [with_cpu_seconds("cell_0", 0, 9), dead, with_cpu_seconds("cell_1", 0, 1)];
        assert_eq!(check(&workers, 15.0, REAL_TIME), AssertResult::pass());
    }

    #[test]
    fn a_share_below_three_turns_is_not_applicable() {
        let workers = [with_cpu_seconds("cell_0", 0, 9), with_cpu_seconds("cell_0", 1, 1)];
        let result = check(&workers, 15.0, Precision { turn_ns: Some(SECOND) });
        assert!(!result.is_failed());
        assert!(
            result.notes[0]
                .starts_with("max_spread_pct = 15 is not applicable to cell_0: of 10.00 s that is 1.50 s")
        );
    }

    proptest! {
        #[test]
        fn equal_shares_never_fail(cpu_seconds in 0u64..=10, count in 1u32..9) {
            let workers: Vec<_> = (0..count).map(|index| with_cpu_seconds("cell_0", index, cpu_seconds)).collect();
            prop_assert!(!check(&workers, 0.0, REAL_TIME).is_failed());
        }

        #[test]
        fn fails_exactly_above_the_threshold(workers in any_workers(), max_percent in 0.0..100.0) {
            let unfair = |cgroup: &str| {
                let of = workers.iter().filter(|w| w.cgroup == cgroup).filter(ran_to_the_end);
                let shares: Vec<f64> = of.map(|w| w.off_cpu_share() * 100.0).collect();
                let pairs = shares.iter().flat_map(|a| shares.iter().map(move |b| a - b));
                pairs.fold(0.0, f64::max) > max_percent
            };
            let expected = ["cell_0", "cell_1"].into_iter().filter(|cgroup| unfair(cgroup)).count();
            prop_assert_eq!(check(&workers, max_percent, REAL_TIME).details.len(), expected);
        }
    }
}
