//! What a worker has at hand while it works.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use ktstr_model::Mode;
use rustix::io::Errno;
use rustix::thread::{ClockId, clock_nanosleep_absolute};

use super::pace::{Pace, spin};
use super::places::CpuPlaces;
use super::shared::{Control, Record};
use super::work::{Trouble, trouble};
use crate::clock::{monotonic_ns, thread_cpu_ns};
use ktstr_model::SplitMix64;

/// Stretches of memory that a worker can have registered as its working set.
const MOST_REGIONS: usize = 4;

/// Iterations of the shift of its phase after which a worker looks whether it is to stop.
const PHASE_PIECE: u64 = 1000;

/// What a worker has at hand while it works: the stop flag, random numbers of its own, a way to compute, and its notes.
pub(crate) struct Bench<'a> {
    control: &'a Control,
    record: &'a mut Record,
    places: Arc<CpuPlaces>,
    random: SplitMix64,
    /// For samples, so that what is measured does not change what the work does.
    chance: SplitMix64,
    pace: Pace,
    state: u64,
    measuring: bool,
    regions: [Range<usize>; MOST_REGIONS],
}

impl<'a> Bench<'a> {
    pub(super) fn new(
        control: &'a Control,
        record: &'a mut Record,
        places: Arc<CpuPlaces>,
        mode: Mode,
        mut random: SplitMix64,
    ) -> Self {
        let state = random.next_u64() | 1;
        let chance = SplitMix64::of_worker(state, 0);
        let regions = std::array::from_fn(|_| 0..0);
        Self {
            control,
            record,
            places,
            random,
            chance,
            pace: Pace::of(mode),
            state,
            measuring: false,
            regions,
        }
    }

    /// Whether the worker is to stop.
    pub(crate) fn stopped(&self) -> bool {
        self.control.stopped()
    }

    /// The flag behind [`stopped`](Self::stopped).
    pub(crate) fn stop_flag(&self) -> &'a AtomicBool {
        self.control.stop_flag()
    }

    /// The worker's own random numbers, from the run's seed.
    pub(crate) fn random(&mut self) -> &mut SplitMix64 {
        &mut self.random
    }

    /// Computes for this many iterations.
    pub(crate) fn spin(&mut self, iterations: u64) {
        self.state = spin(self.state, iterations);
        self.record.iterations += iterations;
    }

    /// Computes for some 200 to 300 us, a little more or less each time by chance.
    pub(crate) fn spin_one_checkpoint(&mut self) {
        let iterations = self.pace.next(&mut self.random);
        self.spin(iterations.into());
    }

    /// Computes until this much time has passed, or the worker is to stop.
    pub(crate) fn spin_for(&mut self, duration: Duration) {
        let end_ns = ns_from_now(duration);
        while monotonic_ns() < end_ns && !self.stopped() {
            self.spin(64);
        }
    }

    /// Adds iterations of a computing loop other than [`spin`](Self::spin) to the worker's account.
    pub(crate) fn computed(&mut self, iterations: u64) {
        self.record.iterations += iterations;
    }

    /// Sleeps for this long, or until the worker is to stop.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub(crate) fn sleep(&mut self, duration: Duration) -> Result<(), Trouble> {
        self.sleep_until(ns_from_now(duration))
    }

    /// Sleeps until this time of the monotonic clock, or until the worker is to stop. How much later it runs again is a
    /// wake latency.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub(crate) fn sleep_until(&mut self, end_ns: u64) -> Result<(), Trouble> {
        let end = Duration::from_nanos(end_ns.min(i64::MAX as u64));
        let end = end.try_into().map_err(|_| trouble("sleep")(Errno::INVAL))?;
        match clock_nanosleep_absolute(ClockId::Monotonic, &end) {
            Ok(()) => self.woken(end_ns),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(trouble("sleep")(errno)),
        }
        Ok(())
    }

    /// Shifts the worker's phase against the others', unless it is to stop meanwhile.
    pub(super) fn shift_phase(&mut self) {
        let mut left = u64::from(self.pace.offset(&mut self.random));
        while left > 0 && !self.stopped() {
            let piece = left.min(PHASE_PIECE);
            self.spin(piece);
            left -= piece;
        }
    }

    /// Notes how long it took from being woken, at `woken_ns` of the monotonic clock, to running: now.
    pub(crate) fn woken(&mut self, woken_ns: u64) {
        if self.measuring && !self.stopped() {
            let now_ns = monotonic_ns();
            let ns = now_ns.saturating_sub(woken_ns);
            self.record.wake_latencies.add(ns, now_ns, current_cpu, &mut self.chance);
        }
    }

    /// Takes over times and units that were measured elsewhere.
    pub(crate) fn take_over(&mut self, report: &ktstr_model::WorkerReport) {
        let (now_ns, cpu) = (monotonic_ns(), current_cpu());
        for ns in &report.wake_latencies.kept_ns {
            self.record.wake_latencies.add(*ns, now_ns, || cpu, &mut self.chance);
        }
        for ns in &report.iteration_costs.kept_ns {
            self.record.iteration_costs.add(*ns, now_ns, || cpu, &mut self.chance);
        }
        self.record.progress.add_units(report.work_units, now_ns, cpu);
    }

    /// Leaves a remark for the report, up to 120 bytes; the last one counts.
    pub(crate) fn remark(&mut self, text: &str) {
        self.record.remark.set(text);
    }

    /// Says which memory is the work's, so that the report tells on which NUMA nodes it lies. The memory stays mapped to
    /// the worker's end.
    pub(crate) fn working_set(&mut self, memory: &[u8]) {
        let range = memory.as_ptr_range();
        if let Some(free) = self.regions.iter_mut().find(|region| region.start == region.end) {
            *free = range.start as usize..range.end as usize;
        }
    }

    pub(super) fn regions(&self) -> &[Range<usize>] {
        &self.regions
    }

    pub(super) fn control(&self) -> &'a Control {
        self.control
    }

    pub(super) fn record(&mut self) -> &mut Record {
        self.record
    }

    /// CPU time and iterations count from now on.
    pub(super) fn begin_account(&mut self) {
        self.record.iterations = 0;
        self.record.cpu_begin_ns = thread_cpu_ns();
    }

    /// From now on everything counts.
    pub(super) fn begin_measuring(&mut self, from_ns: u64) {
        self.measuring = true;
        self.record.wake_latencies.clear();
        self.record.iteration_costs.clear();
        self.record.progress.begin(from_ns);
    }

    /// Notes a checkpoint.
    pub(super) fn checkpoint(&mut self) {
        let (now_ns, cpu) = (monotonic_ns(), current_cpu());
        let progress = &mut self.record.progress;
        let cost_ns = now_ns.saturating_sub(progress.last_ns());
        if let Some(from) = progress.checkpoint(now_ns, cpu) {
            progress.migrated(now_ns, from, cpu, &self.places);
        }
        self.record.iteration_costs.add(cost_ns, now_ns, || cpu, &mut self.chance);
    }
}

/// The time of the monotonic clock when this much will have passed.
pub(crate) fn ns_from_now(duration: Duration) -> u64 {
    monotonic_ns().saturating_add(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
}

/// The CPU that this thread is on.
pub(crate) fn current_cpu() -> u32 {
    // SAFETY: no arguments. It cannot fail on Linux.
    unsafe { libc::sched_getcpu() }.unsigned_abs()
}
