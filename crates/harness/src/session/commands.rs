//! In the guest: the commands that somebody at the shell types.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use ktstr_guest::by_hand::{EndBy, end_background, heed_interrupts, interrupted, wait_until_disabled};
use ktstr_guest::remove_leftovers;
use ktstr_model::{Mode, RunOrder, TestSpec, Verdict};
use ktstr_results::Record;
use ktstr_vm::{ChannelReader, VmError};

use super::ORDER_FILE;
use super::guest_run::GuestRun;
use super::plan::test_of;
use crate::after_body;
use crate::cells::Declared;
use crate::error::HarnessError;
use crate::evidence::Evidence;
use crate::judge::{Judgement, expect_failure, judge, judge_result};
use crate::render::{self, Beside};
use crate::run::finish;

/// The process that keeps the scheduler: its id.
const KEPT_FILE: &str = "/ktstr/kept-scheduler";
/// Where the logs of the last scheduler or test go.
const LOG_FOLDER: &str = "/ktstr/logs";
/// A scheduler that somebody waits for may take its time; Ctrl-C ends the wait.
const ENABLE_TIMEOUT_NS: u64 = 900_000_000_000;
const LOOK: Duration = Duration::from_millis(10);
/// A wait from here on is told of.
const LONG: Duration = Duration::from_secs(2);
/// As a shell says that SIGINT ended a program.
const INTERRUPTED: i32 = 130;

/// A command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    StartScheduler,
    StopScheduler,
    SchedulerLog,
    RunTest,
}

const COMMANDS: [(&str, Command); 4] = [
    ("start-scheduler", Command::StartScheduler),
    ("stop-scheduler", Command::StopScheduler),
    ("scheduler-log", Command::SchedulerLog),
    ("run-test", Command::RunTest),
];

/// The command of this name.
pub(super) fn named(name: &str) -> Option<Command> {
    COMMANDS.iter().find(|(other, _)| *other == name).map(|(_, command)| *command)
}

/// The names of those that there is something to do for.
pub(super) fn names(with_scheduler: bool, with_test: bool) -> Vec<&'static str> {
    let is_of_use = |command| if command == Command::RunTest { with_test } else { with_scheduler };
    COMMANDS.iter().filter(|(_, command)| is_of_use(*command)).map(|(name, _)| *name).collect()
}

/// Why a command could not be carried out.
#[derive(Debug, thiserror::Error)]
pub(super) enum SessionError {
    #[error("{ORDER_FILE}: {0}")]
    NoOrder(#[source] io::Error),
    #[error(transparent)]
    Order(#[from] ktstr_wire::DecodeError),
    #[error("a test process cannot be started: {0}")]
    Start(#[source] io::Error),
    #[error("the test process cannot be waited for: {0}")]
    Wait(#[source] io::Error),
    #[error("there is no scheduler to start: the test runs under the kernel's own")]
    KernelsOwn,
    #[error("the scheduler has been started already (process {0}): `stop-scheduler` stops it")]
    Started(u32),
    #[error("no scheduler has been started: `start-scheduler` starts it")]
    NotStarted,
    #[error("this shell was opened without a test: `cargo ktstr shell --test TEST`")]
    NoTest,
    #[error("{KEPT_FILE}: {0}")]
    Kept(#[source] io::Error),
    #[error(transparent)]
    Guest(#[from] ktstr_guest::GuestError),
    #[error(transparent)]
    Vm(#[from] VmError),
    #[error(transparent)]
    Harness(#[from] HarnessError),
}

/// Carries a command out; the exit code.
pub(super) fn carry_out(command: Command, declared: &Declared) -> i32 {
    let done = order().and_then(|order| match command {
        Command::StartScheduler => start_scheduler(order),
        Command::StopScheduler => stop_scheduler(&order),
        Command::SchedulerLog => scheduler_log(),
        Command::RunTest => run_test(&order, declared),
    });
    done.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        1
    })
}

fn order() -> Result<RunOrder, SessionError> {
    let bytes = fs::read(ORDER_FILE).map_err(SessionError::NoOrder)?;
    Ok(ktstr_wire::decode("the order", &bytes)?)
}

/// Starts a process that starts the scheduler as a test does, and keeps it.
fn start_scheduler(mut order: RunOrder) -> Result<i32, SessionError> {
    if let Some(kept) = Kept::find() {
        return Err(SessionError::Started(kept.pid));
    }
    let scheduler = order.scheduler.as_mut().ok_or(SessionError::KernelsOwn)?;
    scheduler.enable_timeout_ns = ENABLE_TIMEOUT_NS;
    let name = scheduler.name.clone();
    TestSpec::KEEP_SCHEDULER.clone_into(&mut order.test);
    let began = Instant::now();
    heed_interrupts();
    let mut run = GuestRun::start(&order, true)?;
    let mut told = false;
    loop {
        if let Some(evidence) = run.look()? {
            return Ok(tell("start-scheduler", &order, judge(&evidence), evidence));
        }
        if run.has_begun()? {
            break;
        }
        if interrupted() {
            end_background(run.pid(), EndBy::Interrupt)?;
            eprintln!("ktstr: interrupted; `{name}` is not started");
            return Ok(INTERRUPTED);
        }
        if !told && began.elapsed() > LONG {
            told = true;
            eprintln!(
                "ktstr: waiting for the kernel to enable `{name}`, whose BPF programs are being verified; Ctrl-C gives up"
            );
        }
        sleep(LOOK);
    }
    fs::write(KEPT_FILE, run.pid().to_string()).map_err(SessionError::Kept)?;
    let ops = fs::read_to_string("/sys/kernel/sched_ext/root/ops").unwrap_or_default();
    let known_as =
        if ops.is_empty() { String::new() } else { format!(", which the kernel knows as `{}`,", ops.trim()) };
    eprintln!("ktstr: `{name}`{known_as} is enabled, {:.1} s after its start", began.elapsed().as_secs_f64());
    Ok(0)
}

fn stop_scheduler(order: &RunOrder) -> Result<i32, SessionError> {
    let kept = Kept::find().ok_or(SessionError::NotStarted)?;
    let name = order.scheduler.as_ref().map_or("the scheduler", |scheduler| &scheduler.name);
    let evidence = kept.end()?;
    let judged = judge(&evidence);
    if judged.cause.verdict() != Verdict::Pass {
        return Ok(tell("stop-scheduler", order, judged, evidence));
    }
    let report = evidence.report.iter().flatten().find_map(|report| report.scheduler.as_ref());
    let exit = report.and_then(|report| report.exit).map(|exit| format!("; its program {exit}"));
    eprintln!("ktstr: `{name}` is stopped{}", exit.unwrap_or_default());
    Ok(0)
}

/// Prints what the scheduler that is kept has printed so far, else the last one.
fn scheduler_log() -> Result<i32, SessionError> {
    let text = match Kept::find() {
        Some(kept) => Evidence::of_process(&kept.channel()?, None).scheduler_log,
        None => {
            let last = fs::read_to_string(Path::new(LOG_FOLDER).join("scheduler.log"));
            last.map_err(|_| SessionError::NotStarted)?
        }
    };
    print!("{text}");
    Ok(0)
}

/// Runs the whole test as a test's process does: scheduler, body, and what is looked at afterwards.
fn run_test(order: &RunOrder, declared: &Declared) -> Result<i32, SessionError> {
    let entry = test_of(order, declared).ok_or(SessionError::NoTest)?;
    if let Some(kept) = Kept::find() {
        eprintln!("ktstr: the scheduler that was started is stopped first; the test starts its own");
        kept.end()?;
    }
    heed_interrupts();
    let evidence = GuestRun::start(order, false)?.wait()?;
    if !matches!(evidence.report, Some(Ok(_))) {
        remove_leftovers(order.cgroup_parent.as_deref())?;
    }
    if interrupted() {
        if !wait_until_disabled() {
            eprintln!("ktstr: the test's scheduler is still in charge; `exit` and begin again");
        }
        eprintln!("ktstr: interrupted; the test's cgroups are removed");
        return Ok(INTERRUPTED);
    }
    let mut judged = judge(&evidence);
    if entry.spec.expect_err {
        judged = expect_failure(judged);
    }
    if let (Some(Ok(report)), Some(budget_ms)) = (&evidence.report, entry.spec.cleanup_budget_ms) {
        judged = after_body::with(judged, judge_result(&after_body::cleanup(report, budget_ms)));
    }
    Ok(tell(&order.test, order, judged, evidence))
}

/// The scheduler that is kept.
struct Kept {
    pid: u32,
}

impl Kept {
    fn find() -> Option<Self> {
        let pid = fs::read_to_string(KEPT_FILE).ok()?.trim().parse().ok()?;
        Path::new(&format!("/proc/{pid}/fd/{}", ktstr_wire::layout::CHANNEL_FD))
            .exists()
            .then_some(Self { pid })
    }

    fn channel(&self) -> Result<ChannelReader, SessionError> {
        let path = PathBuf::from(format!("/proc/{}/fd/{}", self.pid, ktstr_wire::layout::CHANNEL_FD));
        Ok(ChannelReader::of(&File::open(path).map_err(SessionError::Kept)?)?)
    }

    /// Ends it, and its scheduler.
    fn end(self) -> Result<Evidence, SessionError> {
        let channel = self.channel()?;
        end_background(self.pid, EndBy::Request)?;
        fs::remove_file(KEPT_FILE).map_err(SessionError::Kept)?;
        Ok(Evidence::of_process(&channel, None))
    }
}

/// Says how it went, as the host says it of a run, and returns the exit code.
fn tell(what: &str, order: &RunOrder, judged: Judgement, evidence: Evidence) -> i32 {
    let scheduler = order.scheduler.as_ref().map_or("eevdf", |scheduler| &scheduler.name);
    let mut record = Record::begun(what.to_owned(), scheduler, order.seed);
    if let Some(Ok(report)) = &evidence.report {
        record.take_report(report);
        // Nothing that a shell has seen repeats.
        record.digest = None;
    }
    if order.mode == Mode::Deterministic && order.test == what {
        let note = "in a shell, where the guest's clock follows the host's: no run is like another, and a busy host makes \
                    times longer";
        record.notes.push(note.to_owned());
    }
    let finished = finish(record, judged, Some(evidence));
    let saved = finished.evidence.as_ref().and_then(save_logs);
    let (record, judgement) = (&finished.record, &finished.judgement);
    match record.verdict {
        Verdict::Pass => println!("{}", render::for_stream(render::pass(record), &io::stdout())),
        _ => {
            let beside =
                Beside { evidence: finished.evidence.as_ref(), saved: saved.as_deref(), ..Beside::default() };
            eprint!("{}", render::for_stream(render::report(record, judgement, beside), &io::stderr()));
        }
    }
    i32::from(!matches!(record.verdict, Verdict::Pass | Verdict::Skip))
}

fn save_logs(evidence: &Evidence) -> Option<PathBuf> {
    let folder = PathBuf::from(LOG_FOLDER);
    fs::create_dir_all(&folder).ok()?;
    let mut written = evidence.logs().into_iter().map(|(name, text)| fs::write(folder.join(name), text));
    written.all(|written| written.is_ok()).then_some(folder)
}
