//! The memory that a team of workers shares with the test process.

use std::io;
use std::ptr;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use rustix::thread::futex;

use super::progress::Progress;
use crate::memory::SharedMemory;

/// What all workers of a team look at.
#[repr(C)]
pub(crate) struct Control {
    /// A futex: 0 while the gate is shut.
    gate: AtomicU32,
    stop: AtomicU32,
    measure_from_ns: AtomicU64,
}

impl Control {
    /// Sleeps until the gate is open.
    pub(crate) fn wait_at_gate(&self) {
        while self.gate.load(Ordering::Acquire) == 0 {
            // Woken, interrupted or too late to sleep: the loop looks again.
            let _ = futex::wait(&self.gate, futex::Flags::empty(), 0, None);
        }
    }

    /// Opens the gate. What workers do before `measure_from_ns` of the monotonic clock does not count.
    pub(crate) fn open_gate(&self, measure_from_ns: u64) {
        self.measure_from_ns.store(measure_from_ns, Ordering::Relaxed);
        self.gate.store(1, Ordering::Release);
        // Cannot fail: the word is there, and nobody to wake is no error.
        let _ = futex::wake(&self.gate, futex::Flags::empty(), i32::MAX as u32);
    }

    /// Tells the workers to stop.
    pub(crate) fn stop(&self) {
        self.stop.store(1, Ordering::Release);
    }

    /// Whether the workers were told to stop.
    pub(crate) fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed) != 0
    }

    /// When measuring begins, in nanoseconds of the monotonic clock.
    pub(crate) fn measure_from_ns(&self) -> u64 {
        self.measure_from_ns.load(Ordering::Relaxed)
    }
}

/// What one worker writes. All zeroes before it begins.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Record {
    /// 1 when the worker came to its end by itself.
    pub finished: u32,
    /// The CPU that it was on at its end.
    pub end_cpu: u32,
    /// Its CPU time when measuring began, in nanoseconds.
    pub cpu_begin_ns: u64,
    /// Its CPU time when it stopped, in nanoseconds.
    pub cpu_end_ns: u64,
    /// Its notes.
    pub progress: Progress,
}

/// One [`Control`] and a [`Record`] for each worker.
pub(crate) struct TeamMemory(SharedMemory);

/// Where the records begin: on a cache line of their own.
const RECORDS: usize = size_of::<Control>().next_multiple_of(64);

impl TeamMemory {
    /// Memory for `workers` workers.
    ///
    /// # Errors
    /// When there is not enough.
    pub(crate) fn new(workers: usize) -> io::Result<Self> {
        let records = workers.checked_mul(size_of::<Record>()).ok_or(io::ErrorKind::OutOfMemory)?;
        let len = RECORDS.checked_add(records).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self(SharedMemory::anonymous(len)?))
    }

    /// What all workers look at.
    pub(crate) fn control(&self) -> &Control {
        // SAFETY: inside the mapping, which is page-aligned; consists of atomics, for which all zeroes is valid; nobody
        // makes a `&mut` of it.
        unsafe { &*self.0.address(0, size_of::<Control>()).cast() }
    }

    /// Where worker `index` writes.
    pub(crate) fn record(&self, index: usize) -> *mut Record {
        self.0.address(RECORDS + index * size_of::<Record>(), size_of::<Record>()).cast()
    }

    /// A copy of what worker `index` wrote. Its figures fit together once the worker has ended.
    pub(crate) fn read(&self, index: usize) -> Box<Record> {
        // SAFETY: inside the mapping and aligned, because the records begin at a multiple of 64; every pattern of bits
        // is a `Record`.
        Box::new(unsafe { ptr::read_volatile(self.record(index)) })
    }
}
