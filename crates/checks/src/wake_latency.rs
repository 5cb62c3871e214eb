//! Workers of one cgroup that ran too late after being woken.

use ktstr_model::{AssertResult, DetailKind, WorkerReport, format_ns};

use crate::distribution::Distribution;
use crate::precision::Precision;
use crate::statistics::by_cgroup;
use crate::words::{cgroup_name, name, ran_to_the_end, violation};

/// One violation for every cgroup in which the 99th percentile of the times from being woken to running is above `max_ns`
/// nanoseconds, all its workers taken together (see [`Distribution::pooled`]). Of many times a worker keeps 256, so the
/// percentile of a busy cgroup is an estimate. Cgroups whose workers were never woken are noted.
pub(crate) fn check(workers: &[WorkerReport], max_ns: u64, precision: Precision) -> AssertResult {
    let key = format!("max_p99_wake_latency_ns = {max_ns}");
    if let Some(why) = precision.too_short(max_ns) {
        return AssertResult::pass().with_note(format!("{key} is not applicable: the threshold is {why}"));
    }
    let mut result = AssertResult::pass();
    for (cgroup, workers) in by_cgroup(workers) {
        let judged: Vec<&WorkerReport> = workers.into_iter().filter(ran_to_the_end).collect();
        let pooled = Distribution::pooled(judged.iter().map(|worker| &worker.wake_latencies));
        let Some(p99) = pooled.percentile(99.0) else {
            result.note(never_woken(&key, cgroup));
            continue;
        };
        let Some(latest) = latest(&judged).filter(|_| p99 > max_ns as f64) else { continue };
        let worst = &latest.wake_latencies;
        let wakes: u64 = judged.iter().map(|worker| worker.wake_latencies.count).sum();
        let message = format!(
            "{} has a 99th percentile of {} from being woken to running, over {wakes} times; {} are allowed; the longest \
             was {}, of {} on CPU {} at {} after it was let go",
            cgroup_name(cgroup),
            format_ns(p99 as u64),
            format_ns(max_ns),
            format_ns(worst.max_ns),
            name(latest),
            worst.max_cpu,
            format_ns(worst.max_at_ns)
        );
        let detail = violation(DetailKind::WakeLatency, latest, message)
            .seen(Some(worst.max_cpu), worst.max_at_ns)
            .measured(p99, max_ns as f64);
        result.details.push(detail);
    }
    result
}

/// The worker that was woken and ran latest.
pub(crate) fn latest<'a>(workers: &[&'a WorkerReport]) -> Option<&'a WorkerReport> {
    let woken = workers.iter().filter(|worker| worker.wake_latencies.count > 0);
    woken.max_by_key(|worker| worker.wake_latencies.max_ns).copied()
}

/// The remark on a cgroup that has nothing to judge.
pub(crate) fn never_woken(key: &str, cgroup: &str) -> String {
    format!("{key} says nothing about {}: its workers were never woken", cgroup_name(cgroup))
}

#[cfg(test)]
mod tests {
    use ktstr_model::WorkerExit;
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{REAL_TIME, SECOND, sample, worker};

    fn woken(index: u32, latencies: impl IntoIterator<Item = u64>) -> WorkerReport {
        let mut worker = WorkerReport { wake_latencies: sample(latencies), ..worker("cell_0", index) };
        (worker.wake_latencies.max_at_ns, worker.wake_latencies.max_cpu) = (3 * SECOND, 5);
        worker
    }

    #[test]
    fn names_cgroup_percentile_and_the_latest_worker() {
        let workers = [woken(0, [1_000_000, 2_000_000]), woken(1, [1_000_000, 60_000_000])];
        let result = check(&workers, 50_000_000, REAL_TIME);
        let [detail] = &result.details[..] else { panic!("{result:?}") };
        assert_eq!(
            detail.message,
            "cell_0 has a 99th percentile of 60.00 ms from being woken to running, over 4 times; 50.00 ms are allowed; \
             the longest was 60.00 ms, of worker 1 of cell_0 (pid 101) on CPU 5 at 3.00 s after it was let go"
        );
        assert_eq!((detail.worker, detail.cpu, detail.at_ns), (Some(1), Some(5), Some(3 * SECOND)));
        assert_eq!((detail.value, detail.threshold), (Some(6e7), Some(5e7)));
        let [early, late] = workers;
        let died = WorkerReport { exit: WorkerExit::Failed("x".into()), ..late };
        assert!(!check(&[early, died], 50_000_000, REAL_TIME).is_failed());
    }

    #[test]
    fn none_one_and_two_wake_ups() {
        let none = check(&[worker("cell_0", 0)], 1, REAL_TIME);
        assert!(!none.is_failed() && none.notes[0].contains("never woken"), "{none:?}");
        assert!(check(&[woken(0, [5])], 4, REAL_TIME).is_failed());
        assert!(!check(&[woken(0, [5])], 5, REAL_TIME).is_failed());
        assert_eq!(check(&[woken(0, [5, 9])], 8, REAL_TIME).details[0].value, Some(9.0));
    }

    #[test]
    fn a_threshold_below_three_turns_is_not_applicable() {
        let result = check(&[woken(0, [SECOND])], 30, Precision { turn_ns: Some(11) });
        assert!(!result.is_failed() && result.notes[0].contains("not applicable"), "{result:?}");
        assert!(check(&[woken(0, [SECOND])], 33, Precision { turn_ns: Some(11) }).is_failed());
    }

    proptest! {
        #[test]
        fn fewer_late_ones_than_a_hundredth_never_fail(late in 0usize..10, max_ns in 1u64..1000) {
            let times = (0..1000).map(|i| if i < late { max_ns + 1 } else { max_ns });
            prop_assert!(!check(&[woken(0, times)], max_ns, REAL_TIME).is_failed());
            let more = (0..1000).map(|i| if i < 11 + late { max_ns + 1 } else { max_ns });
            prop_assert!(check(&[woken(0, more)], max_ns, REAL_TIME).is_failed());
        }
    }
}
