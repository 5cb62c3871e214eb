//! What is found out after a test's body has ended: how long everything took to stop, and what the test's host-side step
//! says.
//!
//! Neither can make a run pass that did not. A run that passed, also one that failed as expected, fails by what is found
//! here; of one that failed already it becomes a consequence, and a broken run stays broken.

use std::panic::{AssertUnwindSafe, catch_unwind};

use ktstr_guest::PostVm;
use ktstr_model::{
    AssertDetail, AssertResult, Cause, Cleanup, DetailKind, RunReport, RunResult, Verdict, format_ns,
};
use ktstr_results::Record;

use crate::evidence::Evidence;
use crate::host_run::text_of;
use crate::judge::{Judgement, judge_result};

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
pub(crate) fn run_result(record: &Record, judged: &Judgement, evidence: &Evidence) -> Option<RunResult> {
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
pub(crate) fn post_vm(step: PostVm, run: &RunResult) -> Result<AssertResult, Judgement> {
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

/// A judgement with what was found after it. The notes of what was found are the caller's.
pub(crate) fn with(judged: Judgement, found: Result<AssertResult, Judgement>) -> Judgement {
    let passed = judged.cause.verdict() == Verdict::Pass;
    let (fresh, details) = match found {
        Ok(result) => (judge_result(&result), result.details),
        Err(fresh) => {
            let detail = AssertDetail::new(DetailKind::Custom, fresh.headline.clone());
            (fresh, if passed { Vec::new() } else { vec![detail] })
        }
    };
    let mut all = judged.details;
    all.extend(details);
    match passed && fresh.cause != Cause::ChecksHeld {
        true => Judgement { details: all, ..fresh },
        false => Judgement { details: all, ..judged },
    }
}

#[cfg(test)]
mod tests {
    use ktstr_model::{Digest, Mode, SchedulerReport, Topology};

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
    fn what_is_found_fails_a_run_that_passed_and_no_other() {
        let late = || Ok(AssertResult::fail_msg("late"));
        for passed in [Cause::ChecksHeld, Cause::ExpectedError] {
            let after = with(judged(passed), late());
            assert_eq!((after.cause, after.headline.as_str()), (Cause::CheckViolated, "late"));
            assert_eq!(with(judged(passed), Ok(AssertResult::skip("why"))).cause, Cause::TestSkipped);
            assert_eq!(with(judged(passed), Ok(AssertResult::pass())).cause, passed);
            let erred = with(judged(passed), Err(Judgement::new(Cause::TestError, "boom")));
            assert_eq!((erred.cause, erred.details.len()), (Cause::TestError, 0));
        }
        for other in [Cause::SchedulerDied, Cause::GuestPanic, Cause::TestSkipped, Cause::UnexpectedPass] {
            let after = with(judged(other), late());
            assert_eq!((after.cause, after.headline.as_str(), after.details.len()), (other, "before", 1));
            assert_eq!(with(judged(other), Ok(AssertResult::skip("why"))), judged(other));
            let erred = with(judged(other), Err(Judgement::new(Cause::TestPanic, "boom")));
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
