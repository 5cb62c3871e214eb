//! Test processes that somebody at a shell in the guest starts, instead of the boot agent.
//!
//! Such a process does what every test process does. Its channel is not the host's but a file in memory, which whoever
//! started it reads.

use std::io;
use std::os::fd::{AsFd, AsRawFd as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use ktstr_model::{AssertResult, TestSpec};
use ktstr_wire::layout::{CHANNEL_FD, GUEST_VARIABLE, TEST_BINARY};
use rustix::io::{FdFlags, fcntl_setfd};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, kill_process_group, pidfd_open};

use crate::clock::monotonic_ns;
use crate::context::{Ctx, HoldEnd};
use crate::entry::TestEntry;
use crate::error::{GuestError, on_process};
use crate::process::readable_before;
use crate::scheduler::SchedExt;

/// How often the process that keeps a scheduler looks whether it is to end.
const LOOK: Duration = Duration::from_millis(100);
/// Longer than stopping a scheduler takes that heeds nothing and has stalled.
const END_WITHIN_NS: u64 = 90_000_000_000;
/// Longer than the kernel takes to disable a scheduler whose program is gone, and to bring all tasks back.
const DISABLED_WITHIN_NS: u64 = 30_000_000_000;

/// Keeps the scheduler in charge until this process is told to end by SIGTERM, also when the scheduler has died: the
/// report then says of what.
pub static KEEP_SCHEDULER: TestEntry =
    TestEntry::new(TestSpec::new(TestSpec::KEEP_SCHEDULER, "ktstr"), keep_scheduler);

static TOLD_TO_END: AtomicBool = AtomicBool::new(false);

extern "C" fn remember(_: libc::c_int) {
    TOLD_TO_END.store(true, Ordering::Relaxed);
}

fn remember_when(signal: libc::c_int) {
    let handler: extern "C" fn(libc::c_int) = remember;
    // SAFETY: the handler stores one word.
    unsafe { libc::signal(signal, handler as libc::sighandler_t) };
}

fn keep_scheduler(ctx: &Ctx) -> anyhow::Result<AssertResult> {
    remember_when(libc::SIGTERM);
    let mut died = false;
    while !TOLD_TO_END.load(Ordering::Relaxed) {
        if died {
            thread::sleep(LOOK);
        } else if ctx.hold(LOOK) == HoldEnd::SchedulerDied {
            died = true;
            eprintln!("ktstr: the scheduler is no longer in charge; `stop-scheduler` says why");
        }
    }
    Ok(AssertResult::pass())
}

/// From now on a Ctrl-C does not end this process; [`interrupted`] tells of it.
pub fn heed_interrupts() {
    remember_when(libc::SIGINT);
}

/// Whether somebody has typed Ctrl-C.
pub fn interrupted() -> bool {
    TOLD_TO_END.load(Ordering::Relaxed)
}

/// Waits until no BPF scheduler is in charge any more, and says whether that is so. The kernel disables one some time
/// after its program has ended.
pub fn wait_until_disabled() -> bool {
    let Some(sched_ext) = SchedExt::find(Path::new("/sys")) else { return true };
    let give_up_ns = monotonic_ns() + DISABLED_WITHIN_NS;
    while sched_ext.state() != "disabled" {
        if monotonic_ns() > give_up_ns {
            return false;
        }
        thread::sleep(LOOK);
    }
    true
}

/// Starts a test process as the boot agent starts one, with the channel in `channel`. Its output goes where this process's
/// goes. One in the background is the leader of a process group of its own, which Ctrl-C does not reach.
///
/// # Errors
/// When it cannot be started.
pub fn start_test_process(channel: impl AsFd, in_background: bool) -> io::Result<Child> {
    let channel = channel.as_fd().as_raw_fd();
    let mut command = Command::new(TEST_BINARY);
    // The environment is the agent's.
    command.env_clear().env(GUEST_VARIABLE, "0").env("HOME", "/root").env("RUST_BACKTRACE", "1");
    command.env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    command.current_dir("/").stdin(Stdio::null());
    if in_background {
        command.process_group(0);
    }
    // SAFETY: system calls only; the descriptor stays open until the process has been started.
    unsafe { command.pre_exec(move || pass_on(channel)) };
    command.spawn()
}

/// In the new process: makes a descriptor the one that a channel is expected on.
fn pass_on(channel: i32) -> io::Result<()> {
    if channel == CHANNEL_FD {
        // SAFETY: as in `start_test_process`.
        let channel = unsafe { std::os::fd::BorrowedFd::borrow_raw(channel) };
        return Ok(fcntl_setfd(channel, FdFlags::empty())?);
    }
    // SAFETY: nobody in this copy of the process knows of the number that is taken.
    match unsafe { libc::dup2(channel, CHANNEL_FD) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// Sends `signal` to a process that was started in the background, waits until it has ended, and kills what it left in
/// its process group.
///
/// # Errors
/// When there is no such process, or it does not end.
pub fn end_background(pid: u32, signal: EndBy) -> Result<(), GuestError> {
    let none = || on_process("find a process")(io::Error::from(io::ErrorKind::NotFound));
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or_else(none)?;
    let end = pidfd_open(pid, PidfdFlags::empty()).map_err(on_process("open a pidfd"))?;
    match signal {
        EndBy::Request => kill_process(pid, Signal::TERM),
        EndBy::Interrupt => kill_process_group(pid, Signal::INT),
    }
    .map_err(on_process("signal a process"))?;
    let ended = readable_before(&end, monotonic_ns() + END_WITHIN_NS)?;
    // The group may be gone, which is as it should be.
    let _ = kill_process_group(pid, Signal::KILL);
    if ended { Ok(()) } else { Err(on_process("end a process")(io::Error::from(io::ErrorKind::TimedOut))) }
}

/// How a process in the background is told to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndBy {
    /// Asked: it stops its scheduler and reports.
    Request,
    /// With all that it has started, and without a report.
    Interrupt,
}
