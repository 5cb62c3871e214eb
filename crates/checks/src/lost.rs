//! Workers that crashed, or did not stop when they were told to.

use ktstr_model::{AssertResult, DetailKind, WorkerExit, WorkerReport, format_ns};

use crate::words::{name, violation};

/// One violation for every worker that did not end as it should.
pub(crate) fn check(workers: &[WorkerReport]) -> AssertResult {
    let details = workers.iter().filter_map(|worker| {
        let how = match &worker.exit {
            WorkerExit::Stopped => return None,
            WorkerExit::Died(how) => format!("{how} before it was told to stop"),
            WorkerExit::Failed(why) => format!("failed: it {why}"),
            WorkerExit::HungOnStop => "did not stop when told to and was killed".to_owned(),
        };
        let seen = match worker.events.last() {
            Some(last) => format!(
                "its last checkpoint on record, number {}, was on CPU {} at {} on the guest's clock",
                last.count,
                last.cpu,
                format_ns(last.at_ns)
            ),
            None => "it left no checkpoint".to_owned(),
        };
        let remarks: String = worker.notes.iter().map(|note| format!("; {note}")).collect();
        let message = format!("{} {how}; {seen}{remarks}", name(worker));
        let mut detail = violation(DetailKind::WorkerLost, worker, message);
        detail.cpu = worker.events.last().map(|last| last.cpu);
        Some(detail)
    });
    AssertResult { details: details.collect(), ..AssertResult::pass() }
}

#[cfg(test)]
mod tests {
    use ktstr_model::{ExitHow, WorkerEvent};
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{any_workers, worker};

    #[test]
    fn says_how_and_where_the_worker_was_last_seen() {
        let mut crashed = worker("cell_0", 3);
        crashed.exit = WorkerExit::Died(ExitHow::Signal(11));
        crashed.events = vec![
            WorkerEvent { at_ns: 1_000_000_000, cpu: 2, count: 20 },
            WorkerEvent { at_ns: 2_500_000_000, cpu: 5, count: 40 },
        ];
        let mut hung = worker("cell_1", 0);
        hung.exit = WorkerExit::HungOnStop;
        let mut failed = worker("cell_1", 1);
        failed.exit = WorkerExit::Failed("could not set its affinity to CPUs 9: Invalid argument".into());
        failed.notes = vec!["pids.max = 3 of its cgroup refused 1 forks".into()];
        let result = check(&[crashed, worker("cell_0", 4), hung, failed]);
        let messages: Vec<&str> = result.details.iter().map(|detail| detail.message.as_str()).collect();
        assert_eq!(
            messages,
            [
                "worker 3 of cell_0 (pid 103) was killed by signal 11 before it was told to stop; its last checkpoint on \
             record, number 40, was on CPU 5 at 2.50 s on the guest's clock",
                "worker 0 of cell_1 (pid 100) did not stop when told to and was killed; it left no checkpoint",
                "worker 1 of cell_1 (pid 101) failed: it could not set its affinity to CPUs 9: Invalid argument; it left \
             no checkpoint; pids.max = 3 of its cgroup refused 1 forks",
            ]
        );
        assert_eq!(result.details[0].cpu, Some(5));
    }

    proptest! {
        #[test]
        fn every_lost_worker_is_named_once(workers in any_workers()) {
            let lost = workers.iter().filter(|worker| worker.exit != WorkerExit::Stopped);
            let expected: Vec<_> = lost.map(|worker| (Some(worker.cgroup.clone()), Some(worker.index))).collect();
            let named: Vec<_> =
                check(&workers).details.into_iter().map(|detail| (detail.cgroup, detail.worker)).collect();
            prop_assert_eq!(named, expected);
        }
    }
}
