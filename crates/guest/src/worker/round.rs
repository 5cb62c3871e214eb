//! Rounds: one worker wakes many at once, and waits until all have done their part.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::bench::Bench;
use super::futex;
use super::group::{Shared, Zeroable};
use super::kinds::Members;
use super::work::{Trouble, Work};
use crate::clock::monotonic_ns;
use crate::error::{GuestError, on_process};

/// A group of one waker and `woken` others. A step is one round: the waker does its work, then wakes the others, which do
/// theirs.
///
/// # Errors
/// When there is no memory for them to share.
pub(crate) fn group<W: Work + 'static>(
    woken: usize,
    waker_work: impl Work + 'static,
    mut woken_work: impl FnMut() -> W,
) -> Result<Members, GuestError> {
    let round = Arc::new(Shared::<Round>::new(1).map_err(on_process("map memory for a group of workers"))?);
    let mut members: Members = vec![Box::new(Waker { round: Arc::clone(&round), woken, work: waker_work })];
    for _ in 0..woken {
        members.push(Box::new(Woken { round: Arc::clone(&round), woken, work: woken_work(), last: 0 }));
    }
    Ok(members)
}

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

struct Waker<W> {
    round: Arc<Shared<Round>>,
    woken: usize,
    work: W,
}

struct Woken<W> {
    round: Arc<Shared<Round>>,
    woken: usize,
    work: W,
    last: u32,
}

impl<W: Work> Work for Waker<W> {
    fn prepare(&mut self, bench: &mut Bench<'_>) -> Result<(), Trouble> {
        self.work.prepare(bench)
    }

    fn step(&mut self, bench: &mut Bench<'_>) -> Result<(), Trouble> {
        self.work.step(bench)?;
        let round = &self.round[0];
        round.done.store(0, Ordering::Relaxed);
        round.woken_ns.store(monotonic_ns(), Ordering::Relaxed);
        round.number.fetch_add(1, Ordering::Release);
        futex::wake(&round.number, self.woken)?;
        loop {
            let done = round.done.load(Ordering::Acquire);
            if done as usize >= self.woken || bench.stopped() {
                return Ok(());
            }
            futex::wait(&round.done, done)?;
        }
    }
}

impl<W: Work> Work for Woken<W> {
    fn prepare(&mut self, bench: &mut Bench<'_>) -> Result<(), Trouble> {
        self.work.prepare(bench)
    }

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
        self.work.step(bench)?;
        // Each but the last only counts, so that the waker wakes once a round.
        if round.done.fetch_add(1, Ordering::AcqRel) as usize + 1 == self.woken {
            futex::wake(&round.done, 1)?;
        }
        Ok(())
    }
}
