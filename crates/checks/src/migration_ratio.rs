//! Workers that changed their CPU too often.

use ktstr_model::{AssertResult, DetailKind, WorkerReport};

use crate::words::{name, ran_to_the_end, violation};

/// One violation for every worker of whose checkpoints more than the share `max`, 0 to 1, were on another CPU than the one
/// before. What happens between two checkpoints is not seen. Workers without checkpoints are left out: whether they starved
/// is another check. In deterministic mode a second has fewer checkpoints, so the same migrations are a larger share.
pub(crate) fn check(workers: &[WorkerReport], max: f64) -> AssertResult {
    let judged = workers.iter().filter(ran_to_the_end).filter(|worker| worker.work_units > 0);
    let details = judged.filter_map(|worker| {
        let ratio = worker.migrations as f64 / worker.work_units as f64;
        if ratio <= max {
            return None;
        }
        let message = format!(
            "{} was on another CPU than before at {:.2} % of its checkpoints ({} of {}, {} to another LLC, {} to another \
             node, on CPUs {}); {} % are allowed",
            name(worker),
            ratio * 100.0,
            worker.migrations,
            worker.work_units,
            worker.llc_migrations,
            worker.node_migrations,
            worker.cpus,
            max * 100.0
        );
        Some(violation(DetailKind::MigrationRatio, worker, message)
            .seen(worker.migration_log.first().map(|migration| migration.to).or(worker.cpus.first()), worker.wall_ns)
            .measured(ratio, max))
    });
    AssertResult { details: details.collect(), ..AssertResult::pass() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{any_workers, worker};

    #[test]
    fn names_the_share_and_how_far_the_worker_went() {
        let restless = WorkerReport { migrations: 35_000, llc_migrations: 20, ..worker("cell_0", 0) };
        let result = check(&[restless], 0.25);
        let [detail] = &result.details[..] else { panic!("{result:?}") };
        assert_eq!(
            detail.message,
            "worker 0 of cell_0 (pid 100) was on another CPU than before at 50.00 % of its checkpoints (35000 of 70000, \
             20 to another LLC, 0 to another node, on CPUs 0-1); 25 % are allowed"
        );
        assert_eq!((detail.value, detail.threshold), (Some(0.5), Some(0.25)));
    }

    proptest! {
        #[test]
        fn fails_exactly_above_the_threshold(workers in any_workers(), migrations in 0u64..4, max in 0.0f64..=1.0) {
            let mut workers = workers;
            workers.iter_mut().for_each(|worker| worker.migrations = migrations);
            let judged = workers.iter().filter(ran_to_the_end).filter(|worker| worker.work_units > 0);
            let restless = judged.filter(|w| migrations as f64 > max * w.work_units as f64).count();
            prop_assert_eq!(check(&workers, max).details.len(), restless);
        }
    }
}
