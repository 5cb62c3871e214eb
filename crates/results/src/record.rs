//! The record of a run.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use ktstr_model::{
    AssertDetail, Cause, Digest, HostNoise, MetricValue, Mode, PayloadReport, RunOrder, RunReport,
    SchedulerReport, Stimulus, Topology, Verdict,
};
use serde::{Deserialize, Serialize};

use crate::commit::Commit;
use crate::figure::Figure;
use crate::host::HostFacts;
use crate::identities::Identities;
use crate::replay::TokenId;
use crate::run_folder::RunFolderName;
use crate::schema::Schema;
use crate::test_program::TestProgram;
use crate::worker::WorkerFigures;

/// How long each phase of a run took, in milliseconds of wall time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
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
    /// Waiting until the host had room for its machines; part of none of the others.
    pub wait_ms: f64,
}

impl Phases {
    /// All of them, but for waiting.
    pub fn busy_ms(&self) -> f64 {
        // Every field by name, so that a new one cannot be forgotten.
        let Self { resolve_ms, template_ms, load_ms, pack_ms, clone_ms, run_ms, collect_ms, wait_ms: _ } =
            self;
        resolve_ms + template_ms + load_ms + pack_ms + clone_ms + run_ms + collect_ms
    }
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

/// What was to be run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// What the guest was told: duration, thresholds, the scheduler with its arguments, sysctls.
    pub order: RunOrder,
    /// Kernel arguments beside ktstr's own.
    pub kargs: Vec<String>,
    /// The guest's memory in MiB.
    pub memory_mb: u32,
    /// Whether the topology was named for this run, in place of what the test or its cell has.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub topology_named: bool,
    /// The deadline of a guest that hangs, in seconds, where another than ktstr's own was asked for: of QEMU's CPU time in
    /// deterministic mode, of wall time in real time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline_s: Option<u64>,
}

impl Plan {
    /// An order in a small guest, with nothing asked for beside it.
    pub fn plain(order: RunOrder) -> Self {
        Self { order, kargs: Vec::new(), memory_mb: 512, topology_named: false, deadline_s: None }
    }
}

/// One run. [`Schema`] says which changes to this are allowed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Version of this format.
    pub schema: Schema,
    /// The crate that the test is in.
    #[serde(default, rename = "crate")]
    pub test_crate: String,
    /// The test's path within its crate.
    pub test: String,
    /// The binary that has the test.
    #[serde(default)]
    pub program: TestProgram,
    /// The name under which it ran, when it was a cell: `gauntlet/TEST/PRESET` and the like.
    #[serde(default)]
    pub cell: Option<String>,
    /// The source file of the test, relative to its workspace, and the line.
    #[serde(default)]
    pub location: Option<(String, u32)>,
    /// What the runs of one command have in common: `KTSTR_RUN_ID`, which `cargo ktstr test` sets, else nextest's own.
    #[serde(default)]
    pub invocation: Option<String>,
    /// Whether the body ran on the host, without a machine.
    #[serde(default)]
    pub on_host: bool,
    /// The commit of the workspace that the test is in.
    #[serde(default = "Commit::none")]
    pub commit: Commit,
    /// The machine's topology.
    #[serde(default)]
    pub topology: Option<Topology>,
    /// The kernel.
    #[serde(default)]
    pub kernel: Option<RecordKernel>,
    /// The mode.
    #[serde(default)]
    pub mode: Option<Mode>,
    /// Why that mode, when nobody named it.
    #[serde(default)]
    pub mode_why: String,
    /// QEMU's version.
    #[serde(default)]
    pub qemu: String,
    /// The host.
    #[serde(default)]
    pub host: HostFacts,
    /// The seed.
    pub seed: u64,
    /// The scheduler's name.
    pub scheduler: String,
    /// The plan; `None` when the run ended before there was one.
    #[serde(default)]
    pub plan: Option<Plan>,
    /// The digest of what the run did.
    #[serde(default)]
    pub digest: Option<Digest>,
    /// What the digest depends on, beside the plan; `None` when the run ended before it was known.
    #[serde(default)]
    pub identities: Option<Identities>,
    /// The token by which a deterministic run that failed is run again; its file is beside the record.
    #[serde(default)]
    pub replay_token: Option<TokenId>,
    /// The first difference between two runs that should have been equal, line by line.
    #[serde(default)]
    pub divergence: Vec<String>,
    /// The verdict.
    pub verdict: Verdict,
    /// Why.
    pub cause: Cause,
    /// Why, in one line.
    #[serde(default)]
    pub headline: String,
    /// Violated checks.
    #[serde(default)]
    pub details: Vec<AssertDetail>,
    /// Remarks, among them checks that did not apply.
    #[serde(default)]
    pub notes: Vec<String>,
    /// Default checks that were not evaluated, because what they need is not built yet.
    #[serde(default)]
    pub not_evaluated: Vec<String>,
    /// The template.
    #[serde(default)]
    pub template: Option<RecordTemplate>,
    /// Milliseconds of each phase.
    #[serde(default)]
    pub phases: Phases,
    /// What the host kept from the machine while it ran.
    #[serde(default)]
    pub noise: Option<HostNoise>,
    /// Guest time of the test process, in nanoseconds.
    #[serde(default)]
    pub guest_ns: u64,
    /// What became of the scheduler.
    #[serde(default)]
    pub scheduler_report: Option<SchedulerReport>,
    /// What the scenario did to the workers and when.
    #[serde(default)]
    pub stimuli: Vec<Stimulus>,
    /// The names of the workers' work types, each once.
    #[serde(default)]
    pub work_types: Vec<String>,
    /// The workers without their events.
    #[serde(default)]
    pub workers: Vec<WorkerFigures>,
    /// What external programs did.
    #[serde(default)]
    pub payloads: Vec<PayloadReport>,
    /// The figures that they printed.
    #[serde(default)]
    pub metrics: Vec<MetricValue>,
    /// The figures by which this run is compared to others.
    #[serde(default)]
    pub figures: Vec<Figure>,
    /// When the run began, in milliseconds since 1970.
    pub began_unix_ms: u64,
}

impl Record {
    /// A record of a run that has not come far yet.
    pub fn begun(test: String, scheduler: &str, seed: u64) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            schema: Schema::CURRENT,
            test_crate: String::new(),
            test,
            program: TestProgram::default(),
            cell: None,
            location: None,
            invocation: None,
            on_host: false,
            commit: Commit::none(),
            topology: None,
            kernel: None,
            mode: None,
            mode_why: String::new(),
            qemu: String::new(),
            host: HostFacts::of_this_host(),
            seed,
            scheduler: scheduler.to_owned(),
            plan: None,
            digest: None,
            identities: None,
            replay_token: None,
            divergence: Vec::new(),
            verdict: Verdict::Broken,
            cause: Cause::NotRun,
            headline: String::new(),
            details: Vec::new(),
            notes: Vec::new(),
            not_evaluated: ["imbalance", "local DSQ depth", "stall", "event rates"].map(str::to_owned).into(),
            template: None,
            phases: Phases::default(),
            noise: None,
            guest_ns: 0,
            scheduler_report: None,
            stimuli: Vec::new(),
            work_types: Vec::new(),
            workers: Vec::new(),
            payloads: Vec::new(),
            metrics: Vec::new(),
            figures: Vec::new(),
            began_unix_ms: now.as_millis() as u64,
        }
    }

    /// Takes over what the guest reported, but for its events.
    pub fn take_report(&mut self, report: &RunReport) {
        self.digest = Some(report.digest);
        self.guest_ns = report.guest_ns;
        self.scheduler_report.clone_from(&report.scheduler);
        self.stimuli.clone_from(&report.stimuli);
        self.workers = report.workers.iter().map(WorkerFigures::from).collect();
        self.work_types = self.workers.iter().map(|worker| worker.work.clone()).collect();
        self.work_types.sort();
        self.work_types.dedup();
        self.figures = Figure::of_run(&self.workers, report.scheduler.as_ref());
        self.take_payloads(&report.payloads, &report.metrics);
        if let Ok(result) = &report.result {
            self.notes.clone_from(&result.notes);
        }
    }

    /// Takes over what external programs did and printed.
    pub fn take_payloads(&mut self, payloads: &[PayloadReport], metrics: &[MetricValue]) {
        self.payloads = payloads.to_vec();
        self.metrics = metrics.to_vec();
        self.figures.extend(metrics.iter().map(Figure::from));
    }

    /// The folder that this run belongs into.
    pub fn run_folder(&self) -> RunFolderName {
        let kernel = match &self.kernel {
            Some(kernel) => kernel.release.clone(),
            None if self.on_host => RunFolderName::ON_HOST.to_owned(),
            None => RunFolderName::NO_KERNEL.to_owned(),
        };
        RunFolderName { kernel, commit: self.commit.clone() }
    }
}
