//! `SignalStorm`: two workers that send each other signals.

use std::cell::Cell;
use std::io::Write as _;
use std::mem;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::io::Errno;
use rustix::process::getpid;
use rustix::thread::gettid;

use super::Members;
use crate::error::{GuestError, on_process};
use crate::worker::bench::Bench;
use crate::worker::group::{Shared, Zeroable};
use crate::worker::work::{Trouble, Work, last_errno, trouble};

/// Not the signal that workers are stopped with.
const SIGNAL: libc::c_int = libc::SIGUSR1;

thread_local! {
    /// Signals that this thread has handled. It has no destructor and no lazy value, so a handler may use it.
    static HANDLED: Cell<u64> = const { Cell::new(0) };
}

extern "C" fn handle(_: libc::c_int) {
    HANDLED.set(HANDLED.get() + 1);
}

/// Where a worker is found; zero until it can take signals.
#[repr(C)]
struct Address {
    process: AtomicU32,
    thread: AtomicU32,
}

// SAFETY: atomics only.
unsafe impl Zeroable for Address {}

struct SignalStorm {
    addresses: Arc<Shared<Address>>,
    own: usize,
    signals_per_iter: u64,
    work_iters: u64,
}

pub(super) fn members(signals_per_iter: u64, work_iters: u64) -> Result<Members, GuestError> {
    let addresses = Shared::new(2).map_err(on_process("map memory for a group of workers"))?;
    let addresses = Arc::new(addresses);
    let member = |own| SignalStorm { addresses: Arc::clone(&addresses), own, signals_per_iter, work_iters };
    Ok((0..2).map(|own| Box::new(member(own)) as Box<dyn Work>).collect())
}

impl Work for SignalStorm {
    fn prepare(&mut self, _: &mut Bench<'_>) -> Result<(), Trouble> {
        take_signals()?;
        let own = &self.addresses[self.own];
        own.process.store(number(getpid()), Ordering::Relaxed);
        own.thread.store(number(gettid()), Ordering::Release);
        Ok(())
    }

    fn step(&mut self, bench: &mut Bench<'_>) -> Result<(), Trouble> {
        let other = &self.addresses[1 - self.own];
        let thread = other.thread.load(Ordering::Acquire);
        for _ in 0..self.signals_per_iter {
            if thread == 0 || bench.stopped() {
                break;
            }
            send(other.process.load(Ordering::Relaxed), thread)?;
        }
        bench.spin(self.work_iters);
        tell(bench);
        Ok(())
    }
}

fn number(id: rustix::process::Pid) -> u32 {
    id.as_raw_nonzero().get().unsigned_abs()
}

fn take_signals() -> Result<(), Trouble> {
    // SAFETY: an action of zeroes is a valid one.
    let mut action: libc::sigaction = unsafe { mem::zeroed() };
    action.sa_sigaction = handle as extern "C" fn(libc::c_int) as usize;
    // What else the worker calls is not to see the signals.
    action.sa_flags = libc::SA_RESTART;
    // SAFETY: the action is valid, and its handler does only what a handler may do.
    match unsafe { libc::sigaction(SIGNAL, &raw const action, ptr::null_mut()) } {
        0 => Ok(()),
        _ => Err(trouble("take signals")(last_errno())),
    }
}

fn send(process: u32, thread: u32) -> Result<(), Trouble> {
    // SAFETY: three numbers are all that the call takes.
    match unsafe { libc::syscall(libc::SYS_tgkill, process, thread, SIGNAL) } {
        0 => Ok(()),
        _ => match last_errno() {
            // The other has ended already.
            Errno::SRCH => Ok(()),
            errno => Err(trouble("send a signal")(errno)),
        },
    }
}

/// Says how many signals have arrived, which is fewer than were sent: the kernel keeps no more than one waiting.
fn tell(bench: &mut Bench<'_>) {
    let mut text = [0; 40];
    let mut rest = &mut text[..];
    // Long enough for every number.
    let _ = write!(rest, "handled {} signals", HANDLED.get());
    let unused = rest.len();
    let used = text.len() - unused;
    bench.remark(std::str::from_utf8(&text[..used]).unwrap_or_default());
}
