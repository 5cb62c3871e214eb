//! What a test body is given.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use ktstr_checks::judge_workers;
use ktstr_model::{
    Assert, AssertResult, MetricValue, Mode, Payload, PayloadOrder, PayloadReport, RunOrder, Stimulus,
    WorkType, WorkerReport,
};

use crate::cgroup::{Cgroups, mounted_root};
use crate::clock::monotonic_ns;
use crate::error::GuestError;
use crate::ledger::{Entries, Ledger};
use crate::payload::PayloadRun;
use crate::perturb::Perturber;
use crate::scheduler::RunningScheduler;
use crate::topology::TestTopology;

/// What a test body is given: the machine, the scheduler, and what the test's declaration says.
#[derive(Debug)]
pub struct Ctx {
    /// The machine's CPUs.
    pub topo: TestTopology,
    /// Where the test makes its cgroups.
    pub cgroups: Cgroups,
    /// How long the workload is to run.
    pub duration: Duration,
    /// Workers of each cgroup of a canned scenario; at least 1.
    pub workers_per_cgroup: usize,
    /// The scheduler's process id; `None` for the kernel's own schedulers.
    pub sched_pid: Option<u32>,
    /// How long the scheduler may settle between letting workers go and measuring.
    pub settle: Duration,
    /// Checks and thresholds, all layers merged.
    pub assert: Assert,
    /// What workers do in place of what the scenario says.
    pub work_type_override: Option<WorkType>,
    seed: u64,
    mode: Mode,
    turn_ns: u64,
    payloads: Vec<PayloadOrder>,
    ledger: Mutex<Ledger>,
    perturber: Option<Perturber>,
    scheduler: Option<RunningScheduler>,
    rehearsal: bool,
}

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldEnd {
    /// The time is over.
    Elapsed,
    /// The scheduler died, so there is nothing left to wait for.
    SchedulerDied,
}

impl Ctx {
    /// A context for the machine that this process runs on, without a scheduler: what the body of a test with
    /// `host_only` is given.
    ///
    /// # Errors
    /// When the machine's topology cannot be read, when the order's `cgroup_parent` is no name for a cgroup, or when there
    /// is no work type of the order's name.
    pub fn on_this_machine(order: &RunOrder) -> Result<Self, GuestError> {
        Self::with_topology(TestTopology::from_sysfs(Path::new("/sys"))?, order)
    }

    /// The same where the topology has been read already.
    pub(crate) fn with_topology(topo: TestTopology, order: &RunOrder) -> Result<Self, GuestError> {
        // Where nothing is mounted, making a cgroup will say so.
        let root = mounted_root().unwrap_or_else(|| "/sys/fs/cgroup".into());
        let cgroups = Cgroups::below(root, order.cgroup_parent.as_deref(), &topo)?;
        Ok(Self {
            topo,
            cgroups,
            duration: Duration::from_nanos(order.duration_ns),
            workers_per_cgroup: order.workers_per_cgroup.max(1) as usize,
            sched_pid: None,
            settle: Duration::from_nanos(order.settle_ns),
            assert: order.assert,
            work_type_override: order.work_type.as_deref().map(WorkType::named).transpose()?,
            seed: order.seed,
            mode: order.mode,
            turn_ns: order.turn_ns,
            payloads: order.payloads.clone(),
            ledger: Mutex::default(),
            perturber: None,
            scheduler: None,
            rehearsal: false,
        })
    }

    /// This context with a scheduler that has been started.
    pub(crate) fn with_scheduler(mut self, scheduler: Option<RunningScheduler>) -> Self {
        self.sched_pid = scheduler.as_ref().and_then(RunningScheduler::pid);
        self.scheduler = scheduler;
        self
    }

    /// This context for a [rehearsal](crate::rehearsal) of what follows once the scheduler runs.
    pub(crate) fn rehearsing(mut self, order: &RunOrder) -> Self {
        self.sched_pid = order.scheduler.as_ref().map(|_| std::process::id());
        self.rehearsal = true;
        self
    }

    /// Whether only the plan of a scenario is wanted.
    pub(crate) fn in_rehearsal(&self) -> bool {
        self.rehearsal
    }

    /// This context with what perturbs the machine, which begins now, as the test's body does.
    pub(crate) fn perturbed(mut self, perturber: Option<Perturber>) -> Self {
        perturber.iter().for_each(Perturber::begin);
        self.perturber = perturber;
        self
    }

    /// Waits for `duration`, or until the scheduler under test has died.
    pub fn hold(&self, duration: Duration) -> HoldEnd {
        let Some(scheduler) = &self.scheduler else {
            thread::sleep(duration);
            return HoldEnd::Elapsed;
        };
        let ns = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        if scheduler.dies_before(monotonic_ns().saturating_add(ns)) {
            HoldEnd::SchedulerDied
        } else {
            HoldEnd::Elapsed
        }
    }

    /// Whether the scheduler under test is still in charge: its process runs and the kernel says that it is enabled.
    /// Always true for the kernel's own schedulers.
    pub fn scheduler_alive(&self) -> bool {
        self.scheduler.as_ref().is_none_or(RunningScheduler::alive)
    }

    /// Judges workers by the checks and thresholds of this test.
    pub fn judge(&self, workers: &[WorkerReport]) -> AssertResult {
        judge_workers(&self.assert, workers)
    }

    /// Reports of all workers that have been stopped so far, in the order in which they were made: for what a test wants
    /// to look at besides the checks, after a scenario for instance.
    pub fn worker_reports(&self) -> Vec<WorkerReport> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner).reports()
    }

    /// What scenarios have done so far, with times.
    pub fn stimuli(&self) -> Vec<Stimulus> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner).stimuli()
    }

    /// An external program that the test's declaration names, to be started: `ctx.payload(&BENCH).run()?` waits for it,
    /// `spawn` lets it run beside what follows.
    pub fn payload(&self, payload: &'static Payload) -> PayloadRun<'_> {
        PayloadRun::of(self, payload)
    }

    /// What external programs that have ended did, in the order in which they ended.
    pub fn payload_reports(&self) -> Vec<PayloadReport> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner).payloads().0
    }

    /// The figures that external programs that have ended printed.
    pub fn metrics(&self) -> Vec<MetricValue> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner).payloads().1
    }

    /// The external programs that were brought along.
    pub(crate) fn payload_orders(&self) -> &[PayloadOrder] {
        &self.payloads
    }

    /// The program of a payload.
    ///
    /// # Errors
    /// When the test's declaration does not name it.
    pub(crate) fn payload_program(&self, payload: &Payload) -> Result<ProgramHere<'_>, GuestError> {
        payload_among(&self.payloads, payload)
    }

    /// What all random choices of the run come from.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// What the clock follows.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Longest time that a virtual CPU waits for its turn, in nanoseconds; `None` in real time.
    pub(crate) fn turn_ns(&self) -> Option<u64> {
        match self.mode {
            Mode::Deterministic => Some(self.turn_ns),
            Mode::RealTime => None,
        }
    }

    pub(crate) fn enroll(&self, cgroup: &str, count: u32) -> (u32, u32) {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner).enroll(cgroup, count)
    }

    /// Says that workers have been made: their numbers in the run, and thread ids.
    pub(crate) fn workers_began(&self, workers: impl Iterator<Item = (u32, u32)>) {
        if let Some(perturber) = &self.perturber {
            perturber.workers_began(workers);
        }
    }

    pub(crate) fn record_workers(&self, first: u32, reports: &[WorkerReport]) {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner).record(first, reports);
    }

    pub(crate) fn record_payload(&self, report: PayloadReport, metrics: &[MetricValue]) {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner).record_payload(report, metrics);
    }

    pub(crate) fn record_death(&self, place: String) {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner).record_death(place);
    }

    pub(crate) fn record_stimulus(&self, stimulus: Stimulus) {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner).record_stimulus(stimulus);
    }

    /// What is left when the body is done: all that was reported, what perturbations did, and the scheduler.
    pub(crate) fn into_parts(self) -> (Entries, Option<RunningScheduler>) {
        let ledger = self.ledger.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut entries = ledger.into_entries();
        match self.perturber.map_or(Ok(Vec::new()), Perturber::end) {
            Ok(done) => entries.stimuli.extend(done),
            Err(error) => eprintln!("ktstr: {error}"),
        }
        (entries, self.scheduler)
    }
}

/// A payload's program that is here.
pub(crate) struct ProgramHere<'a> {
    /// Its path.
    pub path: &'a str,
    /// Whether it is the program that the test is about.
    pub primary: bool,
}

/// The program of a payload, among those that were brought along.
///
/// # Errors
/// When it is not among them, or was not found.
pub(crate) fn payload_among<'a>(
    brought: &'a [PayloadOrder],
    payload: &Payload,
) -> Result<ProgramHere<'a>, GuestError> {
    let same = |order: &&PayloadOrder| order.name == payload.name && order.program == payload.program;
    let found = brought.iter().find(same).ok_or_else(|| {
        let names: Vec<&str> = brought.iter().map(|order| order.name.as_str()).collect();
        let there = if names.is_empty() { String::new() } else { format!("; it names {}", names.join(", ")) };
        GuestError::PayloadUnknown { payload: payload.name, there }
    })?;
    let path = found.path.as_deref().ok_or(GuestError::PayloadMissing(payload.name))?;
    Ok(ProgramHere { path, primary: found.primary })
}
