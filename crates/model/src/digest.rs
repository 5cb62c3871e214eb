//! The digest of a run: equal digests mean equal schedules.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{MetricValue, PayloadReport, RunReport, Schedstat, Stimulus, TimeSample, WorkerReport};

/// The first 128 bits of a SHA-256 hash, printed as 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest([u8; 16]);

impl Digest {
    /// Hashes bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self::first_half(Sha256::digest(bytes).into())
    }

    /// Its bits.
    pub const fn bytes(self) -> [u8; 16] {
        self.0
    }

    fn first_half(hash: [u8; 32]) -> Self {
        let mut half = [0; 16];
        half.copy_from_slice(&hash[..16]);
        Self(half)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for Digest {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let error = || format!("`{text}` is not a digest of 32 hexadecimal digits");
        if text.len() != 32 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(error());
        }
        u128::from_str_radix(text, 16).map(|n| Self(n.to_be_bytes())).map_err(|_| error())
    }
}

impl TryFrom<String> for Digest {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

/// Hashes what a run did: all that every worker and every external program reported, what the scenario did and when, what
/// became of the scheduler, what the kernel said about sched_ext, what the body returned, and how long it took.
pub(crate) fn of_report(report: &RunReport) -> Digest {
    // Every field by name, so that a new one cannot be forgotten.
    let RunReport {
        result,
        workers,
        stimuli,
        payloads,
        metrics,
        scheduler,
        sched_ext_log,
        cleanup,
        guest_ns,
        digest: _,
    } = report;
    let mut hash = Sha256::new();
    hash_words(&mut hash, &[workers.len() as u64]);
    workers.iter().for_each(|worker| hash_worker(&mut hash, worker));
    hash_words(&mut hash, &[stimuli.len() as u64]);
    for Stimulus { began_ns, ended_ns, place, what } in stimuli {
        hash_words(&mut hash, &[*began_ns, *ended_ns]);
        hash_text(&mut hash, place);
        hash_text(&mut hash, what);
    }
    hash_words(&mut hash, &[payloads.len() as u64, metrics.len() as u64]);
    payloads.iter().for_each(|payload| hash_payload(&mut hash, payload));
    metrics.iter().for_each(|metric| hash_metric(&mut hash, metric));
    // Their debug form has every field too, and is short.
    hash_text(&mut hash, &format!("{scheduler:?} {result:?} {cleanup:?}"));
    hash_words(&mut hash, &[sched_ext_log.len() as u64, *guest_ns]);
    sched_ext_log.iter().for_each(|line| hash_text(&mut hash, line));
    Digest::first_half(hash.finalize().into())
}

fn hash_words(hash: &mut Sha256, words: &[u64]) {
    words.iter().for_each(|word| hash.update(word.to_le_bytes()));
}

fn hash_text(hash: &mut Sha256, text: &str) {
    hash_words(hash, &[text.len() as u64]);
    hash.update(text);
}

fn hash_sample(hash: &mut Sha256, sample: &TimeSample) {
    let TimeSample { count, sum_ns, max_ns, max_at_ns, max_cpu, kept_ns } = sample;
    hash_words(hash, &[*count, *sum_ns, *max_ns, *max_at_ns, (*max_cpu).into(), kept_ns.len() as u64]);
    hash_words(hash, kept_ns);
}

fn hash_payload(hash: &mut Sha256, report: &PayloadReport) {
    let PayloadReport { payload, primary, cgroup, args, pid, began_ns, ended_ns, cpu_ns, end, last_lines } =
        report;
    hash_text(hash, payload);
    hash_text(hash, cgroup);
    hash_words(hash, &[(*primary).into(), (*pid).into(), *began_ns, *ended_ns, *cpu_ns]);
    hash_text(hash, &format!("{end:?}"));
    for texts in [args, last_lines] {
        hash_words(hash, &[texts.len() as u64]);
        texts.iter().for_each(|text| hash_text(hash, text));
    }
}

fn hash_metric(hash: &mut Sha256, metric: &MetricValue) {
    let MetricValue { name, value, unit, polarity, payload, cgroup } = metric;
    [name, unit, payload, cgroup].into_iter().for_each(|text| hash_text(hash, text));
    hash_words(hash, &[value.to_bits(), *polarity as u64]);
}

fn hash_worker(hash: &mut Sha256, worker: &WorkerReport) {
    // Every field by name, so that a new one cannot be forgotten.
    let WorkerReport {
        cgroup,
        index,
        pid,
        work,
        work_units,
        iterations,
        cpu_ns,
        wall_ns,
        max_gap,
        migrations,
        llc_migrations,
        node_migrations,
        migration_log,
        cpus,
        allowed,
        exit,
        wake_latencies,
        iteration_costs,
        schedstat,
        numa_pages,
        numa_pages_migrated,
        turn_ns,
        notes,
        course,
        events,
        event_stride,
    } = worker;
    hash_text(hash, cgroup);
    hash_text(hash, work);
    hash_words(hash, &[(*index).into(), (*pid).into(), *work_units, *iterations, *cpu_ns, *wall_ns]);
    hash_words(hash, &[max_gap.ns, max_gap.at_ns, max_gap.cpu.into()]);
    hash_words(hash, &[*migrations, *llc_migrations, *node_migrations, migration_log.len() as u64]);
    for migration in migration_log {
        hash_words(hash, &[migration.at_ns, u64::from(migration.from) << 32 | u64::from(migration.to)]);
    }
    for set in [cpus, &allowed.cpus, &allowed.home_nodes, &allowed.memory_only_nodes] {
        hash_text(hash, &set.to_string());
    }
    hash_text(hash, &format!("{exit:?}"));
    hash_sample(hash, wake_latencies);
    hash_sample(hash, iteration_costs);
    let schedstat = schedstat.unwrap_or(Schedstat { cpu_ns: u64::MAX, ..Schedstat::default() });
    hash_words(hash, &[schedstat.cpu_ns, schedstat.run_delay_ns, schedstat.timeslices]);
    hash_words(hash, &[numa_pages.len() as u64, *numa_pages_migrated, turn_ns.unwrap_or(u64::MAX)]);
    numa_pages.iter().for_each(|(node, pages)| hash_words(hash, &[(*node).into(), *pages]));
    notes.iter().for_each(|note| hash_text(hash, note));
    hash_words(hash, &[*course, events.len() as u64, (*event_stride).into()]);
    for event in events {
        hash_words(hash, &[event.at_ns, u64::from(event.cpu) << 32 | u64::from(event.count)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        AssertResult, ExitHow, Migration, PayloadEnd, Polarity, SchedulerReport, WorkerEvent, WorkerExit,
    };

    fn report(workers: &[WorkerReport]) -> RunReport {
        RunReport { workers: workers.to_vec(), ..RunReport::of_result(Ok(AssertResult::pass())) }
    }

    fn worker() -> WorkerReport {
        WorkerReport {
            cgroup: "cell_0".into(),
            pid: 77,
            work_units: 2,
            cpu_ns: 10,
            wall_ns: 20,
            events: vec![
                WorkerEvent { at_ns: 5, cpu: 1, count: 1 },
                WorkerEvent { at_ns: 9, cpu: 0, count: 2 },
            ],
            event_stride: 1,
            ..WorkerReport::default()
        }
    }

    #[test]
    fn one_changed_figure_changes_the_digest() {
        let base = report(&[worker()]).computed_digest();
        let changes: [fn(&mut WorkerReport); 33] = [
            |w| w.events[1].at_ns += 1,
            |w| w.events[1].cpu = 2,
            |w| w.events.truncate(1),
            |w| w.course = 1,
            |w| w.event_stride = 2,
            |w| w.cgroup.push('x'),
            |w| w.index += 1,
            |w| w.pid += 1,
            |w| w.work.push('x'),
            |w| w.work_units += 1,
            |w| w.iterations += 1,
            |w| w.cpu_ns += 1,
            |w| w.wall_ns += 1,
            |w| w.max_gap.ns += 1,
            |w| w.max_gap.cpu += 1,
            |w| w.migrations += 1,
            |w| w.llc_migrations += 1,
            |w| w.node_migrations += 1,
            |w| w.migration_log.push(Migration::default()),
            |w| w.cpus = "3".parse().unwrap(),
            |w| w.exit = WorkerExit::Failed("x".into()),
            |w| w.wake_latencies.kept_ns.push(1),
            |w| w.iteration_costs.max_ns += 1,
            |w| w.iteration_costs.max_at_ns += 1,
            |w| w.allowed.cpus = "3".parse().unwrap(),
            |w| w.allowed.home_nodes = "3".parse().unwrap(),
            |w| w.allowed.memory_only_nodes = "3".parse().unwrap(),
            |w| w.schedstat = Some(Schedstat::default()),
            |w| w.schedstat = Some(Schedstat { run_delay_ns: 1, ..Schedstat::default() }),
            |w| w.numa_pages.push((0, 1)),
            |w| w.numa_pages_migrated += 1,
            |w| w.turn_ns = Some(1),
            |w| w.notes.push("x".into()),
        ];
        for (number, change) in changes.into_iter().enumerate() {
            let mut changed = worker();
            change(&mut changed);
            assert_ne!(report(&[changed]).computed_digest(), base, "change {number}");
        }
        assert_eq!(report(&[worker()]).computed_digest(), base);
    }

    #[test]
    fn what_became_of_the_run_is_part_of_it() {
        let changes: [fn(&mut RunReport); 8] = [
            |_| {},
            |r| r.scheduler = Some(SchedulerReport::default()),
            |r| r.scheduler = Some(SchedulerReport { ignored_sigint: true, ..SchedulerReport::default() }),
            |r| r.sched_ext_log.push("[    1.5] sched_ext: enabled".into()),
            |r| r.result = Ok(AssertResult::fail_msg("late")),
            |r| r.result = Ok(AssertResult::pass().with_note("seen")),
            |r| r.cleanup.scheduler_ns += 1,
            |r| r.guest_ns += 1,
        ];
        let mut digests = changes.map(|change| {
            let mut changed = report(&[worker()]);
            change(&mut changed);
            changed.computed_digest()
        });
        digests.sort();
        assert!(digests.windows(2).all(|pair| pair[0] != pair[1]), "{digests:?}");
        let told = RunReport { digest: Digest::of(b"x"), ..report(&[worker()]) };
        assert_eq!(
            told.computed_digest(),
            report(&[worker()]).computed_digest(),
            "all but the digest itself"
        );
    }

    #[test]
    fn what_the_scenario_did_is_part_of_it() {
        let of = |stimuli: &[Stimulus]| {
            RunReport { stimuli: stimuli.to_vec(), ..report(&[worker()]) }.computed_digest()
        };
        let base = Stimulus { began_ns: 1, ended_ns: 2, place: "step 1".into(), what: "begins".into() };
        let mut digests = vec![of(&[]), of(std::slice::from_ref(&base))];
        let changes: [fn(&mut Stimulus); 4] =
            [|s| s.began_ns = 2, |s| s.ended_ns = 3, |s| s.place.push('x'), |s| s.what.push('x')];
        for change in changes {
            let mut changed = base.clone();
            change(&mut changed);
            digests.push(of(&[changed]));
        }
        digests.sort();
        digests.dedup();
        assert_eq!(digests.len(), 6);
    }

    #[test]
    fn what_external_programs_did_is_part_of_it() {
        let payload = || PayloadReport {
            payload: "bench".into(),
            primary: false,
            cgroup: "cell".into(),
            args: vec!["-l".into()],
            pid: 7,
            began_ns: 1,
            ended_ns: 2,
            cpu_ns: 3,
            end: PayloadEnd::Ended(ExitHow::Code(0)),
            last_lines: vec![],
        };
        let changes: [fn(&mut PayloadReport); 11] = [
            |_| {},
            |p| p.payload.push('x'),
            |p| p.primary = true,
            |p| p.cgroup.push('x'),
            |p| p.args.push("x".into()),
            |p| p.pid = 8,
            |p| p.began_ns = 2,
            |p| p.ended_ns = 3,
            |p| p.cpu_ns = 4,
            |p| p.end = PayloadEnd::Stopped(ExitHow::Code(0)),
            |p| p.last_lines.push("x".into()),
        ];
        let mut digests = vec![report(&[]).computed_digest()];
        for change in changes {
            let mut changed = payload();
            change(&mut changed);
            digests.push(RunReport { payloads: vec![changed], ..report(&[]) }.computed_digest());
        }
        let metric = || MetricValue {
            name: "time".into(),
            value: 1.0,
            unit: "s".into(),
            polarity: Polarity::Neutral,
            payload: "bench".into(),
            cgroup: String::new(),
        };
        let changes: [fn(&mut MetricValue); 7] = [
            |_| {},
            |m| m.name.push('x'),
            |m| m.value = 1.5,
            |m| m.unit.push('x'),
            |m| m.polarity = Polarity::LowerBetter,
            |m| m.payload.push('x'),
            |m| m.cgroup.push('x'),
        ];
        for change in changes {
            let mut changed = metric();
            change(&mut changed);
            digests.push(RunReport { metrics: vec![changed], ..report(&[]) }.computed_digest());
        }
        digests.sort();
        digests.dedup();
        assert_eq!(digests.len(), 19);
    }

    #[test]
    fn prints_and_parses() {
        let digest = Digest::of(b"ktstr");
        assert_eq!(digest.to_string().parse(), Ok(digest));
        assert!("+0000000000000000000000000000000".parse::<Digest>().is_err());
        assert!("abc".parse::<Digest>().is_err());
    }
}
