//! One run from beginning to end.

use std::path::{Path, PathBuf};

use ktstr_guest::TestEntry;
use ktstr_kernel::{Cache, Environment, Kernel};
use ktstr_model::{Cause, HostNoise, Mode, TestSpec, Verdict};
use ktstr_results::{Phases, Record, TestProgram};
use ktstr_vm::{Qemu, VmError};

use crate::after_body;
use crate::determinism::{self, Checked};
use crate::error::HarnessError;
use crate::evidence::Evidence;
use crate::host_noise::NoiseWatch;
use crate::identities;
use crate::judge::{Judgement, expect_failure, judge, weigh_noise};
use crate::phase_clock::PhaseClock;
use crate::prepared::Prepared;
use crate::settings::Settings;

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
    let prepared = Prepared::new(entry, settings, seed, None, record)?;
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
    let judged = after_body::look(entry, judged, &evidence, record);
    let alone = judged.cause.verdict();
    let judged = match settings.check_determinism {
        true => check_determinism(&prepared, judged, &mut evidence, record),
        false => judged,
    };
    // Not when only the second run was lost: there is nothing to repeat then.
    if tells_identities(settings, alone) || judged.cause == Cause::NotDeterministic {
        // That QEMU's file is gone meanwhile takes no verdict away.
        record.identities = identities::of(&prepared.host, &prepared.plan, &prepared.payload).ok();
    }
    Ok((judged, evidence))
}

/// Whether a record says which programs took part: that of a failure, to be compared with, and that of a replay, to compare.
fn tells_identities(settings: &Settings, verdict: Verdict) -> bool {
    verdict != Verdict::Pass || settings.replay.is_some()
}

/// Runs a second clone, which shall do what the first did.
fn check_determinism(
    prepared: &Prepared,
    judged: Judgement,
    evidence: &mut Evidence,
    record: &mut Record,
) -> Judgement {
    let second = run_clone(prepared, &mut Phases::default()).map(|(second, _)| second);
    let Checked { judgement, note, divergence } = determinism::check(judged, evidence, &second);
    record.notes.push(note);
    if judgement.cause == Cause::NotDeterministic {
        record.divergence = divergence;
        let report = second.ok().and_then(|second| second.report?.ok());
        evidence.second_report = report.and_then(|report| serde_json::to_string(&report).ok());
    }
    judgement
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::tests::token;

    #[test]
    fn a_replay_that_passes_says_what_ran_in_it() {
        let topology = ktstr_model::Topology::of(1, 1, 2, 1);
        let plain = Settings { replay: None, ..Settings::of_this_process().unwrap() };
        let replay = Settings { replay: Some(token(topology)), ..plain.clone() };
        let told =
            |settings| [Verdict::Pass, Verdict::Fail].map(|verdict| tells_identities(settings, verdict));
        assert_eq!((told(&plain), told(&replay)), ([false, true], [true, true]));
    }
}
