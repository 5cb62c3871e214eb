//! From what was seen to why the run ended as it did. Pure: evidence in, judgement out.

use ktstr_model::{AssertDetail, AssertResult, Cause, GuestFailure, RunReport, SchedulerReport};
use ktstr_verifier::Rejection;
use ktstr_vm::Stop;
use ktstr_wire::layout::stage;

use crate::evidence::{Evidence, TestExit};
use crate::kernel_trouble;

mod noise;

pub(crate) use noise::{describe as describe_noise, weigh as weigh_noise};

/// Why a run ended as it did.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// The cause; it has the verdict.
    pub cause: Cause,
    /// One line that says it.
    pub headline: String,
    /// Violated checks. When the cause is another, they are its consequences.
    pub details: Vec<AssertDetail>,
}

impl Judgement {
    /// A judgement without violated checks.
    pub fn new(cause: Cause, headline: impl Into<String>) -> Self {
        Self { cause, headline: headline.into(), details: Vec::new() }
    }
}

/// Judges a run.
pub fn judge(evidence: &Evidence) -> Judgement {
    machine_trouble(evidence).unwrap_or_else(|| match &evidence.report {
        None => lost_report(evidence),
        Some(Err(why)) => {
            Judgement::new(Cause::LostReport, format!("the guest's report cannot be read: {why}"))
        }
        Some(Ok(report)) => judge_report(report, evidence),
    })
}

/// Trouble of the kernel or the machine, which makes whatever the guest reported worthless.
fn machine_trouble(evidence: &Evidence) -> Option<Judgement> {
    if let Some((cause, line)) =
        kernel_trouble::find(&evidence.console).or_else(|| kernel_trouble::find(&evidence.kernel_log))
    {
        let what = match cause {
            Cause::OutOfMemory => "the guest ran out of memory (raise memory_mb)",
            Cause::GuestPanic => "the guest kernel panicked",
            _ => "the guest kernel reported an oops",
        };
        return Some(Judgement::new(cause, format!("{what}: {line}")));
    }
    let (cause, headline) = match evidence.stop.as_ref()? {
        Stop::Guest => return None,
        Stop::Shutdown(reason) => (Cause::MachineDied, format!("the guest shut itself down ({reason})")),
        Stop::InternalError => {
            (Cause::MachineDied, "QEMU stopped the machine with an internal error".to_owned())
        }
        Stop::Gone(said) => (Cause::MachineDied, format!("QEMU ended: {said}")),
        Stop::Deadline(passed) => (
            Cause::Hang,
            format!("the guest did not finish within {passed}; it hung {}", at_stage(evidence.stage)),
        ),
    };
    Some(Judgement::new(cause, headline))
}

fn at_stage(stage: u32) -> &'static str {
    match stage {
        stage::BOOTING | stage::WAITING | stage::AWAKE => "before the test process was started",
        stage::STARTED | stage::LOADED => {
            "before the test function began: in setting up the guest or starting the scheduler"
        }
        stage::TEST_BEGAN => "in the test function",
        _ => "after the test function",
    }
}

fn lost_report(evidence: &Evidence) -> Judgement {
    if let Some(why) = &evidence.unreadable {
        return Judgement::new(Cause::LostReport, why.clone());
    }
    if evidence.stage == stage::FAILED {
        let headline = format!("the guest could not be prepared: {}", evidence.message);
        return Judgement::new(Cause::GuestSetup, headline);
    }
    const SIGILL: u32 = 4;
    let how = match evidence.exit {
        Some(TestExit::Signal(SIGILL)) => {
            "was killed by signal 4 (illegal instruction): was it built with target-cpu=native? The emulated CPU lacks \
             some of the host's instructions"
                .to_owned()
        }
        Some(TestExit::Signal(signal)) => format!("was killed by signal {signal}"),
        Some(TestExit::Code(code)) => format!("exited with code {code}"),
        None => "left no trace".to_owned(),
    };
    Judgement::new(Cause::LostReport, format!("the test process {how} without a report"))
}

fn judge_report(report: &RunReport, evidence: &Evidence) -> Judgement {
    let digest = report.computed_digest();
    if digest != report.digest {
        let headline =
            format!("the report is damaged: its digest is {}, its events give {digest}", report.digest);
        return Judgement::new(Cause::LostReport, headline);
    }
    let died = report.scheduler.as_ref().filter(|scheduler| has_died(scheduler, report, evidence));
    let mut judged = match (&report.result, died) {
        (_, Some(scheduler)) => scheduler_died(scheduler, report),
        (Err(failure), None) => guest_failure(failure, evidence),
        (Ok(result), None) => judge_result(result),
    };
    if let Ok(result) = &report.result {
        judged.details.clone_from(&result.details);
    }
    judged
}

/// Whether the scheduler ended before it was told to. That its program attached it again at once escapes the guest, which
/// looks at the state now and then; the kernel's log has it. In a shell, whose machine goes on, that log is also of the
/// schedulers before this one.
fn has_died(scheduler: &SchedulerReport, report: &RunReport, evidence: &Evidence) -> bool {
    let ejected = || {
        let mut reasons = report.sched_ext_log.iter().filter_map(|line| disabled_for(line));
        reasons.any(|reason| !reason.starts_with(BY_ITS_PROGRAM) && !reason.starts_with(BY_ITS_BPF))
    };
    let alone_and_enabled = evidence.stop.is_some() && scheduler.enabled_after_ns.is_some();
    scheduler.died_at_ns.is_some() || alone_and_enabled && ejected()
}

/// What the result of a body says.
pub(crate) fn judge_result(result: &AssertResult) -> Judgement {
    if let Some(first) = result.details.first() {
        let more = result.details.len() - 1;
        let rest = if more > 0 { format!(" (and {more} more)") } else { String::new() };
        // The lines after it are below, with the violations.
        let line = first.message.lines().next().unwrap_or_default();
        let judged = Judgement::new(Cause::CheckViolated, format!("{line}{rest}"));
        return Judgement { details: result.details.clone(), ..judged };
    }
    match &result.skipped {
        Some(reason) => Judgement::new(Cause::TestSkipped, reason.clone()),
        None => Judgement::new(Cause::ChecksHeld, "every check held"),
    }
}

fn scheduler_died(scheduler: &SchedulerReport, report: &RunReport) -> Judgement {
    let known = scheduler.died.as_ref().map_or_else(String::new, |place| format!(" {place}"));
    let place = if known.is_empty() { " while the test ran" } else { &known };
    let reason = match (kernels_reason(&report.sched_ext_log), scheduler.exit) {
        (Some(reason), _) => format!("the kernel disabled the scheduler{known}: {reason}"),
        (None, Some(how)) => format!("the scheduler's program {how}{place}"),
        (None, None) => format!("the scheduler was disabled{place}"),
    };
    Judgement::new(Cause::SchedulerDied, reason)
}

/// The kernel's words for ends that a scheduler's own program and its own BPF code ask for (`scx_exit_reason`).
const BY_ITS_PROGRAM: &str = "unregistered from user space";
const BY_ITS_BPF: &str = "unregistered from BPF";

/// The reason in `sched_ext: BPF scheduler "x" disabled (runnable task stall)`.
fn disabled_for(line: &str) -> Option<&str> {
    let (before, reason) = line.split_once(" disabled (")?;
    before.contains("BPF scheduler").then(|| reason.trim_end_matches(')'))
}

/// The first reason for which a scheduler was disabled that is not its program's end, and the line that details it, as
/// `sched_ext: x: victim[218] failed to run for 3.168s`.
pub fn kernels_reason(log: &[String]) -> Option<String> {
    let of_kernel = |line| disabled_for(line).filter(|reason| !reason.starts_with(BY_ITS_PROGRAM));
    let (at, reason) = log.iter().enumerate().find_map(|(at, line)| Some((at, of_kernel(line)?)))?;
    let name = log[at].split('"').nth(1).unwrap_or_default();
    let prefix = format!("{name}: ");
    let detail = log[at + 1..].iter().find_map(|line| line.split_once(prefix.as_str()));
    Some(match detail {
        Some((_, detail)) => format!("{reason}: {detail}"),
        None => reason.to_owned(),
    })
}

fn guest_failure(failure: &GuestFailure, evidence: &Evidence) -> Judgement {
    let rejection = Rejection::in_output(&evidence.scheduler_log);
    let (cause, headline) = match failure {
        GuestFailure::Setup(what) => (Cause::GuestSetup, format!("the guest could not be prepared: {what}")),
        GuestFailure::SchedulerExited(how) => match rejection {
            Some(rejection) => (Cause::SchedulerRejected, rejection.to_string()),
            None => {
                let headline = format!("the scheduler's program {how} before a scheduler was enabled");
                (Cause::SchedulerExited, headline)
            }
        },
        GuestFailure::SchedulerNeverEnabled(state) => (
            Cause::SchedulerNeverEnabled,
            format!(
                "the scheduler's program ran on but no scheduler was enabled; sched_ext's state is `{state}`"
            ),
        ),
        GuestFailure::NoSchedExt => (Cause::GuestSetup, "the guest's kernel has no sched_ext".to_owned()),
        GuestFailure::TestError(error) => (Cause::TestError, format!("the test returned an error: {error}")),
        GuestFailure::TestPanic { message, location, .. } => {
            (Cause::TestPanic, format!("the test panicked at {location}: {message}"))
        }
    };
    Judgement::new(cause, headline)
}

/// What `expect_err` makes of a judgement. Only what the test's body ran into can have been expected, the end of its
/// scheduler included: not a panic, not a scheduler that never came up, and not a harness or machine that broke.
pub(crate) fn expect_failure(judged: Judgement) -> Judgement {
    match judged.cause {
        Cause::CheckViolated | Cause::TestError | Cause::SchedulerDied => Judgement {
            cause: Cause::ExpectedError,
            headline: format!("as expected: {}", judged.headline),
            ..judged
        },
        Cause::ChecksHeld => {
            Judgement::new(Cause::UnexpectedPass, "the test passed, but expect_err wants it to fail")
        }
        _ => judged,
    }
}

#[cfg(test)]
mod tests;
