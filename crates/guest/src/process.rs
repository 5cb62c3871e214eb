//! Waiting for processes to end, by events and with deadlines on the guest's clock.

use std::os::fd::{AsFd, OwnedFd};

use ktstr_model::ExitHow;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};

use crate::clock::monotonic_ns;
use crate::error::{GuestError, on_process};

/// A child of this process that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub how: ExitHow,
    /// CPU time that it had in all, in nanoseconds.
    pub cpu_ns: u64,
}

/// A child of this process that is to be reaped here and nowhere else.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Child(Pid);

impl Child {
    /// The child with this process id.
    pub(crate) fn new(pid: Pid) -> Self {
        Self(pid)
    }

    /// Its process id.
    pub(crate) fn id(self) -> u32 {
        self.0.as_raw_nonzero().get().unsigned_abs()
    }

    /// A descriptor that becomes readable when the child ends.
    ///
    /// # Errors
    /// When this process has no descriptor left.
    pub(crate) fn end_event(self) -> Result<OwnedFd, GuestError> {
        pidfd_open(self.0, PidfdFlags::empty()).map_err(on_process("open a pidfd"))
    }

    /// Sends a signal. A child that has ended already is no error.
    pub(crate) fn signal(self, signal: Signal) {
        // The child is not reaped yet, so its pid is nobody else's; the only other error is a lack of rights, which a
        // parent that is root does not have.
        let _ = kill_process(self.0, signal);
    }

    /// Waits until the child has ended, at the latest until `deadline_ns` of the monotonic clock.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub(crate) fn wait_until(self, deadline_ns: u64) -> Result<Option<Ended>, GuestError> {
        if let Some(ended) = self.reap()? {
            return Ok(Some(ended));
        }
        let event = self.end_event()?;
        if readable_before(&event, deadline_ns)? { self.reap() } else { Ok(None) }
    }

    /// Takes the child's end, if it has ended.
    ///
    /// # Errors
    /// When it is not, or no longer, a child of this process.
    pub(crate) fn reap(self) -> Result<Option<Ended>, GuestError> {
        let pid = self.0.as_raw_nonzero().get();
        let mut status = 0;
        // SAFETY: all zeroes is a valid `rusage`.
        let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
        // SAFETY: both places are valid for writing.
        match unsafe { libc::wait4(pid, &mut status, libc::WNOHANG, &mut usage) } {
            0 => return Ok(None),
            reaped if reaped == pid => {}
            _ => return Err(on_process("wait for a child process")(std::io::Error::last_os_error())),
        }
        let how = if libc::WIFEXITED(status) {
            ExitHow::Code(libc::WEXITSTATUS(status))
        } else {
            ExitHow::Signal(libc::WTERMSIG(status))
        };
        let ns = |time: libc::timeval| (time.tv_sec as u64 * 1_000_000 + time.tv_usec as u64) * 1_000;
        Ok(Some(Ended { how, cpu_ns: ns(usage.ru_utime) + ns(usage.ru_stime) }))
    }

    /// The CPU that its thread `tid` ran on last, by the kernel's account; `None` once it is reaped.
    pub(crate) fn last_cpu_of(self, tid: u32) -> Option<u32> {
        stat_field(&format!("/proc/{}/task/{tid}/stat", self.id()), 39)
    }

    /// CPU time that all its threads have spent in the kernel, in nanoseconds; 0 once it is reaped.
    pub(crate) fn in_kernel_ns(self) -> u64 {
        let ticks: Option<u64> = stat_field(&format!("/proc/{}/stat", self.id()), 15);
        // User space always sees 100 ticks a second (USER_HZ).
        ticks.unwrap_or(0) * 10_000_000
    }
}

/// A field of a `stat` file of proc(5), numbered as there; none before the third.
fn stat_field<T: std::str::FromStr>(path: &str, number: usize) -> Option<T> {
    let stat = std::fs::read_to_string(path).ok()?;
    // The second field is the command in parentheses and may hold anything.
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(number.checked_sub(3)?)?.parse().ok()
}

/// Sleeps until `fd` is readable (`true`) or until `deadline_ns` of the monotonic clock.
///
/// # Errors
/// When the kernel cannot wait for it.
pub(crate) fn readable_before(fd: impl AsFd, deadline_ns: u64) -> Result<bool, GuestError> {
    wait_for(fd, PollFlags::IN, deadline_ns)
}

/// Sleeps until one of `events` is seen on `fd` (`true`) or until `deadline_ns` of the monotonic clock.
///
/// # Errors
/// When the kernel cannot wait for it.
pub(crate) fn wait_for(fd: impl AsFd, events: PollFlags, deadline_ns: u64) -> Result<bool, GuestError> {
    loop {
        let left = deadline_ns.saturating_sub(monotonic_ns());
        let timeout =
            Timespec { tv_sec: (left / 1_000_000_000) as i64, tv_nsec: (left % 1_000_000_000) as i64 };
        match poll(&mut [PollFd::new(&fd, events)], Some(&timeout)) {
            Ok(0) if left == 0 => return Ok(false),
            // A timeout ends on the clock's next tick at the earliest, but look at the clock again all the same.
            Ok(0) | Err(rustix::io::Errno::INTR) => {}
            Ok(_) => return Ok(true),
            Err(errno) => return Err(on_process("wait for an event")(errno)),
        }
    }
}
