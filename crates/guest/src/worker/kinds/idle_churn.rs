//! `IdleChurn`: computes and sleeps for short times, so that its CPU enters and leaves idle often.

use std::time::Duration;

use super::Members;
use crate::worker::bench::Bench;
use crate::worker::parts::{Sleep, SpinFor, Then};
use crate::worker::work::{Trouble, Work, last_errno, trouble};

/// The least that the kernel takes: 0 would mean the slack that the worker began with.
const LEAST_SLACK_NS: libc::c_ulong = 1;

struct IdleChurn {
    precise_timing: bool,
    work: Then<SpinFor, Sleep>,
}

pub(super) fn members(burst: Duration, sleep: Duration, precise_timing: bool) -> Members {
    vec![Box::new(IdleChurn { precise_timing, work: Then(SpinFor(burst), Sleep(sleep)) })]
}

impl Work for IdleChurn {
    fn prepare(&mut self, _: &mut Bench<'_>) -> Result<(), Trouble> {
        // SAFETY: two numbers are all that the call takes. It is about the calling thread.
        match self.precise_timing && unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, LEAST_SLACK_NS) } != 0 {
            true => Err(trouble("set the slack of its timers")(last_errno())),
            false => Ok(()),
        }
    }

    fn step(&mut self, bench: &mut Bench<'_>) -> Result<(), Trouble> {
        self.work.step(bench)
    }
}
