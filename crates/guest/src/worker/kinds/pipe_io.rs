//! `PipeIo`: two workers that compute, pass a message through a pipe and wait for the answer.

use std::os::fd::OwnedFd;

use rustix::pipe::{PipeFlags, pipe_with};

use super::Members;
use crate::clock::monotonic_ns;
use crate::error::{GuestError, on_process};
use crate::worker::bench::Bench;
use crate::worker::work::{Trouble, Work, trouble, unless_interrupted};

struct PipeIo {
    burst_iters: u64,
    from_other: OwnedFd,
    to_other: OwnedFd,
    /// Whether it is this one's turn to write.
    holds_message: bool,
}

pub(super) fn members(burst_iters: u64) -> Result<Members, GuestError> {
    let pipe = || pipe_with(PipeFlags::CLOEXEC).map_err(on_process("make a pipe for workers"));
    let ((read_a, write_a), (read_b, write_b)) = (pipe()?, pipe()?);
    let first = PipeIo { burst_iters, from_other: read_b, to_other: write_a, holds_message: true };
    let second = PipeIo { burst_iters, from_other: read_a, to_other: write_b, holds_message: false };
    Ok(vec![Box::new(first), Box::new(second)])
}

impl Work for PipeIo {
    fn step(&mut self, bench: &mut Bench<'_>) -> Result<(), Trouble> {
        if self.holds_message {
            bench.spin(self.burst_iters);
            // The message is when it was sent.
            let message = monotonic_ns().to_ne_bytes();
            let sent = unless_interrupted(rustix::io::write(&self.to_other, &message));
            self.holds_message = sent.map_err(trouble("write to a pipe"))?.is_none();
            return Ok(());
        }
        let mut message = [0; 8];
        let got = unless_interrupted(rustix::io::read(&self.from_other, &mut message));
        if got.map_err(trouble("read from a pipe"))? == Some(message.len()) {
            bench.woken(u64::from_ne_bytes(message));
            self.holds_message = true;
        }
        Ok(())
    }
}
