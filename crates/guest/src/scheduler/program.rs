//! A scheduler that a program loads.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use ktstr_model::{BpfObjects, GuestFailure, SchedulerReport};
use ktstr_wire::layout::GUEST_VARIABLE;
use rustix::process::{Pid, Signal};

use super::NotStarted;
use super::sched_ext::SchedExt;
use crate::channel::LogArea;
use crate::clock::monotonic_ns;
use crate::output::Output;
use crate::process::{Child, Ended, readable_before};

const MS: u64 = 1_000_000;
/// How often the state is looked at while a scheduler comes up: the kernel announces no change of it.
const ENABLE_POLL_NS: u64 = 10 * MS;
/// A program that is busy in the kernel when its time is over gets more of it, piece by piece up to so much in all: its BPF
/// programs are being verified. When one of them reaches the verifier's limit, libbpf has it verified again and again, each
/// time with room for a log of twice the size, and only then tells of it.
const VERIFIED_WITHIN_NS: u64 = 900_000 * MS;
const MORE_TIME_NS: u64 = 10_000 * MS;
/// How often the state is looked at while a test runs. That the program ends is noticed at once; this is for programs
/// that live on after the kernel has disabled their scheduler.
const WATCH_POLL_NS: u64 = 100 * MS;
/// How long a program whose scheduler was disabled may take to print its dump.
const DUMP_GRACE_NS: u64 = 3_000 * MS;
/// How long a program may take to heed SIGINT: real schedulers need up to 3 s.
const STOP_GRACE_NS: u64 = 10_000 * MS;
/// How long a killed program may take to end. It needs a CPU for that, which a stalled scheduler does not give it
/// before the kernel's watchdog has thrown it out, after 30 s at the latest.
const KILL_GRACE_NS: u64 = 60_000 * MS;

/// A program that has loaded a scheduler.
#[derive(Debug)]
pub(crate) struct Program {
    process: Process,
    sched_ext: SchedExt,
    enabled_after_ns: u64,
    ops: Option<String>,
    /// What it loaded, when that was read.
    pub(super) bpf: Option<BpfObjects>,
    died_at_ns: OnceLock<u64>,
}

impl Program {
    /// Starts the program and waits until the kernel says that a scheduler is enabled.
    ///
    /// # Errors
    /// When the kernel has no sched_ext, or the program cannot be run, ends, or enables nothing within
    /// `enable_timeout_ns`. It is gone then.
    pub(crate) fn start(
        path: &str,
        args: &[String],
        enable_timeout_ns: u64,
        log: LogArea,
        sysfs: &Path,
    ) -> Result<Self, Box<NotStarted>> {
        let Some(sched_ext) = SchedExt::find(sysfs) else {
            return Err(NotStarted::new(GuestFailure::NoSchedExt, SchedulerReport::default()));
        };
        let started_ns = monotonic_ns();
        let mut process = Process::start(path, args, log)
            .map_err(|error| NotStarted::setup(format!("cannot start the scheduler {path}: {error}")))?;
        let mut deadline_ns = started_ns.saturating_add(enable_timeout_ns);
        let mut window = Window { began_ns: started_ns, in_kernel_ns: 0 };
        loop {
            let now = monotonic_ns();
            if process.ends_before((now + ENABLE_POLL_NS).min(deadline_ns)) {
                let report = process.finish(DUMP_GRACE_NS);
                let failure = match report.exit {
                    Some(how) => GuestFailure::SchedulerExited(how),
                    None => GuestFailure::Setup("the scheduler ended, but not as a child of the test".into()),
                };
                return Err(NotStarted::new(failure, report));
            }
            let state = sched_ext.state();
            if state == "enabled" {
                let enabled_after_ns = monotonic_ns() - started_ns;
                let ops = sched_ext.ops();
                let died_at_ns = OnceLock::new();
                return Ok(Self { process, sched_ext, enabled_after_ns, ops, bpf: None, died_at_ns });
            }
            if now >= deadline_ns {
                let next = Window { began_ns: now, in_kernel_ns: process.child.in_kernel_ns() };
                if now < started_ns + VERIFIED_WITHIN_NS && next.is_busy_since(&window) {
                    (window, deadline_ns) = (next, now + MORE_TIME_NS);
                    continue;
                }
                let report = process.finish(0);
                return Err(NotStarted::new(GuestFailure::SchedulerNeverEnabled(state), report));
            }
        }
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.process.child.id()
    }

    /// Whether the program runs and the kernel says that the scheduler is enabled.
    pub(crate) fn alive(&self) -> bool {
        !self.dies_before(0)
    }

    /// Waits until `deadline_ns` of the monotonic clock (`false`), or until the scheduler has died (`true`).
    pub(crate) fn dies_before(&self, deadline_ns: u64) -> bool {
        while self.died_at_ns.get().is_none() {
            let now = monotonic_ns();
            let ended = self.process.ends_before((now + WATCH_POLL_NS).min(deadline_ns));
            if ended || !self.sched_ext.enabled() {
                self.died_at_ns.get_or_init(monotonic_ns);
                return true;
            }
            if now >= deadline_ns {
                return false;
            }
        }
        true
    }

    /// Stops it and says what became of it. If it has died, its program gets time to say why.
    pub(crate) fn stop(mut self) -> SchedulerReport {
        let died = !self.alive();
        let report = self.process.finish(if died { DUMP_GRACE_NS } else { 0 });
        SchedulerReport {
            enabled_after_ns: Some(self.enabled_after_ns),
            ops: self.ops.take(),
            bpf: self.bpf.take(),
            died_at_ns: self.died_at_ns.get().copied(),
            ..report
        }
    }
}

/// From when on it is looked at what a process does, and the time that it had spent in the kernel by then.
struct Window {
    began_ns: u64,
    in_kernel_ns: u64,
}

impl Window {
    /// Whether a process was in the kernel for most of the time between `earlier` and this.
    fn is_busy_since(&self, earlier: &Self) -> bool {
        let in_kernel = self.in_kernel_ns.saturating_sub(earlier.in_kernel_ns);
        in_kernel.saturating_mul(2) > self.began_ns.saturating_sub(earlier.began_ns)
    }
}

/// A scheduler's process and what it prints. Dropping it kills the process.
#[derive(Debug)]
struct Process {
    child: Child,
    end_event: OwnedFd,
    output: Output,
    ended: Option<Ended>,
}

impl Process {
    fn start(path: &str, args: &[String], mut log: LogArea) -> io::Result<Self> {
        let (reader, writer) = io::pipe()?;
        // A variable that says "you are the test" is not for the scheduler, which may be built with ktstr too.
        let child = Command::new(path)
            .args(args)
            .env_remove(GUEST_VARIABLE)
            .stdin(Stdio::null())
            .stdout(writer.try_clone()?)
            .stderr(writer)
            .spawn()?;
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidData)?;
        let child = Child::new(pid);
        let end_event = child.end_event().map_err(io::Error::other)?;
        let output = Output::copy(reader, "scheduler-output", move |bytes| log.append(bytes))?;
        Ok(Self { child, end_event, output, ended: None })
    }

    /// Waits for the end of the process until `deadline_ns` of the monotonic clock.
    fn ends_before(&self, deadline_ns: u64) -> bool {
        // A descriptor that cannot be waited for would otherwise make every wait a busy loop.
        readable_before(&self.end_event, deadline_ns).unwrap_or(true)
    }

    /// Waits `grace_ns` for the process, then interrupts it, then kills it.
    fn finish(&mut self, grace_ns: u64) -> SchedulerReport {
        let mut ignored_sigint = false;
        if !self.ends_before(monotonic_ns() + grace_ns) {
            self.child.signal(Signal::INT);
            if !self.ends_before(monotonic_ns() + STOP_GRACE_NS) {
                ignored_sigint = true;
                self.child.signal(Signal::KILL);
                self.ends_before(monotonic_ns() + KILL_GRACE_NS);
            }
        }
        self.ended = self.child.reap().unwrap_or(None);
        self.output.finish();
        SchedulerReport {
            pid: Some(self.child.id()),
            exit: self.ended.map(|ended| ended.how),
            ignored_sigint,
            ..SchedulerReport::default()
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.ended.is_none() {
            self.child.signal(Signal::KILL);
            drop(self.child.wait_until(monotonic_ns() + KILL_GRACE_NS));
        }
    }
}

#[cfg(test)]
mod tests;
