//! Forked workers, from the gate to the last one reaped.

use std::collections::VecDeque;
use std::ffi::CString;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use ktstr_model::{ExitHow, WorkerExit};
use rustix::process::{Pid, Signal, getpid, getppid, set_parent_process_death_signal};

use super::shared::{Control, Record, TeamMemory};
use crate::clock::monotonic_ns;
use crate::error::{GuestError, on_process};
use crate::process::Child;

/// How long workers may take to stop when told to, in nanoseconds of guest time.
pub(crate) const STOP_GRACE_NS: u64 = 5_000_000_000;
/// How long a killed worker may take to end. A task dies only when it gets a CPU, so a stalled scheduler holds this up
/// until the kernel's watchdog throws it out, after 30 s at the latest.
const KILL_GRACE_NS: u64 = 60_000_000_000;

/// Forked processes that wait at one gate and stop together.
pub(crate) struct Team {
    memory: TeamMemory,
    children: VecDeque<Child>,
    started: bool,
    stopped_ns: Option<u64>,
}

/// What is left of a worker.
pub(crate) struct Ended {
    /// Its process id.
    pub pid: u32,
    /// What it wrote.
    pub record: Box<Record>,
    /// How it ended.
    pub exit: WorkerExit,
    /// CPU time that it got while measuring, in nanoseconds. For lost workers: in all.
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
        let memory = TeamMemory::new(workers).map_err(on_process("map memory to share with workers"))?;
        Ok(Self { memory, children: VecDeque::with_capacity(workers), started: false, stopped_ns: None })
    }

    /// Forks the next worker. It waits at the gate, under `name` as its command (cut to 15 bytes) so that the kernel's
    /// messages about it can be understood, and then runs `work`, which must neither allocate nor lock. It is killed
    /// when the calling thread ends.
    ///
    /// # Errors
    /// When the kernel does not fork.
    pub(crate) fn fork(
        &mut self,
        name: &str,
        work: impl FnOnce(&Control, &mut Record),
    ) -> Result<Pid, GuestError> {
        let record = self.memory.record(self.children.len());
        let name = CString::new(name.replace('\0', "")).unwrap_or_default();
        let parent = getpid();
        // SAFETY: the child makes no use of anything that another thread of this process may have been changing: it
        // neither allocates nor locks, and leaves with `_exit`.
        match unsafe { libc::fork() } {
            0 => {
                let worked = catch_unwind(AssertUnwindSafe(|| {
                    let _ = set_parent_process_death_signal(Some(Signal::KILL));
                    if getppid() != Some(parent) {
                        return;
                    }
                    let _ = rustix::thread::set_name(&name);
                    let control = self.memory.control();
                    control.wait_at_gate();
                    // SAFETY: this process alone writes the record, and the parent reads it after this one's end.
                    let record = unsafe { &mut *record };
                    work(control, record);
                    record.finished = 1;
                }));
                // SAFETY: ends the child without the parent's destructors and buffers.
                unsafe { libc::_exit(if worked.is_ok() { 0 } else { 101 }) }
            }
            -1 => Err(on_process("fork a worker")(io::Error::last_os_error())),
            child => {
                let pid =
                    Pid::from_raw(child).ok_or_else(|| on_process("fork")(io::Error::other("pid 0")))?;
                self.children.push_back(Child::new(pid));
                Ok(pid)
            }
        }
    }

    /// Process ids of the workers that are not collected yet.
    pub(crate) fn pids(&self) -> impl Iterator<Item = u32> + '_ {
        self.children.iter().map(|child| child.id())
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
        self.started && !self.children.is_empty()
    }

    /// Tells the workers to stop; the first time counts.
    pub(crate) fn stop(&mut self) -> u64 {
        *self.stopped_ns.get_or_insert_with(|| {
            let now = monotonic_ns();
            self.memory.control().stop();
            now
        })
    }

    /// Stops the workers, waits for each, kills those that do not end, and says what became of them, in the order in
    /// which they were forked.
    ///
    /// # Errors
    /// When a worker cannot be waited for.
    pub(crate) fn collect(&mut self) -> Result<Vec<Ended>, GuestError> {
        let stopped_ns = self.stop();
        // Nobody is to wait at the gate for ever.
        self.start(0);
        let mut all = Vec::with_capacity(self.children.len());
        while let Some(child) = self.children.pop_front() {
            all.push(self.collect_one(all.len(), child, stopped_ns)?);
        }
        Ok(all)
    }

    fn collect_one(&self, index: usize, child: Child, stopped_ns: u64) -> Result<Ended, GuestError> {
        let in_time = child.wait_until(stopped_ns + STOP_GRACE_NS)?;
        let (end, hung_on_cpu) = match in_time {
            Some(end) => (Some(end), None),
            None => {
                let cpu = child.last_cpu();
                child.signal(Signal::KILL);
                (child.wait_until(monotonic_ns() + KILL_GRACE_NS)?, cpu)
            }
        };
        let mut record = self.memory.read(index);
        let exit = match in_time.map(|end| end.how) {
            None => WorkerExit::HungOnStop,
            Some(ExitHow::Code(0)) if record.finished == 1 => WorkerExit::Stopped,
            Some(how) => WorkerExit::Died(how),
        };
        let from_ns = self.memory.control().measure_from_ns();
        let progress = &mut record.progress;
        if progress.units() == 0 {
            // It may never have come as far as to begin.
            progress.begin(from_ns);
        }
        let lost_cpu_ns = end.map_or(0, |end| end.cpu_ns);
        let (until_ns, cpu_ns) = match exit {
            WorkerExit::Stopped => (stopped_ns, record.cpu_end_ns.saturating_sub(record.cpu_begin_ns)),
            WorkerExit::HungOnStop => (stopped_ns, lost_cpu_ns),
            WorkerExit::Died(_) => (progress.last_ns(), lost_cpu_ns),
        };
        progress.end(until_ns, hung_on_cpu.unwrap_or(record.end_cpu));
        let wall_ns = until_ns.saturating_sub(from_ns);
        Ok(Ended { pid: child.id(), record, exit, cpu_ns, wall_ns })
    }
}

impl Drop for Team {
    /// Leaves no worker behind.
    fn drop(&mut self) {
        self.children.iter().for_each(|child| child.signal(Signal::KILL));
        for child in &self.children {
            drop(child.wait_until(monotonic_ns() + KILL_GRACE_NS));
        }
    }
}

#[cfg(test)]
mod tests;
