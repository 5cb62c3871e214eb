//! Workers whose memory lay on the wrong NUMA nodes.

use ktstr_model::{AssertResult, CpuSet, DetailKind, WorkerReport};

use crate::words::{name, ran_to_the_end, violation};

/// One violation for every worker of whose pages less than the share `min`, 0 to 1, lay where they belong: on the nodes
/// that its memory policy names, else on those of the CPUs that it might use. Looked at once, at the worker's end, and only
/// for work types that have a working set. What cannot be judged is noted.
pub(crate) fn check(workers: &[WorkerReport], min: f64) -> AssertResult {
    let key = format!("min_page_locality = {min}");
    let mut result = AssertResult::pass();
    let mut without_pages = 0;
    for worker in workers.iter().filter(ran_to_the_end) {
        let home = &worker.allowed.home_nodes;
        let pages = pages(worker);
        if pages == 0 {
            without_pages += 1;
            continue;
        }
        if home.is_empty() {
            result.note(format!(
                "{key} says nothing about {}: where its pages belong is not known",
                name(worker)
            ));
            continue;
        }
        let local = pages_on(worker, home);
        let share = local as f64 / pages as f64;
        if share >= min {
            continue;
        }
        let elsewhere: Vec<String> =
            worker.numa_pages.iter().map(|(node, pages)| format!("{pages} on {node}")).collect();
        let message = format!(
            "{} had {:.1} % of its pages on nodes {home}, where they belong ({local} of {pages}; by node: {}), when it ended \
             on CPUs {}; at least {} % are wanted",
            name(worker),
            share * 100.0,
            elsewhere.join(", "),
            worker.cpus,
            min * 100.0
        );
        let detail = violation(DetailKind::PageLocality, worker, message)
            .seen(worker.cpus.first(), worker.wall_ns)
            .measured(share, min);
        result.details.push(detail);
    }
    if without_pages > 0 {
        result.note(no_pages(&key, without_pages));
    }
    result
}

/// Pages of a worker's working set, wherever they are.
pub(crate) fn pages(worker: &WorkerReport) -> u64 {
    worker.numa_pages.iter().map(|(_, pages)| pages).sum()
}

/// Those of them that are on these nodes.
pub(crate) fn pages_on(worker: &WorkerReport, nodes: &CpuSet) -> u64 {
    worker.numa_pages.iter().filter(|(node, _)| nodes.contains(*node)).map(|(_, pages)| pages).sum()
}

/// The remark on workers whose pages nobody counted.
pub(crate) fn no_pages(key: &str, workers: usize) -> String {
    format!(
        "{key} says nothing about {workers} workers: they have no working set, or the machine has one NUMA node only"
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{with_pages, worker};

    #[test]
    fn names_where_the_pages_are_and_where_they_belong() {
        let mut astray = with_pages(0, &[(0, 25), (1, 75)]);
        astray.allowed.home_nodes = CpuSet::of([0]);
        let result = check(&[astray], 0.8);
        let [detail] = &result.details[..] else { panic!("{result:?}") };
        assert_eq!(
            detail.message,
            "worker 0 of cell_0 (pid 100) had 25.0 % of its pages on nodes 0, where they belong (25 of 100; by node: 25 on \
             0, 75 on 1), when it ended on CPUs 0-1; at least 80 % are wanted"
        );
        assert_eq!((detail.value, detail.threshold), (Some(0.25), Some(0.8)));
    }

    #[test]
    fn what_cannot_be_judged_is_said_so() {
        let result = check(&[worker("cell_0", 0), with_pages(1, &[(0, 3)])], 1.0);
        assert!(!result.is_failed());
        assert!(result.notes[0].contains("where its pages belong is not known"), "{:?}", result.notes);
        assert!(result.notes[1].contains("says nothing about 1 workers"), "{:?}", result.notes);
    }

    proptest! {
        #[test]
        fn fails_exactly_below_the_threshold(here in 0u64..50, there in 0u64..50, min in 0.0f64..=1.0) {
            let mut worker = with_pages(0, &[(0, here), (1, there)]);
            worker.allowed.home_nodes = CpuSet::of([0, 7]);
            let expected = here + there > 0 && (here as f64 / (here + there) as f64) < min;
            prop_assert_eq!(check(&[worker], min).is_failed(), expected);
        }
    }
}
