//! Workers that ran outside of their cpuset.

use ktstr_model::{AssertResult, CpuSet, DetailKind, WorkerReport, format_ns};

use crate::words::{name, violation};

/// One violation for every worker that was seen on a CPU which its cpuset never had while it worked. The cpuset is what
/// the kernel calls effective: what the levels above have counts too. A worker that was in several cpusets may have been
/// on the CPUs of any of them, at any time: when exactly it left a CPU cannot be told from its checkpoints.
pub(crate) fn check(workers: &[WorkerReport]) -> AssertResult {
    let mut result = AssertResult::pass();
    for worker in workers {
        let allowed = &worker.allowed.cpus;
        if allowed.is_empty() {
            result.note(format!("isolation says nothing about {}: its cpuset is not known", name(worker)));
            continue;
        }
        let outside = worker.cpus.difference(allowed);
        let Some(first) = outside.first() else { continue };
        let first_seen = first_seen(worker, &outside);
        let seen = match first_seen {
            Some((cpu, at_ns)) => format!("first on CPU {cpu} at {} on the guest's clock", format_ns(at_ns)),
            None => "when is not on record".to_owned(),
        };
        let message = format!(
            "{} ran on CPUs {outside}, which its cpuset {allowed} does not have; {seen}; none are allowed",
            name(worker)
        );
        let mut detail =
            violation(DetailKind::Isolation, worker, message).measured(outside.len() as f64, 0.0);
        detail.cpu = Some(first_seen.map_or(first, |(cpu, _)| cpu));
        result.details.push(detail);
    }
    result
}

/// Where and when a worker was first seen on one of these CPUs, as far as it kept that.
fn first_seen(worker: &WorkerReport, outside: &CpuSet) -> Option<(u32, u64)> {
    let arrivals = worker.migration_log.iter().map(|migration| (migration.to, migration.at_ns));
    let sightings = worker.events.iter().map(|event| (event.cpu, event.at_ns));
    arrivals.chain(sightings).filter(|(cpu, _)| outside.contains(*cpu)).min_by_key(|(_, at_ns)| *at_ns)
}

#[cfg(test)]
mod tests {
    use ktstr_model::{Migration, WorkerEvent};
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{SECOND, any_workers, worker};

    fn confined(cpus: &str, seen: &str) -> WorkerReport {
        let mut worker = worker("cell_0", 3);
        worker.allowed.cpus = cpus.parse().unwrap();
        worker.cpus = seen.parse().unwrap();
        worker
    }

    #[test]
    fn names_the_cpus_and_when_the_worker_came_there() {
        let mut astray = confined("0-1", "0-2,7");
        astray.events = vec![WorkerEvent { at_ns: 9 * SECOND, cpu: 2, count: 1 }];
        astray.migration_log = vec![
            Migration { at_ns: SECOND, from: 0, to: 1 },
            Migration { at_ns: 3 * SECOND, from: 1, to: 7 },
        ];
        let result = check(&[confined("0-1", "1"), astray]);
        let [detail] = &result.details[..] else { panic!("{result:?}") };
        assert_eq!(
            detail.message,
            "worker 3 of cell_0 (pid 103) ran on CPUs 2,7, which its cpuset 0-1 does not have; first on CPU 7 at 3.00 s \
             on the guest's clock; none are allowed"
        );
        assert_eq!((detail.cpu, detail.value, detail.threshold), (Some(7), Some(2.0), Some(0.0)));
    }

    #[test]
    fn a_cpuset_that_is_not_known_is_said_so() {
        let mut unknown = confined("0", "5");
        unknown.allowed.cpus = CpuSet::default();
        let result = check(&[unknown]);
        assert!(!result.is_failed() && result.notes[0].contains("cpuset is not known"), "{result:?}");
    }

    proptest! {
        #[test]
        fn fails_exactly_outside(workers in any_workers(), allowed in proptest::collection::vec(0u32..4, 1..4)) {
            let allowed: CpuSet = allowed.into_iter().collect();
            let mut workers = workers;
            workers.iter_mut().for_each(|worker| worker.allowed.cpus = allowed.clone());
            let astray = workers.iter().filter(|worker| worker.cpus.iter().any(|cpu| !allowed.contains(cpu)));
            prop_assert_eq!(check(&workers).details.len(), astray.count());
        }
    }
}
