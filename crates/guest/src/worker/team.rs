//! Forked workers, from the gate to the last one reaped.

use std::collections::VecDeque;
use std::ffi::CString;
use std::io;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use ktstr_model::WorkerExit;
use rustix::process::{Pid, Signal, getpid, getppid, set_parent_process_death_signal};

use super::member::Member;
use super::shared::{Control, Record, TeamMemory, finished};
use crate::clock::monotonic_ns;
use crate::error::{GuestError, on_process};
use crate::process::{Child, Ended as ChildEnded};

/// How long workers may take to stop when told to, in nanoseconds of guest time. Each may be in the middle of a step, and a
/// thousand of them need some 6 s of 8 CPUs that take turns to end theirs.
pub(crate) const STOP_GRACE_NS: u64 = 10_000_000_000;
/// How long a killed worker may take to end. A task dies only when it gets a CPU, so a stalled scheduler holds this up
/// until the kernel's watchdog throws it out, after 30 s at the latest.
const KILL_GRACE_NS: u64 = 60_000_000_000;
/// How often a worker that may be blocked is reminded to stop. One reminder is not enough: it may come just before the
/// call that blocks.
const REMINDER_NS: u64 = 20_000_000;
/// The reminder: it only interrupts.
const STOP_SIGNAL: libc::c_int = libc::SIGUSR2;
/// Stack of a worker that is a thread.
const STACK: usize = 256 << 10;

/// Processes of workers that wait at one gate and stop together.
pub(crate) struct Team {
    memory: TeamMemory,
    processes: VecDeque<Process>,
    enrolled: usize,
    started: bool,
    stopped_ns: Option<u64>,
}

/// A process of one worker, or of several that are its threads.
struct Process {
    child: Child,
    members: Range<usize>,
}

/// What is left of a worker.
pub(crate) struct Ended {
    /// Its thread id; 0 when it never came so far as to have one.
    pub tid: u32,
    /// What it wrote.
    pub record: Box<Record>,
    /// How it ended.
    pub exit: WorkerExit,
    /// CPU time that it got while measuring, in nanoseconds. For lost workers: that of their process in all.
    pub cpu_ns: u64,
    /// Wall time from the beginning of measuring to the stop, or for dead workers to the last checkpoint.
    pub wall_ns: u64,
}

impl Team {
    /// A team that will have `workers` workers; none is forked yet.
    ///
    /// # Errors
    /// When there is no memory to share.
    pub(crate) fn new(workers: usize) -> Result<Self, GuestError> {
        heed_reminders();
        let memory = TeamMemory::new(workers).map_err(on_process("map memory to share with workers"))?;
        Ok(Self { memory, processes: VecDeque::new(), enrolled: 0, started: false, stopped_ns: None })
    }

    /// Forks the next worker, or for more than one member a process named `process` whose threads they are. They wait
    /// at the gate, under their names as commands (cut to 15 bytes) so that the kernel's messages about them can be
    /// understood. They are killed when the calling thread ends.
    ///
    /// # Errors
    /// When the kernel does not fork.
    pub(crate) fn fork(&mut self, process: &str, members: Vec<Member>) -> Result<Pid, GuestError> {
        let range = self.enrolled..self.enrolled + members.len();
        let records: Vec<Place> = range.clone().map(|index| Place(self.memory.record(index))).collect();
        let name = command(process);
        let parent = getpid();
        // SAFETY: libc prepares its own locks for the child, which uses no others that a thread of this process may
        // hold, and leaves with `_exit`.
        match unsafe { libc::fork() } {
            0 => {
                let control = self.memory.control();
                let lived = catch_unwind(AssertUnwindSafe(|| {
                    let _ = set_parent_process_death_signal(Some(Signal::KILL));
                    getppid() == Some(parent) && live(&name, control, members, records)
                }));
                // SAFETY: ends the child without the parent's destructors and buffers.
                unsafe { libc::_exit(if matches!(lived, Ok(true)) { 0 } else { 101 }) }
            }
            -1 => Err(on_process("fork a worker")(io::Error::last_os_error())),
            child => {
                let pid =
                    Pid::from_raw(child).ok_or_else(|| on_process("fork")(io::Error::other("pid 0")))?;
                self.enrolled = range.end;
                self.processes.push_back(Process { child: Child::new(pid), members: range });
                Ok(pid)
            }
        }
    }

    /// Process ids of the workers that are not collected yet, or of the processes whose threads they are.
    pub(crate) fn pids(&self) -> impl Iterator<Item = u32> + '_ {
        self.processes.iter().map(|process| process.child.id())
    }

    /// Thread ids of the workers that are not collected yet, each with its worker's place in the team; those that have none
    /// yet are left out.
    pub(crate) fn tids(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        let members = self.processes.iter().flat_map(|process| process.members.clone());
        members.map(|index| (index as u32, self.memory.state(index).0)).filter(|(_, tid)| *tid != 0)
    }

    /// Says that all workers are in their cgroup, so that they prepare themselves.
    pub(crate) fn placed(&mut self) {
        self.memory.close_to_forks();
        self.memory.control().placed(self.enrolled as u32);
    }

    /// Waits for `ns` nanoseconds at most until all workers are prepared; whether they are.
    pub(crate) fn wait_until_ready(&self, ns: u64) -> bool {
        self.memory.control().wait_until_ready(ns)
    }

    /// Opens the gate. What workers do in the next `settle_ns` nanoseconds does not count.
    pub(crate) fn start(&mut self, settle_ns: u64) {
        if !self.started {
            self.started = true;
            self.memory.control().open_gate(monotonic_ns().saturating_add(settle_ns));
        }
    }

    /// Whether there are workers that were let go and not collected.
    pub(crate) fn at_work(&self) -> bool {
        self.started && !self.processes.is_empty()
    }

    /// Tells the workers to stop; the first time counts.
    pub(crate) fn stop(&mut self) -> u64 {
        if let Some(stopped_ns) = self.stopped_ns {
            return stopped_ns;
        }
        let now = monotonic_ns();
        self.stopped_ns = Some(now);
        self.memory.control().stop();
        self.remind();
        now
    }

    /// Interrupts whatever workers that have not ended are blocked in.
    fn remind(&self) {
        self.processes.iter().for_each(|process| self.remind_members(process));
    }

    fn remind_members(&self, process: &Process) {
        for index in process.members.clone() {
            if let (tid @ 1.., false) = self.memory.state(index) {
                // The process is not reaped, so its id is nobody else's; a thread that has ended is no error.
                // SAFETY: three numbers are all that the call takes.
                unsafe { libc::syscall(libc::SYS_tgkill, process.child.id(), tid, STOP_SIGNAL) };
            }
        }
    }

    /// Stops the workers, waits for each, kills those that do not end, and says what became of them, in the order in
    /// which they were forked.
    ///
    /// # Errors
    /// When a worker cannot be waited for.
    pub(crate) fn collect(&mut self) -> Result<Vec<Ended>, GuestError> {
        let stopped_ns = self.stop();
        // Nobody is to wait at the gate for ever.
        self.placed();
        self.start(0);
        let mut all = Vec::with_capacity(self.enrolled);
        while let Some(process) = self.processes.pop_front() {
            self.collect_one(&process, stopped_ns, &mut all)?;
        }
        Ok(all)
    }

    fn collect_one(
        &self,
        process: &Process,
        stopped_ns: u64,
        all: &mut Vec<Ended>,
    ) -> Result<(), GuestError> {
        let in_time = self.wait_with_reminders(process, stopped_ns + STOP_GRACE_NS)?;
        let mut hung_on = Vec::new();
        let end = match in_time {
            Some(end) => Some(end),
            None => {
                let tids = process.members.clone().map(|index| self.memory.state(index).0);
                hung_on.extend(tids.map(|tid| process.child.last_cpu_of(tid)));
                process.child.signal(Signal::KILL);
                process.child.wait_until(monotonic_ns() + KILL_GRACE_NS)?
            }
        };
        for (place, index) in process.members.clone().enumerate() {
            let hung_on_cpu = hung_on.get(place).copied().flatten();
            all.push(self.ended(index, in_time, end, hung_on_cpu, stopped_ns));
        }
        Ok(())
    }

    fn wait_with_reminders(
        &self,
        process: &Process,
        deadline_ns: u64,
    ) -> Result<Option<ChildEnded>, GuestError> {
        loop {
            let slice_ns = deadline_ns.min(monotonic_ns() + REMINDER_NS);
            let ended = process.child.wait_until(slice_ns)?;
            if ended.is_some() || slice_ns == deadline_ns {
                return Ok(ended);
            }
            self.remind_members(process);
        }
    }

    fn ended(
        &self,
        index: usize,
        in_time: Option<ChildEnded>,
        end: Option<ChildEnded>,
        hung_on_cpu: Option<u32>,
        stopped_ns: u64,
    ) -> Ended {
        let mut record = self.memory.read(index);
        let exit = match (record.finished, in_time) {
            (finished::STOPPED, _) => WorkerExit::Stopped,
            (finished::FAILED, _) => WorkerExit::Failed(record.trouble.get().unwrap_or_default()),
            (_, None) => WorkerExit::HungOnStop,
            (_, Some(end)) => WorkerExit::Died(end.how),
        };
        let from_ns = self.memory.control().measure_from_ns();
        let progress = &mut record.progress;
        if progress.units() == 0 {
            // It may never have come as far as to begin.
            progress.begin(from_ns);
        }
        let lost_cpu_ns = end.map_or(0, |end| end.cpu_ns);
        let measured_cpu_ns = record.cpu_end_ns.saturating_sub(record.cpu_begin_ns);
        let (until_ns, cpu_ns) = match exit {
            WorkerExit::Stopped => (stopped_ns, measured_cpu_ns),
            WorkerExit::HungOnStop => (stopped_ns, lost_cpu_ns),
            WorkerExit::Failed(_) => (progress.last_ns(), measured_cpu_ns),
            WorkerExit::Died(_) => (progress.last_ns(), lost_cpu_ns),
        };
        progress.end(until_ns, hung_on_cpu.unwrap_or(record.end_cpu));
        let wall_ns = until_ns.saturating_sub(from_ns);
        Ended { tid: record.tid, record, exit, cpu_ns, wall_ns }
    }
}

impl Drop for Team {
    /// Leaves no worker behind.
    fn drop(&mut self) {
        self.processes.iter().for_each(|process| process.child.signal(Signal::KILL));
        for process in &self.processes {
            drop(process.child.wait_until(monotonic_ns() + KILL_GRACE_NS));
        }
    }
}

/// Where a worker writes.
struct Place(*mut Record);

// SAFETY: the memory belongs to the process, and only the worker that this is given to uses it.
unsafe impl Send for Place {}

/// In the forked process: lives the lives of its members. Whether all came to their end by themselves.
fn live(name: &CString, control: &Control, mut members: Vec<Member>, mut records: Vec<Place>) -> bool {
    if members.len() == 1
        && let (Some(member), Some(place)) = (members.pop(), records.pop())
    {
        // SAFETY: this process alone writes the record, and the parent reads it after this one's end.
        member.live(control, unsafe { &mut *place.0 });
        return true;
    }
    let _ = rustix::thread::set_name(name);
    thread::scope(|scope| {
        let spawn = |(member, place): (Member, Place)| {
            let builder = thread::Builder::new().stack_size(STACK);
            builder.spawn_scoped(scope, move || {
                let place = place;
                // SAFETY: this thread alone writes the record, and the parent reads it after the process' end.
                member.live(control, unsafe { &mut *place.0 });
            })
        };
        let threads: Vec<_> = members.into_iter().zip(records).map(spawn).collect();
        threads
            .into_iter()
            .map(|thread| thread.is_ok_and(|thread| thread.join().is_ok()))
            .fold(true, |a, b| a & b)
    })
}

/// A text as the name of a thread.
pub(crate) fn command(name: &str) -> CString {
    CString::new(name.replace('\0', "")).unwrap_or_default()
}

/// Makes the reminder interrupt system calls and do nothing else, here and in everything that is forked.
fn heed_reminders() {
    extern "C" fn nothing(_: libc::c_int) {}
    // SAFETY: all zeroes is a valid `sigaction`; the handler does nothing. Without SA_RESTART calls end with EINTR.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = nothing as extern "C" fn(libc::c_int) as libc::sighandler_t;
        libc::sigaction(STOP_SIGNAL, &raw const action, std::ptr::null_mut());
    }
}

#[cfg(test)]
mod tests;
