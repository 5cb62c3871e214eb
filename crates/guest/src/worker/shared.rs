//! The memory that a team of workers shares with the test process.

use std::io;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use rustix::thread::futex;

use super::progress::Progress;
use super::reservoir::Reservoir;
use crate::memory::SharedMemory;

/// NUMA nodes that a record has room for.
pub(crate) const MOST_NODES: usize = 64;

/// How far workers may go.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
pub(crate) enum Gate {
    /// They are in their cgroup and may prepare themselves.
    Placed = 1,
    /// They may work.
    Open = 2,
}

/// What all workers of a team look at.
#[repr(C)]
pub(crate) struct Control {
    /// A futex: how far workers may go, 0 while they are not all in their cgroup.
    gate: AtomicU32,
    /// A futex: workers that are prepared, or have failed to.
    ready: AtomicU32,
    /// How many that will be.
    expected: AtomicU32,
    stop: AtomicBool,
    measure_from_ns: AtomicU64,
}

impl Control {
    /// Sleeps until workers may go this far.
    pub(crate) fn wait_at(&self, gate: Gate) {
        loop {
            let now = self.gate.load(Ordering::Acquire);
            if now >= gate as u32 {
                return;
            }
            // Woken, interrupted or too late to sleep: the loop looks again.
            let _ = futex::wait(&self.gate, futex::Flags::empty(), now, None);
        }
    }

    fn raise(&self, gate: Gate) {
        self.gate.fetch_max(gate as u32, Ordering::Release);
        // Cannot fail: the word is there, and nobody to wake is no error.
        let _ = futex::wake(&self.gate, futex::Flags::empty(), i32::MAX as u32);
    }

    /// Lets the workers, `count` of them, prepare themselves.
    pub(crate) fn placed(&self, count: u32) {
        self.expected.store(count, Ordering::Relaxed);
        self.raise(Gate::Placed);
    }

    /// Says that one more worker is prepared, or has failed to.
    pub(crate) fn one_is_ready(&self) {
        if self.ready.fetch_add(1, Ordering::AcqRel) + 1 == self.expected.load(Ordering::Relaxed) {
            let _ = futex::wake(&self.ready, futex::Flags::empty(), 1);
        }
    }

    /// Sleeps until all workers are prepared, or for `ns` nanoseconds; whether they are.
    pub(crate) fn wait_until_ready(&self, ns: u64) -> bool {
        let deadline_ns = crate::clock::monotonic_ns().saturating_add(ns);
        loop {
            let ready = self.ready.load(Ordering::Acquire);
            if ready >= self.expected.load(Ordering::Relaxed) {
                return true;
            }
            let left = deadline_ns.saturating_sub(crate::clock::monotonic_ns());
            if left == 0 {
                return false;
            }
            let timeout = futex::Timespec {
                tv_sec: (left / 1_000_000_000) as i64,
                tv_nsec: (left % 1_000_000_000) as i64,
            };
            let _ = futex::wait(&self.ready, futex::Flags::empty(), ready, Some(&timeout));
        }
    }

    /// Lets the workers work. What they do before `measure_from_ns` of the monotonic clock does not count.
    pub(crate) fn open_gate(&self, measure_from_ns: u64) {
        self.measure_from_ns.store(measure_from_ns, Ordering::Relaxed);
        self.raise(Gate::Open);
    }

    /// Tells the workers to stop.
    pub(crate) fn stop(&self) {
        self.stop.store(true, Ordering::Release);
    }

    /// Whether the workers were told to stop.
    pub(crate) fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// The flag itself.
    pub(crate) fn stop_flag(&self) -> &AtomicBool {
        &self.stop
    }

    /// When measuring begins, in nanoseconds of the monotonic clock.
    pub(crate) fn measure_from_ns(&self) -> u64 {
        self.measure_from_ns.load(Ordering::Relaxed)
    }
}

/// A short text in shared memory; what is too long is cut.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct ShortText {
    len: u32,
    bytes: [u8; 156],
}

impl ShortText {
    /// Replaces it.
    pub(crate) fn set(&mut self, text: &str) {
        let len = text.len().min(self.bytes.len());
        self.bytes[..len].copy_from_slice(&text.as_bytes()[..len]);
        self.len = len as u32;
    }

    /// The text; `None` when it was never set.
    pub(crate) fn get(&self) -> Option<String> {
        let len = (self.len as usize).min(self.bytes.len());
        (len > 0).then(|| String::from_utf8_lossy(&self.bytes[..len]).into_owned())
    }
}

/// How a worker came to its end by itself.
pub(crate) mod finished {
    /// It was told to stop.
    pub(crate) const STOPPED: u32 = 1;
    /// It could not go on.
    pub(crate) const FAILED: u32 = 2;
}

/// What one worker writes. All zeroes before it begins.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Record {
    /// One of [`finished`], or 0.
    pub finished: u32,
    /// Its thread id.
    pub tid: u32,
    /// The CPU that it was on at its end.
    pub end_cpu: u32,
    /// 1 when the kernel's account of its scheduling is in `schedstat`.
    pub has_schedstat: u32,
    /// Its CPU time when measuring began, in nanoseconds.
    pub cpu_begin_ns: u64,
    /// Its CPU time when it stopped, in nanoseconds.
    pub cpu_end_ns: u64,
    /// Iterations of its computing loop while measuring.
    pub iterations: u64,
    /// CPU time, run delay and time slices while measuring.
    pub schedstat: [u64; 3],
    /// Pages that the kernel moved between nodes while measuring.
    pub numa_pages_migrated: u64,
    /// Pages of its working set on each node.
    pub numa_pages: [u32; MOST_NODES],
    /// Why it could not go on.
    pub trouble: ShortText,
    /// A remark of the work type.
    pub remark: ShortText,
    /// Times from being woken to running.
    pub wake_latencies: Reservoir,
    /// Times from checkpoint to checkpoint.
    pub iteration_costs: Reservoir,
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

    /// All workers are forked: those of other teams need not have it, and each would have to be given it.
    pub(crate) fn close_to_forks(&self) {
        // What the kernel does not take costs time only.
        let _ = self.0.keep_from_forks();
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

    /// The thread id of worker `index`, once it has one, and whether it came to its end by itself.
    pub(crate) fn state(&self, index: usize) -> (u32, bool) {
        let record = self.record(index);
        // SAFETY: as above; the worker may be writing these words, which are read whole.
        unsafe {
            (
                ptr::read_volatile(&raw const (*record).tid),
                ptr::read_volatile(&raw const (*record).finished) != 0,
            )
        }
    }
}
