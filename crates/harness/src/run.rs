//! One run from beginning to end.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ktstr_guest::{TestEntry, refused_plan};
use ktstr_kernel::{Cache, Environment, Kernel};
use ktstr_model::{Cause, HostNoise, Mode, ModeChoice, RunOrder, TestSpec, Verdict};
use ktstr_results::{Phases, Record, RecordKernel, RecordTemplate, TestProgram};
use ktstr_vm::{
    Deadline, LoadedTemplate, Loading, Machine, Payload, Progress, Qemu, Template, VmError, Work, choose_mode,
};

use crate::after_body;
use crate::cells::fits_memory;
use crate::determinism::{self, NotEqual};
use crate::error::HarnessError;
use crate::evidence::Evidence;
use crate::host_noise::NoiseWatch;
use crate::judge::{Judgement, expect_failure, judge, weigh_noise};
use crate::payload_files::all_here_but;
use crate::plan::{self, RunPlan};
use crate::scheduler_file::Places;
use crate::settings::Settings;
use crate::{identities, replay};

/// What a scheduler may take to be enabled whose programs are verified again and again.
const LONGEST_ENABLING: Duration = Duration::from_secs(900);

/// How a run went, with everything that is known of it.
pub struct Finished {
    /// What is written to disk.
    pub record: Record,
    /// Why it ended so.
    pub judgement: Judgement,
    /// What the machine left.
    pub evidence: Option<Evidence>,
}

/// What runs have in common on this host.
pub struct Host {
    /// The cache folder.
    pub cache: PathBuf,
    /// QEMU.
    pub qemu: Qemu,
    /// The kernel to run on.
    pub kernel: Kernel,
}

impl Host {
    /// Finds QEMU and the kernel: the one whose image is `kernel`, else what the environment says.
    ///
    /// # Errors
    /// When one of them is not there.
    pub fn of_this_process(kernel: Option<&Path>) -> Result<Self, HarnessError> {
        let mut environment = Environment::of_process();
        if let Some(kernel) = kernel {
            environment.test_kernel = Some(kernel.to_owned());
        }
        let cache = Cache::locate(&environment)?;
        let qemu = Qemu::find()?;
        let kernel = ktstr_kernel::discover(&environment, &cache)?;
        Ok(Self { cache: cache.root().to_owned(), qemu, kernel })
    }
}

/// Carries out a test's run. A run that could not be begun is a finished one too: a broken one.
pub fn run(entry: &TestEntry, settings: &Settings) -> Finished {
    let spec = &entry.spec;
    let seed = settings.seed_of(spec);
    let mut record = begun(spec, settings, seed);
    match attempt(entry, settings, seed, &mut record) {
        Ok((judgement, evidence)) => finish(record, judgement, Some(evidence)),
        Err(error) => {
            let headline = error.to_string();
            match error {
                too_large if settings.cell.is_some() && too_large.is_of_size() => {
                    finish(record, Judgement::new(Cause::TooLarge, headline), None)
                }
                HarnessError::Vm(VmError::Boot { console, .. }) => {
                    let evidence = Evidence::of_console(console);
                    finish(record, Judgement::new(Cause::BootFailure, headline), Some(evidence))
                }
                HarnessError::NotLoaded(evidence) => finish(record, judge(&evidence), Some(*evidence)),
                HarnessError::Plan(_) => finish(record, Judgement::new(Cause::TestError, headline), None),
                HarnessError::Lost(_) => finish(record, Judgement::new(Cause::LostReport, headline), None),
                _ => finish(record, Judgement::new(Cause::NotRun, headline), None),
            }
        }
    }
}

/// The record of a run that begins now.
pub(crate) fn begun(spec: &TestSpec, settings: &Settings, seed: u64) -> Record {
    let crate_name = spec.module.split("::").next().unwrap_or_default();
    Record {
        test_crate: crate_name.to_owned(),
        program: TestProgram::of_this_process(),
        commit: settings.commit_of(spec),
        location: Some((spec.location.0.to_owned(), spec.location.1)),
        invocation: settings.invocation.clone(),
        cell: settings.cell.clone(),
        ..Record::begun(spec.path(), spec.scheduler.name, seed)
    }
}

pub(crate) fn finish(mut record: Record, judgement: Judgement, evidence: Option<Evidence>) -> Finished {
    record.verdict = judgement.cause.verdict();
    record.cause = judgement.cause;
    record.headline.clone_from(&judgement.headline);
    record.details.clone_from(&judgement.details);
    Finished { record, judgement, evidence }
}

fn attempt(
    entry: &TestEntry,
    settings: &Settings,
    seed: u64,
    record: &mut Record,
) -> Result<(Judgement, Evidence), HarnessError> {
    let spec = &entry.spec;
    let prepared = Prepared::new(entry, settings, seed, record)?;
    // Kept while the machine runs: `kernel clean` leaves a kernel in use alone.
    let _in_use = prepared.host.kernel.hold()?;
    let (mut evidence, noise) = run_clone(&prepared, &mut record.phases)?;
    if let Some(Ok(report)) = &evidence.report {
        record.take_report(report);
    }
    let workers: Vec<_> =
        evidence.report.iter().flatten().flat_map(|report| report.workers.clone()).collect();
    let judged = weigh_noise(judge(&evidence), prepared.plan.machine.mode, &noise, &workers);
    record.noise = Some(noise);
    let judged = if spec.expect_err { expect_failure(judged) } else { judged };
    let mut judged = look_after_it(entry, judged, &evidence, record);
    if settings.check_determinism {
        judged = check_determinism(&prepared, judged, &mut evidence, record)?;
    }
    if judged.cause.verdict() != Verdict::Pass {
        record.identities = Some(identities::of(&prepared.host, &prepared.plan, &prepared.payload)?);
    }
    Ok((judged, evidence))
}

/// Runs a second clone, which shall do what the first did.
fn check_determinism(
    prepared: &Prepared,
    judged: Judgement,
    evidence: &mut Evidence,
    record: &mut Record,
) -> Result<Judgement, HarnessError> {
    let (second, _) = run_clone(prepared, &mut Phases::default())?;
    let Some(NotEqual { judgement, divergence }) = determinism::compare(evidence, &second) else {
        record.notes.push("ran twice: the two runs are equal".to_owned());
        return Ok(judged);
    };
    record.notes.push(format!("the first run alone: {}", judged.headline));
    record.divergence = divergence;
    let report = second.report.and_then(Result::ok);
    evidence.second_report = report.and_then(|report| serde_json::to_string(&report).ok());
    Ok(judgement)
}

/// Runs one clone from its start to its end, and watches what else the host did meanwhile.
fn run_clone(prepared: &Prepared, phases: &mut Phases) -> Result<(Evidence, HostNoise), HarnessError> {
    let mut clock = PhaseClock::start();
    let mut machine = prepared.start_clone(&mut clock)?;
    clock.lap(&mut phases.clone_ms);
    phases.wait_ms += clock.waited_ms();
    let in_real_time = prepared.plan.machine.mode == Mode::RealTime;
    let watch = NoiseWatch::begin(machine.pid(), machine.vcpu_threads(), in_real_time);
    let stop = machine.wait_stop(prepared.deadline()).map_err(HarnessError::Lost)?;
    let noise = watch.end();
    clock.lap(&mut phases.run_ms);
    let evidence = Evidence::collect(&machine, stop);
    machine.end();
    clock.lap(&mut phases.collect_ms);
    Ok((evidence, noise))
}

/// What is to be looked at when the machine has ended, whatever became of it.
pub(crate) fn look_after_it(
    entry: &TestEntry,
    mut judged: Judgement,
    evidence: &Evidence,
    record: &mut Record,
) -> Judgement {
    if let (Some(Ok(report)), Some(budget_ms)) = (&evidence.report, entry.spec.cleanup_budget_ms) {
        judged = after_body::with(judged, Ok(after_body::cleanup(report, budget_ms)));
    }
    if let (Some(step), Some(run)) = (entry.post_vm, after_body::run_result(record, &judged, evidence)) {
        let found = after_body::post_vm(step, &run);
        if let Ok(result) = &found {
            record.notes.extend(result.notes.iter().map(|note| format!("post_vm: {note}")));
        }
        judged = after_body::with(judged, found);
    }
    judged
}

/// Everything that a clone needs, so that starting one takes no time but its own.
pub struct Prepared {
    /// What runs on this host have in common.
    pub host: Host,
    /// The plan.
    pub plan: RunPlan,
    /// The template.
    pub template: Template,
    /// The files for the guest.
    pub payload: Payload,
    /// The template with those files in it.
    pub loaded: LoadedTemplate,
    order: Vec<u8>,
    deadline: Deadline,
}

impl Prepared {
    /// Resolves, plans and packs a run, and gets its template. `record` takes what is learned on the way, also when it
    /// ends early.
    ///
    /// # Errors
    /// When something that the run needs is not here.
    pub fn new(
        entry: &TestEntry,
        settings: &Settings,
        seed: u64,
        record: &mut Record,
    ) -> Result<Self, HarnessError> {
        let spec = &entry.spec;
        let mut clock = PhaseClock::start();
        let named = settings.named_topology();
        let spec = &named.map_or(*spec, |topology| spec.on(&topology));
        let topology = spec.resolved_topology()?;
        record.topology = Some(topology);
        if settings.cell.is_some() {
            fits_memory(spec, topology)?;
        }
        let host = Host::of_this_process(settings.kernel.as_deref())?;
        record.qemu = host.qemu.version.to_string();
        let Kernel { release, image, image_sha256, .. } = host.kernel.clone();
        record.kernel = Some(RecordKernel { release, image, sha256: image_sha256.to_string() });
        let mode = mode_of(spec, settings, &host, record)?;
        if settings.check_determinism && mode == Mode::RealTime {
            return Err(HarnessError::CheckInRealTime);
        }
        let mut plan = RunPlan::new(spec, &host.kernel, mode, seed, &Places::of_this_process())
            .map_err(|error| with_what_needs_it(error, entry, plan::order(spec, topology, mode, seed)))?;
        plan.topology_named = named.is_some();
        plan.order.work_type = settings.work_type_name();
        if let Some(token) = &settings.replay {
            replay::follow(token, &mut plan)?;
        }
        check_body(entry, &plan.order)?;
        clock.lap(&mut record.phases.resolve_ms);

        // Before a template may have to be booted: a payload that does not fit needs none.
        let payload = plan.pack(&test_binary()?)?;
        clock.lap(&mut record.phases.pack_ms);

        let template = Template::get(&host.cache, &host.qemu, &plan.machine, &mut clock)?;
        plan.order.turn_ns = template.turn_ns();
        record.template = Some(RecordTemplate {
            key: template.key().to_owned(),
            fresh: template.fresh,
            turn_ns: template.turn_ns(),
            skew_permille: template.skew_permille(),
        });
        record.plan = Some(plan.recorded(plan.order.clone()));
        clock.lap(&mut record.phases.template_ms);

        let deadline = deadline(&plan, settings.deadline);
        let loaded = load(&host.cache, &host.qemu, &template, &payload, deadline, &mut clock);
        if loaded.is_err() {
            record.identities = identities::of(&host, &plan, &payload).ok();
        }
        let loaded = loaded?;
        clock.lap(&mut record.phases.load_ms);
        record.phases.wait_ms += clock.waited_ms();

        let order =
            ktstr_wire::encode(&plan.order).map_err(|error| HarnessError::Order(error.to_string()))?;
        Ok(Self { host, plan, template, payload, loaded, order, deadline })
    }

    /// The same run from another template of the same machine, with everything made for it below `cache`.
    ///
    /// # Errors
    /// When the payload cannot be loaded into it.
    pub fn with_template(self, cache: &Path, template: Template) -> Result<Self, HarnessError> {
        let loaded = load(cache, &self.host.qemu, &template, &self.payload, self.deadline, &mut announce)?;
        Ok(Self { template, loaded, ..self })
    }

    /// Starts a clone with the work in front of it.
    ///
    /// # Errors
    /// When QEMU cannot take the template over.
    pub fn start_clone(&self, progress: &mut dyn Progress) -> Result<Machine, HarnessError> {
        let work = Work { seed: self.plan.order.seed, order: &self.order };
        Ok(self.loaded.start(&self.host.qemu, work, progress)?)
    }

    /// When to give up on the clone.
    pub fn deadline(&self) -> Deadline {
        self.deadline
    }
}

/// What can be said against a scenario is said before a machine is started, unless the test wants the error.
fn check_body(entry: &TestEntry, order: &RunOrder) -> Result<(), HarnessError> {
    if entry.spec.expect_err {
        return Ok(());
    }
    refused_plan(entry, order).map_or(Ok(()), |error| Err(HarnessError::Plan(error)))
}

/// A payload's program that is not here, with the step and the operation that need it, as far as the test's plan can be
/// seen without a machine.
fn with_what_needs_it(error: HarnessError, entry: &TestEntry, order: RunOrder) -> HarnessError {
    let (HarnessError::NoPayload { payload: missing, .. }
    | HarnessError::PayloadNoProgram { payload: missing, .. }) = &error
    else {
        return error;
    };
    let order = RunOrder { payloads: all_here_but(&entry.spec, missing), ..order };
    match check_body(entry, &order) {
        Err(HarnessError::Plan(plan)) => HarnessError::PlanLacksProgram { plan, missing: Box::new(error) },
        _ => error,
    }
}

/// Generous: a guest that makes progress is never cut off, and a busy host does not count in deterministic mode.
fn deadline(plan: &RunPlan, asked_for: Option<Duration>) -> Deadline {
    let duration = Duration::from_nanos(plan.order.duration_ns);
    let setup = Duration::from_secs(180);
    let enabling = plan.order.scheduler.as_ref().map(|_| LONGEST_ENABLING);
    let more_before_test = if asked_for.is_some() { Duration::ZERO } else { enabling.unwrap_or_default() };
    let limit = |generous| asked_for.unwrap_or(generous);
    match plan.machine.mode {
        Mode::RealTime => Deadline { cpu: None, wall: limit(setup + duration * 3), more_before_test },
        Mode::Deterministic => {
            let cpu = limit(setup + duration * 10);
            Deadline { cpu: Some(cpu), wall: cpu.saturating_mul(10), more_before_test }
        }
    }
}

fn load(
    cache: &Path,
    qemu: &Qemu,
    template: &Template,
    payload: &Payload,
    deadline: Deadline,
    progress: &mut dyn Progress,
) -> Result<LoadedTemplate, HarnessError> {
    match LoadedTemplate::get(cache, qemu, template, payload, deadline, progress)? {
        Loading::Ready(loaded) => Ok(*loaded),
        Loading::Ended(machine, stop) => {
            Err(HarnessError::NotLoaded(Box::new(Evidence::collect(&machine, stop))))
        }
    }
}

fn test_binary() -> Result<PathBuf, HarnessError> {
    std::env::current_exe().map_err(|source| HarnessError::File {
        what: "the test binary",
        path: PathBuf::from("/proc/self/exe"),
        source,
    })
}

fn announce(what: &str) {
    eprintln!("ktstr: {what}");
}

fn mode_of(
    spec: &TestSpec,
    settings: &Settings,
    host: &Host,
    record: &mut Record,
) -> Result<Mode, HarnessError> {
    let choice = if spec.mode == ModeChoice::Auto { settings.mode } else { spec.mode };
    let sha256 = host.kernel.image_sha256.to_string();
    let chosen = choose_mode(&host.cache, &host.qemu, &host.kernel.image, &sha256, choice, &mut announce)?;
    if !chosen.why.is_empty() {
        announce(&format!("{} mode: {}", chosen.mode, chosen.why));
    }
    record.mode = Some(chosen.mode);
    record.mode_why = chosen.why;
    Ok(chosen.mode)
}

/// Measures phases one after the other, without the time in which machines waited for room on the host.
struct PhaseClock {
    lap_began: Instant,
    waited_in_lap: Duration,
    waited: Duration,
}

impl PhaseClock {
    fn start() -> Self {
        Self { lap_began: Instant::now(), waited_in_lap: Duration::ZERO, waited: Duration::ZERO }
    }

    fn lap(&mut self, phase: &mut f64) {
        let now = Instant::now();
        *phase = (now - self.lap_began).saturating_sub(self.waited_in_lap).as_secs_f64() * 1e3;
        *self = Self { lap_began: now, waited_in_lap: Duration::ZERO, ..*self };
    }

    fn waited_ms(&self) -> f64 {
        self.waited.as_secs_f64() * 1e3
    }
}

impl Progress for PhaseClock {
    fn slow(&mut self, what: &str) {
        announce(what);
    }

    fn waited(&mut self, time: Duration) {
        self.waited_in_lap += time;
        self.waited += time;
    }
}
