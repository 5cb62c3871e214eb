//! `ForkExit`: forks a child that exits at once, and waits for it.

use rustix::io::Errno;
use rustix::process::{Pid, WaitOptions, waitpid};

use super::Members;
use crate::worker::bench::Bench;
use crate::worker::work::{Trouble, Work, last_errno, trouble};

struct ForkExit;

pub(super) fn members() -> Members {
    vec![Box::new(ForkExit)]
}

impl Work for ForkExit {
    fn step(&mut self, _: &mut Bench<'_>) -> Result<(), Trouble> {
        // SAFETY: the child does nothing but end.
        let child = match unsafe { libc::fork() } {
            // SAFETY: ends the child without the destructors and buffers of its parent.
            0 => unsafe { libc::_exit(0) },
            -1 => return Err(trouble("fork a child")(last_errno())),
            child => Pid::from_raw(child),
        };
        // Its child ends on its own, so it is waited for even when this worker is to stop.
        loop {
            match waitpid(child, WaitOptions::empty()) {
                Ok(_) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(trouble("wait for a child")(errno)),
            }
        }
    }
}
