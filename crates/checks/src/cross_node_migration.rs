//! Pages that the kernel moved between NUMA nodes.

use ktstr_model::{AssertResult, DetailKind, WorkerReport, format_ns};

use crate::page_locality::{no_pages, pages};
use crate::words::{name, ran_to_the_end, violation};

/// One violation when the kernel moved more than `max` times as many pages between NUMA nodes as the workers have in their
/// working sets. The kernel counts its moves for the whole machine (`numa_pages_migrated` of `/proc/vmstat`), so all
/// workers are judged together: by the most that one of them saw while it worked, over the pages of all.
pub(crate) fn check(workers: &[WorkerReport], max: f64) -> AssertResult {
    let judged: Vec<&WorkerReport> = workers.iter().filter(ran_to_the_end).collect();
    let all: u64 = judged.iter().map(|worker| pages(worker)).sum();
    let Some(most) = judged.iter().max_by_key(|worker| worker.numa_pages_migrated).filter(|_| all > 0) else {
        let note = no_pages(&format!("max_cross_node_migration_ratio = {max}"), judged.len());
        return AssertResult::pass().with_note(note);
    };
    let moved = most.numa_pages_migrated;
    let ratio = moved as f64 / all as f64;
    if ratio <= max {
        return AssertResult::pass();
    }
    let message = format!(
        "the kernel moved {moved} pages between NUMA nodes while {} worked for {} on CPUs {}, {ratio:.3} times the {all} pages \
         of all workers; {max} times are allowed",
        name(most),
        format_ns(most.wall_ns),
        most.cpus
    );
    let detail = violation(DetailKind::CrossNodeMigration, most, message)
        .seen(most.cpus.first(), most.wall_ns)
        .measured(ratio, max);
    AssertResult::fail(detail)
}

#[cfg(test)]
mod tests {
    use ktstr_model::WorkerExit;
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{with_pages, worker};

    #[test]
    fn names_moves_pages_and_ratio() {
        let mut seen = with_pages(1, &[(0, 50)]);
        seen.numa_pages_migrated = 150;
        let result = check(&[with_pages(0, &[(1, 50)]), seen.clone()], 1.0);
        let [detail] = &result.details[..] else { panic!("{result:?}") };
        assert_eq!(
            detail.message,
            "the kernel moved 150 pages between NUMA nodes while worker 1 of cell_0 (pid 101) worked for 10.00 s on CPUs \
             0-1, 1.500 times the 100 pages of all workers; 1 times are allowed"
        );
        assert_eq!((detail.value, detail.threshold), (Some(1.5), Some(1.0)));
        let died = WorkerReport { exit: WorkerExit::Failed("x".into()), ..with_pages(2, &[(0, 900)]) };
        assert!(check(&[seen, died], 1.0).is_failed(), "its pages do not count");
    }

    #[test]
    fn without_pages_nothing_is_said() {
        let result = check(&[worker("cell_0", 0)], 0.0);
        assert!(
            !result.is_failed() && result.notes[0].contains("says nothing about 1 workers"),
            "{result:?}"
        );
    }

    proptest! {
        #[test]
        fn a_move_counts_once_however_many_saw_it(moved in 0u64..500, workers in 1u32..5, max in 0.0f64..3.0) {
            let workers: Vec<_> = (0..workers)
                .map(|index| WorkerReport { numa_pages_migrated: moved, ..with_pages(index, &[(0, 100)]) })
                .collect();
            let ratio = moved as f64 / (100 * workers.len()) as f64;
            prop_assert_eq!(check(&workers, max).is_failed(), ratio > max);
        }
    }
}
