//! `MutexContention`: workers that take turns at one lock.

use ktstr_model::FutexLockMode;

use super::Members;
use crate::error::GuestError;
use crate::worker::bench::Bench;
use crate::worker::lock::{Got, Lock};
use crate::worker::work::{Trouble, Work};

/// Holds a lock for a while, then works without it. Waiting for it is a wake latency, from its release on.
pub(super) struct Contender {
    pub lock: Lock,
    pub hold_iters: u64,
    pub work_iters: u64,
}

pub(super) fn members(contenders: usize, hold_iters: u64, work_iters: u64) -> Result<Members, GuestError> {
    let lock = Lock::new(FutexLockMode::Plain)?;
    let contender = || Contender { lock: lock.clone(), hold_iters, work_iters };
    Ok((0..contenders).map(|_| Box::new(contender()) as Box<dyn Work>).collect())
}

impl Work for Contender {
    fn step(&mut self, bench: &mut Bench<'_>) -> Result<(), Trouble> {
        match self.lock.take(|| bench.stopped())? {
            Got::AtOnce => {}
            Got::Released(released_ns) => bench.woken(released_ns),
            Got::Not => return Ok(()),
        }
        bench.spin(self.hold_iters);
        self.lock.release()?;
        bench.spin(self.work_iters);
        Ok(())
    }
}
