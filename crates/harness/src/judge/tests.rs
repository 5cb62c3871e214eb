use ktstr_model::{AssertResult, Digest, ExitHow, Verdict};

use super::*;

fn report(result: Result<AssertResult, GuestFailure>, scheduler: Option<SchedulerReport>) -> RunReport {
    let report = RunReport { scheduler, ..RunReport::of_result(result) };
    report.with_digest()
}

fn finished(report: RunReport) -> Evidence {
    Evidence {
        stop: Some(Stop::Guest),
        stage: stage::DONE,
        exit: Some(TestExit::Code(0)),
        report: Some(Ok(report)),
        ..Evidence::default()
    }
}

fn cause(evidence: &Evidence) -> Cause {
    judge(evidence).cause
}

#[test]
fn passes_fails_and_skips() {
    assert_eq!(cause(&finished(report(Ok(AssertResult::pass()), None))), Cause::ChecksHeld);
    let judged = judge(&finished(report(Ok(AssertResult::fail_msg("late")), None)));
    assert_eq!(
        (judged.cause, judged.headline.as_str(), judged.details.len()),
        (Cause::CheckViolated, "late", 1)
    );
    assert_eq!(cause(&finished(report(Ok(AssertResult::skip("no SMT")), None))), Cause::TestSkipped);
}

#[test]
fn a_dead_scheduler_explains_violated_checks() {
    let scheduler =
        SchedulerReport { died_at_ns: Some(5), exit: Some(ExitHow::Code(2)), ..SchedulerReport::default() };
    let mut report = report(Ok(AssertResult::fail_msg("worker 3 starved")), Some(scheduler));
    let by_exit = judge(&finished(report.clone()));
    assert!(by_exit.headline.contains("exited with code 2"), "{}", by_exit.headline);
    let mut in_a_step = report.clone();
    in_a_step.scheduler.as_mut().unwrap().died = Some("during step 2".into());
    let said = judge(&finished(in_a_step.clone().with_digest())).headline;
    assert_eq!(said, "the scheduler's program exited with code 2 during step 2");
    in_a_step.sched_ext_log = vec!["sched_ext: BPF scheduler \"mini\" disabled (runtime error)".into()];
    let said = judge(&finished(in_a_step.with_digest())).headline;
    assert_eq!(said, "the kernel disabled the scheduler during step 2: runtime error");
    report.sched_ext_log = vec![
        "[    3.1] sched_ext: BPF scheduler \"mini\" disabled (runnable task stall)".into(),
        "[    3.1] sched_ext: mini: victim[218] failed to run for 3.168s".into(),
    ];
    let judged = judge(&finished(report.with_digest()));
    assert_eq!(judged.cause, Cause::SchedulerDied);
    assert_eq!(
        judged.headline,
        "the kernel disabled the scheduler: runnable task stall: victim[218] failed to run for 3.168s"
    );
    assert_eq!(judged.details.len(), 1, "consequences are kept");
}

#[test]
fn a_rejection_is_told_from_another_exit() {
    let failure = GuestFailure::SchedulerExited(ExitHow::Code(1));
    let mut evidence = finished(report(Err(failure), None));
    assert_eq!(cause(&evidence), Cause::SchedulerExited);
    evidence.scheduler_log =
        include_str!("../../../../fixtures/recorded/missing-null-check-7.3.4.stderr.txt").into();
    let judged = judge(&evidence);
    assert_eq!(judged.cause, Cause::SchedulerRejected);
    assert_eq!(
        judged.headline.lines().next(),
        Some("the BPF verifier rejected fixture_running: R0 invalid mem access 'map_value_or_null'")
    );
    assert!(judged.headline.contains("return *seen;"), "{}", judged.headline);
}

#[test]
fn machine_trouble_goes_before_any_report() {
    let mut evidence = finished(report(Ok(AssertResult::pass()), None));
    evidence.kernel_log = "[    2.0] BUG: unable to handle page fault for address: 0".into();
    assert_eq!(cause(&evidence), Cause::GuestOops);
    for (stop, expected) in [
        (Stop::Deadline("60 s of wall time".into()), Cause::Hang),
        (Stop::Gone("signal: 9".into()), Cause::MachineDied),
        (Stop::Shutdown("guest-reset".into()), Cause::MachineDied),
        (Stop::InternalError, Cause::MachineDied),
    ] {
        assert_eq!(cause(&Evidence { stop: Some(stop), ..Evidence::default() }), expected);
    }
    let panicked = Evidence {
        stop: Some(Stop::Shutdown("guest-reset".into())),
        console: "[    2.0] Kernel panic - not syncing: sysrq triggered crash".into(),
        ..Evidence::default()
    };
    assert_eq!(cause(&panicked), Cause::GuestPanic);
    assert_eq!(Cause::GuestPanic.verdict(), Verdict::Broken);
}

#[test]
fn a_missing_or_damaged_report_is_no_verdict_on_the_scheduler() {
    let mut evidence = Evidence { stop: Some(Stop::Guest), stage: stage::DONE, ..Evidence::default() };
    evidence.exit = Some(TestExit::Signal(4));
    let judged = judge(&evidence);
    assert_eq!(judged.cause, Cause::LostReport);
    assert!(judged.headline.contains("target-cpu=native"), "{}", judged.headline);
    evidence.report = Some(Err("cut".into()));
    assert_eq!(cause(&evidence), Cause::LostReport);
    let mut damaged = report(Ok(AssertResult::pass()), None);
    damaged.digest = Digest::of(b"another");
    assert!(judge(&finished(damaged)).headline.contains("digest"));
    let failed = Evidence {
        stop: Some(Stop::Guest),
        stage: stage::FAILED,
        message: "the guest's memory is full".into(),
        ..Evidence::default()
    };
    assert_eq!(cause(&failed), Cause::GuestSetup);
}

#[test]
fn expected_failures_pass_and_broken_runs_stay_broken() {
    let failed = finished(report(Ok(AssertResult::fail_msg("late")), None));
    assert_eq!(expect_failure(judge(&failed)).cause, Cause::ExpectedError);
    let passed = finished(report(Ok(AssertResult::pass()), None));
    assert_eq!(expect_failure(judge(&passed)).cause, Cause::UnexpectedPass);
    let panic = GuestFailure::TestPanic { message: "x".into(), location: "y".into(), frames: Vec::new() };
    assert_eq!(expect_failure(judge(&finished(report(Err(panic), None)))).cause, Cause::TestPanic);
    let never_came_up = GuestFailure::SchedulerExited(ExitHow::Code(2));
    assert_eq!(
        expect_failure(judge(&finished(report(Err(never_came_up), None)))).cause,
        Cause::SchedulerExited
    );
    let died = SchedulerReport { died_at_ns: Some(5), ..SchedulerReport::default() };
    let died = finished(report(Ok(AssertResult::pass()), Some(died)));
    assert_eq!(expect_failure(judge(&died)).cause, Cause::ExpectedError);
    let hung = Evidence { stop: Some(Stop::Deadline("1 s".into())), ..Evidence::default() };
    assert_eq!(expect_failure(judge(&hung)).cause, Cause::Hang);
}

fn disabled(reason: &str) -> String {
    format!("[    3.1] sched_ext: BPF scheduler \"x\" disabled ({reason})")
}

#[test]
fn an_orderly_end_is_no_reason() {
    let orderly = disabled("unregistered from user space");
    assert_eq!(kernels_reason(std::slice::from_ref(&orderly)), None);
    assert_eq!(kernels_reason(&[orderly, disabled("runtime error")]).unwrap(), "runtime error");
}

#[test]
fn an_ejection_counts_though_the_program_attached_its_scheduler_again() {
    let lived = SchedulerReport { enabled_after_ns: Some(1), ..SchedulerReport::default() };
    let run = |scheduler: &SchedulerReport, reason: &str| {
        let mut report = report(Ok(AssertResult::pass()), Some(scheduler.clone()));
        report.sched_ext_log = vec![
            disabled(reason),
            "[    3.1] sched_ext: x: cpu 3 going offline, exiting scheduler".into(),
            "[    3.2] sched_ext: BPF scheduler \"x\" enabled".into(),
            disabled("unregistered from user space"),
        ];
        finished(report.with_digest())
    };
    let judged = judge(&run(&lived, "unregistered from the main kernel"));
    assert_eq!(judged.cause, Cause::SchedulerDied);
    assert_eq!(
        judged.headline,
        "the kernel disabled the scheduler: unregistered from the main kernel: cpu 3 going offline, exiting scheduler"
    );
    for orderly in ["unregistered from user space", "unregistered from BPF"] {
        assert_eq!(cause(&run(&lived, orderly)), Cause::ChecksHeld, "{orderly}");
    }
    let stalled = run(&lived, "runnable task stall");
    assert_eq!(cause(&stalled), Cause::SchedulerDied);
    let in_a_shell = Evidence { stop: None, ..stalled };
    assert_eq!(cause(&in_a_shell), Cause::ChecksHeld, "its log is of earlier schedulers, too");
    let mut without_scheduler = report(Ok(AssertResult::pass()), None);
    without_scheduler.sched_ext_log = vec![disabled("runtime error")];
    assert_eq!(
        cause(&finished(without_scheduler.with_digest())),
        Cause::ChecksHeld,
        "a test of the kernel's own"
    );
}
