//! A run that is planned and packed and has its template.

use std::path::PathBuf;
use std::time::Duration;

use ktstr_guest::{TestEntry, refused_plan};
use ktstr_kernel::Kernel;
use ktstr_model::{Mode, ModeChoice, RunOrder, TestSpec};
use ktstr_results::{Record, RecordKernel, RecordTemplate};
use ktstr_vm::{Deadline, LoadedTemplate, Loading, Machine, Payload, Progress, Template, Work, choose_mode};

use crate::cells::fits_memory;
use crate::error::HarnessError;
use crate::evidence::Evidence;
use crate::payload_files::all_here_but;
use crate::phase_clock::{PhaseClock, announce};
use crate::plan::{self, RunPlan};
use crate::run::Host;
use crate::scheduler_file::Places;
use crate::settings::Settings;
use crate::{identities, replay};

/// What a scheduler may take to be enabled whose programs are verified again and again.
const LONGEST_ENABLING: Duration = Duration::from_secs(900);

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
    /// Resolves, plans and packs a run, and gets its template. The workload runs for `duration` instead of what the test
    /// says. `record` takes what is learned on the way, also when it ends early.
    ///
    /// # Errors
    /// When something that the run needs is not here.
    pub fn new(
        entry: &TestEntry,
        settings: &Settings,
        seed: u64,
        duration: Option<Duration>,
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
        let plan = RunPlan::new(spec, &host.kernel, mode, seed, &Places::of_this_process())
            .map_err(|error| with_what_needs_it(error, entry, plan::order(spec, topology, mode, seed)))?;
        let mut plan = as_asked(plan, settings, duration)?;
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

        let deadline = deadline(&plan);
        let loaded = LoadedTemplate::get(&host.cache, &host.qemu, &template, &payload, deadline, &mut clock)
            .map_err(HarnessError::from)
            .and_then(loaded);
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

/// The plan with what is asked for in place of what the test says. All else is made from this plan.
fn as_asked(
    mut plan: RunPlan,
    settings: &Settings,
    duration: Option<Duration>,
) -> Result<RunPlan, HarnessError> {
    plan.topology_named = settings.named_topology().is_some();
    plan.order.work_type = settings.work_type_name();
    plan.deadline_s = settings.deadline.map(|deadline| deadline.as_secs());
    if let Some(duration) = duration {
        plan.order.duration_ns = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    }
    if let Some(token) = &settings.replay {
        replay::follow(token, &mut plan)?;
    }
    Ok(plan)
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
fn deadline(plan: &RunPlan) -> Deadline {
    let asked_for = plan.deadline_s.map(Duration::from_secs);
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

fn loaded(loading: Loading) -> Result<LoadedTemplate, HarnessError> {
    match loading {
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

#[cfg(test)]
mod tests {
    use ktstr_model::Topology;

    use super::*;
    use crate::replay::tests::plan;

    #[test]
    fn the_deadline_is_that_of_the_duration_that_was_asked_for() {
        let settings = Settings { deadline: None, replay: None, ..Settings::of_this_process().unwrap() };
        let plan = || plan("steady", Topology::of(1, 1, 2, 1), Mode::Deterministic);
        let of = |settings: &Settings, duration| deadline(&as_asked(plan(), settings, duration).unwrap()).cpu;
        let ten_minutes = Duration::from_secs(600);
        assert!(of(&settings, Some(ten_minutes)) > Some(ten_minutes));
        assert!(of(&settings, None) < Some(ten_minutes));
        let named = Settings { deadline: Some(Duration::from_secs(8)), ..settings };
        assert_eq!(of(&named, Some(ten_minutes)), Some(Duration::from_secs(8)));
    }
}
