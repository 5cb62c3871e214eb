//! A lock in memory that processes share, made of a futex.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use ktstr_model::FutexLockMode;
use rustix::io::Errno;
use rustix::thread::futex::{Flags, lock_pi, unlock_pi};
use rustix::thread::gettid;

use super::futex;
use super::group::{Shared, Zeroable};
use super::work::{Trouble, trouble};
use crate::clock::monotonic_ns;
use crate::error::{GuestError, on_process};

const FREE: u32 = 0;
const HELD: u32 = 1;
const WANTED: u32 = 2;

#[repr(C)]
struct Words {
    /// A futex: one of the above, or with [`FutexLockMode::Pi`] the holder's thread id.
    state: AtomicU32,
    released_ns: AtomicU64,
}

// SAFETY: atomics only.
unsafe impl Zeroable for Words {}

/// One worker's way to a lock; clones are ways to the same lock.
#[derive(Clone)]
pub(crate) struct Lock {
    words: Arc<Shared<Words>>,
    mode: FutexLockMode,
    /// Of the worker, once it has wanted the lock.
    tid: Option<u32>,
}

/// What became of the wish for a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Got {
    /// It was free.
    AtOnce,
    /// The worker slept until it was released, at this time of the monotonic clock.
    Released(u64),
    /// The worker is to stop.
    Not,
}

impl Lock {
    /// A lock that nobody holds.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub(crate) fn new(mode: FutexLockMode) -> Result<Self, GuestError> {
        let words = Shared::new(1).map_err(on_process("map memory for a group of workers"))?;
        Ok(Self { words: Arc::new(words), mode, tid: None })
    }

    /// Takes the lock, sleeping until it is free.
    ///
    /// # Errors
    /// When the kernel refuses, as when the holder has died.
    pub(crate) fn take(&mut self, stopped: impl Fn() -> bool) -> Result<Got, Trouble> {
        let slept = match self.mode {
            FutexLockMode::Plain => self.take_plain(stopped)?,
            FutexLockMode::Pi => self.take_pi(stopped)?,
        };
        let released_ns = || self.words[0].released_ns.load(Ordering::Relaxed);
        Ok(match slept {
            Some(false) => Got::AtOnce,
            Some(true) => Got::Released(released_ns()),
            None => Got::Not,
        })
    }

    /// Gives the lock back. Only for the worker that has it.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub(crate) fn release(&mut self) -> Result<(), Trouble> {
        let tid = self.tid();
        let Words { state, released_ns } = &self.words[0];
        released_ns.store(monotonic_ns(), Ordering::Relaxed);
        match self.mode {
            FutexLockMode::Plain => match state.swap(FREE, Ordering::Release) {
                WANTED => futex::wake(state, 1),
                _ => Ok(()),
            },
            // The kernel hands it to the highest waiter, if it has noted any.
            FutexLockMode::Pi => match exchange(state, tid, FREE) {
                true => Ok(()),
                false => unlock_pi(state, Flags::empty()).map_err(trouble("release a lock")),
            },
        }
    }

    /// Whether it slept for the lock; `None` when it did not get it.
    fn take_plain(&self, stopped: impl Fn() -> bool) -> Result<Option<bool>, Trouble> {
        let state = &self.words[0].state;
        if exchange(state, FREE, HELD) {
            return Ok(Some(false));
        }
        let mut slept = false;
        // There may be others that sleep, so it is left as wanted.
        while state.swap(WANTED, Ordering::Acquire) != FREE {
            if stopped() {
                return Ok(None);
            }
            futex::wait(state, WANTED)?;
            slept = true;
        }
        Ok(Some(slept))
    }

    fn take_pi(&mut self, stopped: impl Fn() -> bool) -> Result<Option<bool>, Trouble> {
        let tid = self.tid();
        let state = &self.words[0].state;
        while !exchange(state, FREE, tid) {
            if stopped() {
                return Ok(None);
            }
            match lock_pi(state, Flags::empty(), None) {
                Ok(()) => return Ok(Some(true)),
                // The holder is about to end or the word has changed.
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(errno) => return Err(trouble("take a lock")(errno)),
            }
        }
        Ok(Some(false))
    }

    fn tid(&mut self) -> u32 {
        *self.tid.get_or_insert_with(|| gettid().as_raw_nonzero().get().unsigned_abs())
    }
}

fn exchange(word: &AtomicU32, from: u32, to: u32) -> bool {
    word.compare_exchange(from, to, Ordering::AcqRel, Ordering::Relaxed).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// Adds in two halves with a pause between, so that additions are lost wherever two hold the lock at once.
    fn count_together(mode: FutexLockMode) -> (u64, usize) {
        let (lock, sum) = (Lock::new(mode).unwrap(), AtomicU64::new(0));
        let add = |mut lock: Lock| {
            let mut waited = 0;
            for _ in 0..200 {
                waited += usize::from(lock.take(|| false).unwrap() != Got::AtOnce);
                let before = sum.load(Ordering::Relaxed);
                std::thread::sleep(Duration::from_micros(5));
                sum.store(before + 1, Ordering::Relaxed);
                lock.release().unwrap();
            }
            waited
        };
        let waited = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| add(lock.clone()))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        (sum.into_inner(), waited)
    }

    #[test]
    fn one_at_a_time() {
        for mode in [FutexLockMode::Plain, FutexLockMode::Pi] {
            let (sum, waited) = count_together(mode);
            assert_eq!(sum, 800, "{mode:?}");
            assert!(waited > 10, "{mode:?}: {waited}");
        }
    }

    #[test]
    fn a_stop_ends_the_wish() {
        let mut lock = Lock::new(FutexLockMode::Plain).unwrap();
        assert_eq!(lock.take(|| false).unwrap(), Got::AtOnce);
        assert_eq!(lock.clone().take(|| true).unwrap(), Got::Not);
        lock.release().unwrap();
        assert_eq!(lock.take(|| true).unwrap(), Got::AtOnce);
    }
}
