//! `FutexFanOut`: one worker that wakes many at once through a futex.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::Members;
use crate::clock::monotonic_ns;
use crate::error::{GuestError, on_process};
use crate::worker::bench::Bench;
use crate::worker::futex;
use crate::worker::group::{Shared, Zeroable};
use crate::worker::work::{Trouble, Work};

/// What the group shares.
#[repr(C)]
struct Round {
    /// A futex: the number of the round.
    number: AtomicU32,
    /// A futex: how many have done their part of it.
    done: AtomicU32,
    woken_ns: AtomicU64,
}

// SAFETY: atomics only.
unsafe impl Zeroable for Round {}

struct Waker {
    round: Arc<Shared<Round>>,
    fan_out: usize,
    spin_iters: u64,
}

struct Woken {
    round: Arc<Shared<Round>>,
    fan_out: usize,
    spin_iters: u64,
    last: u32,
}

pub(super) fn members(fan_out: usize, spin_iters: u64) -> Result<Members, GuestError> {
    let round = Arc::new(Shared::<Round>::new(1).map_err(on_process("map memory for a group of workers"))?);
    let mut members: Members = vec![Box::new(Waker { round: Arc::clone(&round), fan_out, spin_iters })];
    for _ in 0..fan_out {
        members.push(Box::new(Woken { round: Arc::clone(&round), fan_out, spin_iters, last: 0 }));
    }
    Ok(members)
}

impl Work for Waker {
    fn step(&mut self, bench: &mut Bench<'_>) -> Result<(), Trouble> {
        let round = &self.round[0];
        bench.spin(self.spin_iters);
        round.done.store(0, Ordering::Relaxed);
        round.woken_ns.store(monotonic_ns(), Ordering::Relaxed);
        round.number.fetch_add(1, Ordering::Release);
        futex::wake(&round.number, self.fan_out)?;
        loop {
            let done = round.done.load(Ordering::Acquire);
            if done as usize >= self.fan_out || bench.stopped() {
                return Ok(());
            }
            futex::wait(&round.done, done)?;
        }
    }
}

impl Work for Woken {
    fn step(&mut self, bench: &mut Bench<'_>) -> Result<(), Trouble> {
        let round = &self.round[0];
        loop {
            let number = round.number.load(Ordering::Acquire);
            if number != self.last {
                self.last = number;
                break;
            }
            if bench.stopped() {
                return Ok(());
            }
            futex::wait(&round.number, number)?;
        }
        bench.woken(round.woken_ns.load(Ordering::Relaxed));
        bench.spin(self.spin_iters);
        // Each but the last only counts, so that the waker wakes once a round.
        if round.done.fetch_add(1, Ordering::AcqRel) as usize + 1 == self.fan_out {
            futex::wake(&round.done, 1)?;
        }
        Ok(())
    }
}
