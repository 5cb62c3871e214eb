//! Signals as something to wait for.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{AsFd, BorrowedFd, FromRawFd as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result};
use ktstr_vm::interrupt_waits;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// What asks us to end, and the terminal's change of size.
const CAUGHT: [i32; 5] = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT, libc::SIGWINCH];
/// How long a wait takes to notice that it is interrupted, and more: what lasts longer is no wait for a machine.
const PATIENCE: Duration = Duration::from_secs(3);
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };

/// The signals that this process hears of from now on, instead of being ended by them.
pub struct Signals(File);

impl Signals {
    /// Blocks the signals in this thread and those that it starts.
    pub fn catch() -> Result<Self> {
        // SAFETY: the set is initialised by the first call, and the descriptor is ours.
        let fd = unsafe {
            let mut set = std::mem::zeroed();
            libc::sigemptyset(&mut set);
            for signal in CAUGHT {
                libc::sigaddset(&mut set, signal);
            }
            libc::pthread_sigmask(libc::SIG_BLOCK, &set, std::ptr::null_mut());
            libc::signalfd(-1, &set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK)
        };
        if fd < 0 {
            return Err(io::Error::last_os_error()).context("signalfd");
        }
        // SAFETY: a descriptor that the kernel has just made.
        Ok(Self(unsafe { File::from_raw_fd(fd) }))
    }

    /// The next signal that has come.
    pub fn next(&self) -> Option<i32> {
        // `struct signalfd_siginfo`, which begins with the signal's number.
        let mut info = [0; size_of::<libc::signalfd_siginfo>()];
        matches!((&self.0).read(&mut info), Ok(1..)).then(|| i32::from(info[0]))
    }

    /// Until the result is told to end, a signal interrupts waits for machines, so that nothing is left behind; what does
    /// not heed that within seconds has nothing to leave, and this process ends.
    pub fn interrupt_waits(&self) -> Result<Watch> {
        let ended = Arc::new(AtomicBool::new(false));
        let (theirs, signals) = (ended.clone(), Self(self.0.try_clone().context("signalfd")?));
        std::thread::Builder::new()
            .name("ktstr-signals".into())
            .spawn(move || signals.watch(&theirs))
            .context("starting a thread")?;
        Ok(Watch(ended))
    }

    fn watch(&self, ended: &AtomicBool) {
        loop {
            let _ = poll(&mut [PollFd::new(self, PollFlags::IN)], Some(&LOOK));
            if ended.load(Ordering::Acquire) {
                return;
            }
            let Some(signal) = self.next().filter(|signal| *signal != libc::SIGWINCH) else { continue };
            interrupt_waits();
            std::thread::sleep(PATIENCE);
            std::process::exit(128 + signal);
        }
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Somebody looks for signals.
pub struct Watch(Arc<AtomicBool>);

impl Watch {
    /// Nobody does any more.
    pub fn end(self) {
        self.0.store(true, Ordering::Release);
    }
}
