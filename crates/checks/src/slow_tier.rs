//! Pages that lay on nodes of memory only.

use ktstr_model::{AssertResult, DetailKind, WorkerReport};

use crate::page_locality::{no_pages, pages, pages_on};
use crate::statistics::by_cgroup;
use crate::words::{cgroup_name, name, ran_to_the_end, violation};

/// One violation for every cgroup of whose pages more than the share `max`, 0 to 1, lay on NUMA nodes that have memory and
/// no CPUs. Looked at once, at each worker's end, and only for work types that have a working set.
pub(crate) fn check(workers: &[WorkerReport], max: f64) -> AssertResult {
    let key = format!("max_slow_tier_ratio = {max}");
    let mut result = AssertResult::pass();
    for (cgroup, workers) in by_cgroup(workers) {
        let judged: Vec<&WorkerReport> = workers.into_iter().filter(ran_to_the_end).collect();
        if judged.iter().all(|worker| worker.allowed.memory_only_nodes.is_empty()) {
            let why = "the machine has no nodes of memory only";
            result.note(format!("{key} says nothing about {}: {why}", cgroup_name(cgroup)));
            continue;
        }
        let slow = |worker: &WorkerReport| pages_on(worker, &worker.allowed.memory_only_nodes);
        let all: u64 = judged.iter().map(|worker| pages(worker)).sum();
        let Some(most) = judged.iter().max_by_key(|worker| slow(worker)).filter(|_| all > 0) else {
            result.note(no_pages(&key, judged.len()));
            continue;
        };
        let there: u64 = judged.iter().map(|worker| slow(worker)).sum();
        let ratio = there as f64 / all as f64;
        if ratio <= max {
            continue;
        }
        let message = format!(
            "{} had {:.1} % of its pages on nodes {} of memory only ({there} of {all}), {} most of them, {}, when it ended on \
             CPUs {}; {} % are allowed",
            cgroup_name(cgroup),
            ratio * 100.0,
            most.allowed.memory_only_nodes,
            name(most),
            slow(most),
            most.cpus,
            max * 100.0
        );
        let detail = violation(DetailKind::SlowTier, most, message)
            .seen(most.cpus.first(), most.wall_ns)
            .measured(ratio, max);
        result.details.push(detail);
    }
    result
}

#[cfg(test)]
mod tests {
    use ktstr_model::{CpuSet, WorkerExit};
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{with_pages, worker};

    fn tiered(index: u32, fast: u64, slow: u64) -> WorkerReport {
        let mut worker = with_pages(index, &[(0, fast), (2, slow)]);
        worker.allowed.memory_only_nodes = CpuSet::of([2]);
        worker
    }

    #[test]
    fn names_the_cgroup_and_who_has_most_there() {
        let result = check(&[tiered(0, 90, 10), tiered(1, 60, 40)], 0.2);
        let [detail] = &result.details[..] else { panic!("{result:?}") };
        assert_eq!(
            detail.message,
            "cell_0 had 25.0 % of its pages on nodes 2 of memory only (50 of 200), worker 1 of cell_0 (pid 101) most of \
             them, 40, when it ended on CPUs 0-1; 20 % are allowed"
        );
        assert_eq!((detail.worker, detail.value, detail.threshold), (Some(1), Some(0.25), Some(0.2)));
        let died = WorkerReport { exit: WorkerExit::Failed("x".into()), ..tiered(1, 60, 40) };
        assert!(!check(&[tiered(0, 90, 10), died], 0.2).is_failed(), "its pages do not count");
    }

    #[test]
    fn what_cannot_be_judged_is_said_so() {
        let result = check(&[worker("cell_0", 0)], 0.0);
        assert!(!result.is_failed() && result.notes[0].contains("no nodes of memory only"), "{result:?}");
        let mut empty = worker("cell_0", 0);
        empty.allowed.memory_only_nodes = CpuSet::of([2]);
        let result = check(&[empty], 0.0);
        assert!(!result.is_failed() && result.notes[0].contains("no working set"), "{result:?}");
    }

    proptest! {
        #[test]
        fn fails_exactly_above_the_threshold(
            pages in proptest::collection::vec((0u64..50, 0u64..50), 1..5), max in 0.0f64..=1.0,
        ) {
            let workers: Vec<_> =
                pages.iter().zip(0..).map(|((fast, slow), index)| tiered(index, *fast, *slow)).collect();
            let slow: u64 = pages.iter().map(|(_, slow)| slow).sum();
            let all: u64 = pages.iter().map(|(fast, slow)| fast + slow).sum();
            prop_assert_eq!(check(&workers, max).is_failed(), all > 0 && slow as f64 / all as f64 > max);
        }
    }
}
