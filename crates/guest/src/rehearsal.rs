//! The rehearsal of a test: its body is called on the host, before any machine starts, to see the plan that it makes.
//!
//! A plan exists only once the body has made it, so there is no other way to see one without a machine. The body runs in
//! a forked process that may [compute and nothing else](confine): as soon as it wants anything of the kernel the
//! rehearsal is over, and so it is with the first plan that makes sense. Nothing can be said of such a test. A body that
//! comes back with a plan's error, though, would do so in the guest too.

use std::fs::OpenOptions;
use std::io;
use std::os::fd::AsRawFd as _;
use std::panic::{self, AssertUnwindSafe};

use ktstr_model::RunOrder;
use rustix::io::Errno;
use rustix::process::{Pid, Resource, Rlimit, WaitOptions, setrlimit, waitpid};

use crate::context::Ctx;
use crate::entry::TestEntry;
use crate::error::GuestError;
use crate::memory::SharedMemory;
use crate::topology::TestTopology;

mod confine;

/// CPU time that a body may take to make its plan. A body that works rather than plans costs so much before each run.
const CPU_US: libc::suseconds_t = 250_000;
/// Memory that it may take for that.
const MEMORY_BYTES: u64 = 1 << 30;
/// Time after which one is given up that waits for what never comes, such as a lock of another thread.
const WALL_S: u32 = 10;
/// Room for the words of an error; what is longer is cut.
const ROOM: usize = 4096;

/// What the body of a test says of a plan that makes no sense, in the words in which its guest would say it. `None` where
/// the plan makes sense, or where it cannot be seen without a machine.
pub fn refused_plan(entry: &TestEntry, order: &RunOrder) -> Option<String> {
    let words = SharedMemory::anonymous(ROOM).ok()?;
    // SAFETY: the child goes on in a copy of this thread, needs nothing of the others but the allocator, which libc makes
    // usable again, and never returns.
    match unsafe { libc::fork() } {
        -1 => None,
        0 => {
            if let Ok(ctx) = Ctx::with_topology(TestTopology::planned(&order.topology), order) {
                rehearse(entry, &ctx.rehearsing(order), &words);
            }
            end();
        }
        child => {
            let child = Pid::from_raw(child);
            while matches!(waitpid(child, WaitOptions::empty()), Err(Errno::INTR)) {}
            read(&words)
        }
    }
}

/// Ends a rehearsal: there is nothing more to be seen.
pub(crate) fn end() -> ! {
    // SAFETY: ends the process without the destructors and buffers of the one that it is a copy of.
    unsafe { libc::_exit(0) }
}

/// Calls the body in this process, which is good for nothing else afterwards, and writes down what it says of its plan.
fn rehearse(entry: &TestEntry, ctx: &Ctx, words: &SharedMemory) {
    if confine_all().is_err() {
        return;
    }
    let returned = panic::catch_unwind(AssertUnwindSafe(|| (entry.body)(ctx)));
    let Ok(Err(error)) = returned else { return };
    let of_plan = |cause: &(dyn std::error::Error + 'static)| {
        matches!(cause.downcast_ref(), Some(GuestError::Step { .. }))
    };
    if error.chain().any(of_plan) {
        write(words, &format!("{error:#}"));
    }
}

/// Takes from this process all but the means to compute, for a while.
fn confine_all() -> anyhow::Result<()> {
    silence()?;
    let limit = |most| Rlimit { current: Some(most), maximum: Some(most) };
    for (resource, most) in [(Resource::Data, MEMORY_BYTES), (Resource::Core, 0)] {
        setrlimit(resource, limit(most))?;
    }
    limit_cpu_time()?;
    // SAFETY: a number is all that the call takes. What it asks for ends the process.
    unsafe { libc::alarm(WALL_S) };
    panic::set_hook(Box::new(|_| ()));
    Ok(confine::confine()?)
}

/// SIGPROF ends this process once it has had its CPU time. A limit of the kernel's (RLIMIT_CPU) would know whole seconds only.
fn limit_cpu_time() -> io::Result<()> {
    let never_again = libc::timeval { tv_sec: 0, tv_usec: 0 };
    let timer =
        libc::itimerval { it_interval: never_again, it_value: libc::timeval { tv_sec: 0, tv_usec: CPU_US } };
    // SAFETY: the timer is valid, and what it was before is not asked for.
    match unsafe { libc::setitimer(libc::ITIMER_PROF, &raw const timer, std::ptr::null_mut()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// From now on what is printed leads nowhere, and there is nothing to be read.
fn silence() -> io::Result<()> {
    let nowhere = OpenOptions::new().read(true).write(true).open("/dev/null")?;
    for stream in 0..=2 {
        // SAFETY: two numbers are all that the call takes.
        unsafe { libc::dup2(nowhere.as_raw_fd(), stream) };
    }
    Ok(())
}

/// The words after their length, which is 0 where there are none.
fn write(memory: &SharedMemory, words: &str) {
    let len = words.len().min(ROOM - size_of::<u64>());
    let place = memory.address(size_of::<u64>(), len);
    // SAFETY: the place is valid for so many bytes, and is no part of `words`.
    unsafe { std::ptr::copy_nonoverlapping(words.as_ptr(), place, len) };
    memory.set_word(0, len as u64);
}

fn read(memory: &SharedMemory) -> Option<String> {
    let len = memory.word::<u64>(0) as usize;
    let place = memory.address(size_of::<u64>(), len);
    // SAFETY: the place is valid for so many bytes, which nobody writes any more.
    let words = unsafe { std::slice::from_raw_parts(place, len) };
    (len > 0).then(|| String::from_utf8_lossy(words).into_owned())
}

#[cfg(test)]
mod tests;
