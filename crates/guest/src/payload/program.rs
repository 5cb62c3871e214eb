//! A payload's program while it runs.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use ktstr_checks::ProgramOutput;
use ktstr_model::{Payload, PayloadEnd, PayloadReport};
use ktstr_wire::layout::GUEST_VARIABLE;
use rustix::process::{Pid, Signal, setsid};

use super::capture::Capture;
use super::session;
use crate::cgroup::{Cgroup, limit_hits};
use crate::clock::monotonic_ns;
use crate::context::ProgramHere;
use crate::error::GuestError;
use crate::process::{Child, readable_before};

/// How long a program may take to heed SIGTERM. Many print their figures then.
const STOP_GRACE_NS: u64 = 1_000_000_000;
/// How long a killed program may take to end. It needs a CPU for that, which a stalled scheduler does not give it before
/// the kernel's watchdog has thrown it out, after 30 s at the latest.
const KILL_GRACE_NS: u64 = 60_000_000_000;
/// Last lines of each output that a report has, and their bytes.
const LAST_LINES: usize = 10;
const LINE_BYTES: usize = 200;

/// A payload's program. Dropping it kills it.
#[derive(Debug)]
pub(super) struct Program {
    child: Child,
    end_event: OwnedFd,
    outputs: [Capture; 2],
    report: PayloadReport,
    cgroup: Option<PathBuf>,
    stopped_at_ns: Option<u64>,
    reaped: bool,
}

impl Program {
    /// Starts the program, in `cgroup` when there is one, in a session of its own.
    pub(super) fn start(
        payload: &Payload,
        program: &ProgramHere,
        more_args: &[String],
        cgroup: Option<&Cgroup>,
    ) -> Result<Self, GuestError> {
        let args: Vec<String> =
            payload.args.iter().map(|arg| (*arg).to_owned()).chain(more_args.iter().cloned()).collect();
        let began_ns = monotonic_ns();
        let started = launch(program.path, &args, cgroup).map_err(|source| GuestError::PayloadStart {
            payload: payload.name.to_owned(),
            path: program.path.to_owned(),
            source,
        })?;
        let (child, outputs) = started;
        let end_event = child.end_event()?;
        let report = PayloadReport {
            payload: payload.name.to_owned(),
            primary: program.primary,
            cgroup: cgroup.map_or_else(String::new, |cgroup| cgroup.name().to_owned()),
            args,
            pid: child.id(),
            began_ns,
            ended_ns: began_ns,
            cpu_ns: 0,
            end: PayloadEnd::Unkillable,
            last_lines: Vec::new(),
        };
        let cgroup = cgroup.map(|cgroup| cgroup.path().to_owned());
        Ok(Self { child, end_event, outputs, report, cgroup, stopped_at_ns: None, reaped: false })
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its end until `deadline_ns` of the monotonic clock.
    pub(super) fn ends_before(&self, deadline_ns: u64) -> bool {
        // A descriptor that cannot be waited for would otherwise make every wait a busy loop.
        readable_before(&self.end_event, deadline_ns).unwrap_or(true)
    }

    /// Asks it to end, unless it has ended.
    pub(super) fn ask_to_end(&mut self) {
        if self.stopped_at_ns.is_none() && !self.ends_before(0) {
            self.stopped_at_ns = Some(monotonic_ns());
            self.child.signal(Signal::TERM);
        }
    }

    /// Waits for the end of one that was asked to end, kills what is left of it, and takes its output.
    pub(super) fn finish(mut self) -> Result<(PayloadReport, ProgramOutput), GuestError> {
        self.ask_to_end();
        if let Some(stopped_at_ns) = self.stopped_at_ns {
            self.ends_before(stopped_at_ns + STOP_GRACE_NS);
        }
        let ended = self.end()?;
        let [stdout, stderr] = self.outputs.each_ref().map(Capture::finish);
        let output = ProgramOutput { stdout, stderr };
        let mut report = self.report.clone();
        report.ended_ns = monotonic_ns();
        if let Some(ended) = ended {
            report.cpu_ns = ended.cpu_ns;
            report.end = match self.stopped_at_ns {
                Some(_) => PayloadEnd::Stopped(ended.how),
                None => PayloadEnd::Ended(ended.how),
            };
        }
        report.last_lines = last_lines(&output.stdout);
        report.last_lines.extend(last_lines(&output.stderr));
        let hits = self.cgroup.as_deref().map(limit_hits).unwrap_or_default();
        report.last_lines.extend(hits.into_iter().map(|hit| format!("[{hit}]")));
        Ok((report, output))
    }

    /// Kills what is left of its session and reaps it. While it is not reaped its process id, and so its session's, is
    /// nobody else's.
    fn end(&mut self) -> Result<Option<crate::process::Ended>, GuestError> {
        let deadline_ns = monotonic_ns() + KILL_GRACE_NS;
        session::kill(self.child.id(), deadline_ns);
        let ended = self.child.wait_until(deadline_ns)?;
        self.reaped = true;
        Ok(ended)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if !self.reaped {
            drop(self.end());
        }
    }
}

fn launch(path: &str, args: &[String], cgroup: Option<&Cgroup>) -> io::Result<(Child, [Capture; 2])> {
    let (out_reader, stdout) = io::pipe()?;
    let (err_reader, stderr) = io::pipe()?;
    let procs = match cgroup {
        Some(cgroup) => Some(File::options().write(true).open(cgroup.path().join("cgroup.procs"))?),
        None => None,
    };
    let mut command = Command::new(path);
    // A variable that says "you are the test" is not for other programs, which may be built with ktstr too.
    command.args(args).env_remove(GUEST_VARIABLE).current_dir("/tmp").stdin(Stdio::null());
    command.stdout(stdout).stderr(stderr);
    // SAFETY: the closure makes system calls only, which are all async-signal-safe.
    unsafe {
        command.pre_exec(move || {
            setsid()?;
            // "0" is whoever writes it.
            procs.as_ref().map_or(Ok(()), |mut procs| procs.write_all(b"0"))
        });
    }
    let child = command.spawn()?;
    // It has the writing ends of the pipes.
    drop(command);
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidData)?;
    Ok((Child::new(pid), [Capture::of(out_reader)?, Capture::of(err_reader)?]))
}

fn last_lines(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = &lines[lines.len().saturating_sub(LAST_LINES)..];
    last.iter().map(|line| shortened(line)).collect()
}

fn shortened(line: &str) -> String {
    match line.char_indices().find(|(at, letter)| at + letter.len_utf8() > LINE_BYTES) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests;
