//! What is found out after a test's body has ended: how long everything took to stop, and what the test's host-side step
//! says.
//!
//! Neither can make a run pass that did not. A run that passed, also one that failed as expected, fails by what is found
//! here, and so does one that was inconclusive; of one that failed already it becomes a consequence, and a broken run stays
//! broken.

use std::panic::{AssertUnwindSafe, catch_unwind};

use ktstr_guest::{PostVm, TestEntry};
use ktstr_model::{
    AssertDetail, AssertResult, Cause, Cleanup, DetailKind, RunReport, RunResult, Verdict, format_ns,
};
use ktstr_results::Record;

use crate::evidence::Evidence;
use crate::host_run::text_of;
use crate::judge::{Judgement, judge_result, weigh_noise};

/// What is to be looked at when the machine has ended, whatever became of it. `record` has what the host did meanwhile.
pub(crate) fn look(
    entry: &TestEntry,
    mut judged: Judgement,
    evidence: &Evidence,
    record: &mut Record,
) -> Judgement {
    if let (Some(Ok(report)), Some(budget_ms)) = (&evidence.report, entry.spec.cleanup_budget_ms) {
        let mut found = judge_result(&cleanup(report, budget_ms));
        if let (Some(mode), Some(noise)) = (record.mode, &record.noise) {
            found = weigh_noise(found, mode, noise, &report.workers);
        }
        judged = with(judged, found);
    }
    if let (Some(step), Some(run)) = (entry.post_vm, run_result(record, &judged, evidence)) {
        let found = post_vm(step, &run).map(|result| {
            record.notes.extend(result.notes.iter().map(|note| format!("post_vm: {note}")));
            judge_result(&result)
        });
        judged = with(judged, found.unwrap_or_else(|erred| erred));
    }
    judged
}

/// A violation when it took longer than `budget_ms` from the body's end until everything had stopped; names what was slow.
pub(crate) fn cleanup(report: &RunReport, budget_ms: u32) -> AssertResult {
    let Cleanup { cgroups_ns, scheduler_ns, kernel_log_ns } = report.cleanup;
    let total_ns = report.cleanup.total_ns();
    let budget_ns = u64::from(budget_ms) * 1_000_000;
    if total_ns <= budget_ns {
        return AssertResult::pass();
    }
    let ignored = report.scheduler.as_ref().is_some_and(|scheduler| scheduler.ignored_sigint);
    let scheduler = match ignored {
        true => "stopping the scheduler, which did not heed SIGINT and was killed,",
        false => "stopping the scheduler",
    };
    let parts = [
        (scheduler, scheduler_ns),
        ("removing cgroups", cgroups_ns),
        ("reading the kernel's log", kernel_log_ns),
    ];
    let (slowest, ns) = parts.into_iter().max_by_key(|(_, ns)| *ns).unwrap_or(parts[0]);
    let rest_ns = total_ns.saturating_sub(ns);
    let message = format!(
        "it took {} from the body's end until everything had stopped, {budget_ms} ms are allowed: {slowest} took {}, the \
         rest {}",
        format_ns(total_ns),
        format_ns(ns),
        format_ns(rest_ns)
    );
    let detail = AssertDetail::new(DetailKind::Cleanup, message);
    AssertResult::fail(detail.measured(total_ns as f64 / 1e6, budget_ms.into()))
}

/// What the host-side step sees.
fn run_result(record: &Record, judged: &Judgement, evidence: &Evidence) -> Option<RunResult> {
    let report = evidence.report.as_ref().and_then(|report| report.as_ref().ok());
    Some(RunResult {
        test: record.test.clone(),
        scheduler: record.scheduler.clone(),
        topology: record.topology?,
        kernel: record.kernel.as_ref()?.release.clone(),
        mode: record.mode?,
        seed: record.seed,
        cause: judged.cause,
        headline: judged.headline.clone(),
        details: judged.details.clone(),
        report: report.cloned(),
        console: evidence.console.clone(),
        kernel_log: evidence.kernel_log.clone(),
        scheduler_log: evidence.scheduler_log.clone(),
        test_log: evidence.test_log.clone(),
    })
}

/// Takes the host-side step. An error or a panic of it is a judgement of its own. The panic hook has told of a panic by
/// then.
fn post_vm(step: PostVm, run: &RunResult) -> Result<AssertResult, Judgement> {
    match catch_unwind(AssertUnwindSafe(|| step(run))) {
        Ok(Ok(mut result)) => {
            for detail in &mut result.details {
                detail.message = format!("post_vm: {}", detail.message);
            }
            Ok(result)
        }
        Ok(Err(error)) => {
            Err(Judgement::new(Cause::TestError, format!("post_vm returned an error: {error:#}")))
        }
        Err(payload) => {
            Err(Judgement::new(Cause::TestPanic, format!("post_vm panicked: {}", text_of(&*payload))))
        }
    }
}

/// A judgement with what was found after it.
pub(crate) fn with(judged: Judgement, found: Judgement) -> Judgement {
    let decides = match judged.cause.verdict() {
        Verdict::Pass => found.cause != Cause::ChecksHeld,
        // Of the violations that were weighed it can only be said that the host explains them; not so of this.
        Verdict::Inconclusive => found.cause.verdict() == Verdict::Fail,
        _ => false,
    };
    let mut details = judged.details;
    match found.details.is_empty() && found.cause.verdict() == Verdict::Fail && !decides {
        true => details.push(AssertDetail::new(DetailKind::Custom, found.headline.clone())),
        false => details.extend(found.details),
    }
    match decides {
        true => Judgement { details, cause: found.cause, headline: found.headline },
        false => Judgement { details, cause: judged.cause, headline: judged.headline },
    }
}

#[cfg(test)]
mod tests {
    use ktstr_guest::Ctx;
    use ktstr_model::{Digest, HostNoise, Mode, SchedulerReport, TestSpec, Topology};

    use super::*;

    fn report(cleanup: Cleanup, ignored_sigint: bool) -> RunReport {
        RunReport {
            result: Ok(AssertResult::pass()),
            workers: Vec::new(),
            stimuli: Vec::new(),
            payloads: Vec::new(),
            metrics: Vec::new(),
            scheduler: Some(SchedulerReport { ignored_sigint, ..SchedulerReport::default() }),
            sched_ext_log: Vec::new(),
            cleanup,
            guest_ns: 1,
            digest: Digest::default(),
        }
    }

    fn run() -> RunResult {
        RunResult {
            test: "t".into(),
            scheduler: "s".into(),
            topology: Topology::of(1, 1, 2, 1),
            kernel: "7.3".into(),
            mode: Mode::Deterministic,
            seed: 1,
            cause: Cause::ChecksHeld,
            headline: String::new(),
            details: Vec::new(),
            report: None,
            console: String::new(),
            kernel_log: String::new(),
            scheduler_log: String::new(),
            test_log: String::new(),
        }
    }

    fn judged(cause: Cause) -> Judgement {
        Judgement::new(cause, "before")
    }

    #[test]
    fn a_cleanup_over_its_budget_names_what_was_slow() {
        let slow = Cleanup { cgroups_ns: 2_000_000, scheduler_ns: 5_100_000_000, kernel_log_ns: 1_000_000 };
        let message = |ignored| cleanup(&report(slow, ignored), 500).details[0].message.clone();
        assert_eq!(
            message(false),
            "it took 5.10 s from the body's end until everything had stopped, 500 ms are allowed: stopping the scheduler \
             took 5.10 s, the rest 3.00 ms"
        );
        assert!(
            message(true)
                .contains("stopping the scheduler, which did not heed SIGINT and was killed, took 5.10 s")
        );
        let cgroups = Cleanup { cgroups_ns: 600_000_001, ..Cleanup::default() };
        assert!(
            cleanup(&report(cgroups, false), 600).details[0]
                .message
                .contains("removing cgroups took 600.00 ms")
        );
        let exact = Cleanup { kernel_log_ns: 500_000_000, ..Cleanup::default() };
        assert_eq!(cleanup(&report(exact, false), 500), AssertResult::pass());
    }

    #[test]
    fn a_busy_host_explains_a_cleanup_over_its_budget() {
        fn body(_: &Ctx) -> anyhow::Result<AssertResult> {
            Ok(AssertResult::pass())
        }
        let spec = TestSpec { cleanup_budget_ms: Some(500), ..TestSpec::new("t", "tests") };
        let entry = TestEntry::new(spec, body);
        let slow = Cleanup { scheduler_ns: 600_000_000, ..Cleanup::default() };
        let evidence = Evidence { report: Some(Ok(report(slow, false))), ..Evidence::default() };
        let looked = |before: Cause, mode, held_ms: u64| {
            let noise = HostNoise { run_delay_ns: held_ms * 1_000_000, ..HostNoise::default() };
            let mut record = Record::begun("t".into(), "s", 1);
            (record.mode, record.noise) = (Some(mode), Some(noise));
            let after = look(&entry, judged(before), &evidence, &mut record);
            assert_eq!(after.details.len(), 1);
            after.cause
        };
        for passed in [Cause::ChecksHeld, Cause::ExpectedError] {
            assert_eq!(looked(passed, Mode::RealTime, 100), Cause::NoisyHost);
            assert_eq!(looked(passed, Mode::RealTime, 99), Cause::CheckViolated);
            assert_eq!(looked(passed, Mode::Deterministic, 100), Cause::CheckViolated);
        }
        assert_eq!(looked(Cause::NoisyHost, Mode::RealTime, 100), Cause::NoisyHost);
        assert_eq!(
            looked(Cause::NoisyHost, Mode::RealTime, 99),
            Cause::CheckViolated,
            "one is not explained"
        );
        assert_eq!(looked(Cause::SchedulerDied, Mode::RealTime, 100), Cause::SchedulerDied);
    }

    #[test]
    fn what_is_found_fails_a_run_that_passed_and_none_that_failed() {
        let late = || judge_result(&AssertResult::fail_msg("late"));
        let skips = || judge_result(&AssertResult::skip("why"));
        for passed in [Cause::ChecksHeld, Cause::ExpectedError] {
            let after = with(judged(passed), late());
            assert_eq!((after.cause, after.headline.as_str()), (Cause::CheckViolated, "late"));
            assert_eq!(with(judged(passed), skips()).cause, Cause::TestSkipped);
            assert_eq!(with(judged(passed), judge_result(&AssertResult::pass())).cause, passed);
            let erred = with(judged(passed), Judgement::new(Cause::TestError, "boom"));
            assert_eq!((erred.cause, erred.details.len()), (Cause::TestError, 0));
        }
        for other in [Cause::SchedulerDied, Cause::GuestPanic, Cause::TestSkipped, Cause::UnexpectedPass] {
            let after = with(judged(other), late());
            assert_eq!((after.cause, after.headline.as_str(), after.details.len()), (other, "before", 1));
            assert_eq!(with(judged(other), skips()), judged(other));
            let erred = with(judged(other), Judgement::new(Cause::TestPanic, "boom"));
            assert_eq!((erred.cause, erred.details[0].message.as_str()), (other, "boom"));
        }
    }

    #[test]
    fn each_end_of_a_host_side_step_has_its_words() {
        let violated =
            post_vm(|run| Ok(AssertResult::fail_msg(format!("{} is slow", run.scheduler))), &run());
        assert_eq!(violated.unwrap().details[0].message, "post_vm: s is slow");
        let erred = post_vm(|_| anyhow::bail!("no luck"), &run()).unwrap_err();
        assert_eq!(
            (erred.cause, erred.headline.as_str()),
            (Cause::TestError, "post_vm returned an error: no luck")
        );
        let panicked = post_vm(|run| panic!("seed {}", run.seed), &run()).unwrap_err();
        assert_eq!(
            (panicked.cause, panicked.headline.as_str()),
            (Cause::TestPanic, "post_vm panicked: seed 1")
        );
    }
}
