//! Workers of one cgroup that ran too irregularly after being woken.

use ktstr_model::{AssertResult, DetailKind, WorkerReport, format_ns};

use crate::distribution::Distribution;
use crate::precision::Precision;
use crate::statistics::by_cgroup;
use crate::wake_latency::{latest, never_woken};
use crate::words::{cgroup_name, name, ran_to_the_end, violation};

/// One violation for every cgroup in which the coefficient of variation of the times from being woken to running is above
/// `max`, all its workers taken together. Cgroups whose workers were never woken are noted.
pub(crate) fn check(workers: &[WorkerReport], max: f64, precision: Precision) -> AssertResult {
    let key = format!("max_wake_latency_cv = {max}");
    if let Some(refused) =
        precision.refuses(&key, "short latencies, and so their variation, are the emulator's doing")
    {
        return refused;
    }
    let mut result = AssertResult::pass();
    for (cgroup, workers) in by_cgroup(workers) {
        let judged: Vec<&WorkerReport> = workers.into_iter().filter(ran_to_the_end).collect();
        let pooled = Distribution::pooled(judged.iter().map(|worker| &worker.wake_latencies));
        let (Some(cv), Some(latest)) = (pooled.variation(), latest(&judged)) else {
            result.note(never_woken(&key, cgroup));
            continue;
        };
        if cv <= max {
            continue;
        }
        let worst = &latest.wake_latencies;
        let message = format!(
            "{} has a coefficient of variation of {cv:.3} in its times from being woken to running, {max} is allowed; the \
             longest was {}, of {} on CPU {} at {} after it was let go",
            cgroup_name(cgroup),
            format_ns(worst.max_ns),
            name(latest),
            worst.max_cpu,
            format_ns(worst.max_at_ns)
        );
        let detail = violation(DetailKind::WakeLatencyCv, latest, message)
            .seen(Some(worst.max_cpu), worst.max_at_ns)
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
    use crate::testing::{DETERMINISTIC, REAL_TIME, sample, worker};

    fn woken(index: u32, latencies: impl IntoIterator<Item = u64>) -> WorkerReport {
        WorkerReport { wake_latencies: sample(latencies), ..worker("cell_0", index) }
    }

    #[test]
    fn names_the_variation_and_the_latest_worker() {
        let result = check(&[woken(0, [1_000_000]), woken(1, [3_000_000])], 0.4, REAL_TIME);
        let [detail] = &result.details[..] else { panic!("{result:?}") };
        assert_eq!(
            detail.message,
            "cell_0 has a coefficient of variation of 0.500 in its times from being woken to running, 0.4 is allowed; the \
             longest was 3.00 ms, of worker 1 of cell_0 (pid 101) on CPU 0 at 0 ns after it was let go"
        );
        assert_eq!((detail.value, detail.threshold), (Some(0.5), Some(0.4)));
        let died = WorkerReport { exit: WorkerExit::Failed("x".into()), ..woken(1, [3_000_000]) };
        assert!(!check(&[woken(0, [1_000_000]), died], 0.4, REAL_TIME).is_failed());
    }

    #[test]
    fn none_one_and_two_wake_ups() {
        let none = check(&[worker("cell_0", 0)], 0.0, REAL_TIME);
        assert!(!none.is_failed() && none.notes[0].contains("never woken"), "{none:?}");
        assert!(!check(&[woken(0, [5])], 0.0, REAL_TIME).is_failed());
        assert!(!check(&[woken(0, [5, 5])], 0.0, REAL_TIME).is_failed());
        assert!(check(&[woken(0, [5, 6])], 0.0, REAL_TIME).is_failed());
        let refused = check(&[woken(0, [5, 6])], 0.0, DETERMINISTIC);
        assert!(!refused.is_failed() && refused.notes[0].contains("not applicable"), "{refused:?}");
    }

    proptest! {
        #[test]
        fn equal_latencies_never_fail(ns in 0u64..1 << 40, counts in proptest::collection::vec(1usize..9, 1..5)) {
            let workers: Vec<_> =
                counts.iter().zip(0..).map(|(count, index)| woken(index, vec![ns; *count])).collect();
            prop_assert!(!check(&workers, 0.0, REAL_TIME).is_failed());
        }
    }
}
