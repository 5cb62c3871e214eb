//! The record of a run: one JSON file under `target/ktstr/`, and beside it the evidence of a run that did not pass.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use ktstr_model::{
    AssertDetail, Cause, Digest, MetricValue, Mode, PayloadReport, SchedulerReport, Stimulus, Topology,
    Verdict, WorkerReport,
};
use serde::{Deserialize, Serialize};

use crate::evidence::Evidence;

/// The record's schema; grows when a field changes its meaning.
const SCHEMA: u32 = 1;

/// The files of evidence: the console, the kernel's log, what the scheduler printed, what the test printed.
pub(crate) const EVIDENCE_FILES: [&str; 4] = ["console.log", "kernel.log", "scheduler.log", "test.log"];

/// How long each phase of a run took, in milliseconds of wall time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Phases {
    /// Finding kernel, QEMU, mode and scheduler.
    pub resolve_ms: f64,
    /// Getting the template; booting it when the cache had none.
    pub template_ms: f64,
    /// Loading the payload into the template, or finding that it was.
    pub load_ms: f64,
    /// Packing the payload.
    pub pack_ms: f64,
    /// From starting QEMU to letting the clone go.
    pub clone_ms: f64,
    /// From letting the clone go to its stop.
    pub run_ms: f64,
    /// Reading what it left.
    pub collect_ms: f64,
}

/// The kernel of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordKernel {
    /// `uname -r`.
    pub release: String,
    /// The image.
    pub image: PathBuf,
    /// SHA-256 of the image.
    pub sha256: String,
}

/// The template of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordTemplate {
    /// Its key in the cache.
    pub key: String,
    /// Whether this run booted it.
    pub fresh: bool,
    /// A vCPU's turn in nanoseconds.
    pub turn_ns: u64,
    /// Most over least work of equal spinners, in thousandths.
    pub skew_permille: u64,
}

/// One run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Version of this format.
    pub schema: u32,
    /// The test's path within its crate.
    pub test: String,
    /// Whether the body ran on the host, without a machine.
    #[serde(default)]
    pub on_host: bool,
    /// The machine's topology.
    pub topology: Option<Topology>,
    /// The kernel.
    pub kernel: Option<RecordKernel>,
    /// The mode.
    pub mode: Option<Mode>,
    /// Why that mode, when nobody named it.
    pub mode_why: String,
    /// QEMU's version.
    pub qemu: String,
    /// The seed.
    pub seed: u64,
    /// The scheduler's name.
    pub scheduler: String,
    /// The digest of what the run did.
    pub digest: Option<Digest>,
    /// The verdict.
    pub verdict: Verdict,
    /// Why.
    pub cause: Cause,
    /// Why, in one line.
    pub headline: String,
    /// Violated checks.
    pub details: Vec<AssertDetail>,
    /// Remarks, among them checks that did not apply.
    pub notes: Vec<String>,
    /// Default checks that were not evaluated, because what they need is not built yet.
    pub not_evaluated: Vec<String>,
    /// The template.
    pub template: Option<RecordTemplate>,
    /// Milliseconds of each phase.
    pub phases: Phases,
    /// Guest time of the test process, in nanoseconds.
    pub guest_ns: u64,
    /// What became of the scheduler.
    pub scheduler_report: Option<SchedulerReport>,
    /// The workers with every event that the digest covers.
    pub workers: Vec<WorkerReport>,
    /// What the scenario did to them and when; the digest covers it too.
    #[serde(default)]
    pub stimuli: Vec<Stimulus>,
    /// What external programs did; the digest covers it too.
    #[serde(default)]
    pub payloads: Vec<PayloadReport>,
    /// The figures that they printed, each with its unit and which way it is better; the digest covers them too.
    #[serde(default)]
    pub metrics: Vec<MetricValue>,
    /// When the run began, in milliseconds since 1970.
    pub began_unix_ms: u64,
}

impl Record {
    /// A record of a run that has not come far yet.
    pub fn begun(test: String, scheduler: &str, seed: u64) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            schema: SCHEMA,
            test,
            on_host: false,
            topology: None,
            kernel: None,
            mode: None,
            mode_why: String::new(),
            qemu: String::new(),
            seed,
            scheduler: scheduler.to_owned(),
            digest: None,
            verdict: Verdict::Broken,
            cause: Cause::NotRun,
            headline: String::new(),
            details: Vec::new(),
            notes: Vec::new(),
            not_evaluated: ["imbalance", "local DSQ depth", "stall", "event rates"].map(str::to_owned).into(),
            template: None,
            phases: Phases::default(),
            guest_ns: 0,
            scheduler_report: None,
            workers: Vec::new(),
            stimuli: Vec::new(),
            payloads: Vec::new(),
            metrics: Vec::new(),
            began_unix_ms: now.as_millis() as u64,
        }
    }

    /// Writes the record, and the evidence when the run did not pass. Returns the record's path and the folder of
    /// evidence.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn write(
        &self,
        folder: &Path,
        evidence: Option<&Evidence>,
    ) -> io::Result<(PathBuf, Option<PathBuf>)> {
        fs::create_dir_all(folder)?;
        let stem = format!("{}-{}-{}", self.test.replace("::", "."), self.began_unix_ms, std::process::id());
        let path = folder.join(format!("{stem}.json"));
        let aside = folder.join(format!(".{stem}.half"));
        fs::write(&aside, serde_json::to_vec(self)?)?;
        fs::rename(&aside, &path)?;
        let Some(evidence) = evidence.filter(|_| self.verdict != Verdict::Pass) else {
            return Ok((path, None));
        };
        let saved = folder.join(stem);
        fs::create_dir_all(&saved)?;
        let texts = [&evidence.console, &evidence.kernel_log, &evidence.scheduler_log, &evidence.test_log];
        for (name, text) in EVIDENCE_FILES.iter().zip(texts) {
            fs::write(saved.join(name), text)?;
        }
        Ok((path, Some(saved)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_reads_back_and_evidence_is_kept_of_what_did_not_pass() {
        let folder = tempfile::tempdir().unwrap();
        let mut record = Record::begun("inner::t".into(), "eevdf", 3);
        let evidence = Evidence { console: "boom".into(), ..Evidence::default() };
        let (path, saved) = record.write(folder.path(), Some(&evidence)).unwrap();
        let read: Record = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        assert_eq!(read, record);
        assert_eq!(fs::read_to_string(saved.unwrap().join("console.log")).unwrap(), "boom");
        record.verdict = Verdict::Pass;
        assert_eq!(record.write(folder.path(), Some(&evidence)).unwrap().1, None);
    }
}
