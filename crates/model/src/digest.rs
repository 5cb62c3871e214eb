//! The digest of a run: equal digests mean equal schedules.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{SchedulerReport, WorkerReport};

/// The first 128 bits of a SHA-256 hash, printed as 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest([u8; 16]);

impl Digest {
    /// Hashes bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self::first_half(Sha256::digest(bytes).into())
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

/// Hashes what a run did: every kept checkpoint of every worker with its time and CPU, each worker's totals, and when
/// the scheduler came up and went. The host computes it again from the record to prove that the record is whole.
pub fn report_digest(workers: &[WorkerReport], scheduler: Option<&SchedulerReport>) -> Digest {
    let mut hash = Sha256::new();
    let mut words = |words: &[u64]| words.iter().for_each(|word| hash.update(word.to_le_bytes()));
    words(&[workers.len() as u64]);
    for worker in workers {
        words(&[worker.index.into(), worker.pid.into(), worker.work_units, worker.cpu_ns, worker.wall_ns]);
        words(&[worker.migrations, worker.max_gap.ns, worker.max_gap.at_ns, worker.max_gap.cpu.into()]);
        words(&[worker.events.len() as u64, worker.event_stride.into()]);
        for event in &worker.events {
            words(&[event.at_ns, u64::from(event.cpu) << 32 | u64::from(event.count)]);
        }
    }
    if let Some(scheduler) = scheduler {
        words(&[
            scheduler.enabled_after_ns.unwrap_or(u64::MAX),
            scheduler.died_at_ns.unwrap_or(u64::MAX),
            scheduler.pid.unwrap_or(0).into(),
        ]);
    }
    Digest::first_half(hash.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CpuSet, Gap, WorkType, WorkerEvent, WorkerExit};

    fn worker() -> WorkerReport {
        WorkerReport {
            cgroup: "cell_0".into(),
            index: 0,
            pid: 77,
            work: WorkType::SpinWait,
            work_units: 2,
            cpu_ns: 10,
            wall_ns: 20,
            max_gap: Gap::default(),
            migrations: 0,
            cpus: CpuSet::default(),
            exit: WorkerExit::Stopped,
            events: vec![
                WorkerEvent { at_ns: 5, cpu: 1, count: 1 },
                WorkerEvent { at_ns: 9, cpu: 0, count: 2 },
            ],
            event_stride: 1,
        }
    }

    #[test]
    fn one_changed_event_changes_the_digest() {
        let base = report_digest(&[worker()], None);
        for change in [
            |w: &mut WorkerReport| w.events[1].at_ns += 1,
            |w: &mut WorkerReport| w.events[1].cpu = 2,
            |w: &mut WorkerReport| w.events.truncate(1),
            |w: &mut WorkerReport| w.cpu_ns += 1,
        ] {
            let mut changed = worker();
            change(&mut changed);
            assert_ne!(report_digest(&[changed], None), base);
        }
        assert_eq!(report_digest(&[worker()], None), base);
        assert_ne!(report_digest(&[worker()], Some(&SchedulerReport::default())), base);
    }

    #[test]
    fn prints_and_parses() {
        let digest = Digest::of(b"ktstr");
        assert_eq!(digest.to_string().parse(), Ok(digest));
        assert!("+0000000000000000000000000000000".parse::<Digest>().is_err());
        assert!("abc".parse::<Digest>().is_err());
    }
}
