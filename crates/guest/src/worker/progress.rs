//! What a worker notes down at its checkpoints.

use ktstr_model::{CpuSet, Gap, MAX_CPUS, Migration, WorkerEvent};

use super::places::CpuPlaces;

/// Events that a worker has room for. When they are full every second one goes, so a long run keeps at least half.
pub(crate) const EVENT_CAPACITY: usize = 512;

/// Migrations that a worker has room for: its first ones.
pub(crate) const MIGRATION_CAPACITY: usize = 32;

const CPU_WORDS: usize = MAX_CPUS as usize / 64;

/// A worker's notes, in memory that it shares with the test process. All zeroes is the state before
/// [`begin`](Self::begin).
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Progress {
    /// When the worker was let go, in nanoseconds of the monotonic clock.
    began_ns: u64,
    last_ns: u64,
    units: u64,
    /// Every checkpoint's time and CPU has gone into it, also of those that are not kept.
    course: u64,
    migrations: u64,
    llc_migrations: u64,
    node_migrations: u64,
    max_gap_ns: u64,
    max_gap_end_ns: u64,
    max_gap_cpu: u32,
    last_cpu: u32,
    cpus: [u64; CPU_WORDS],
    stride: u32,
    kept: u32,
    events: [WorkerEvent; EVENT_CAPACITY],
    migration_log: [Migration; MIGRATION_CAPACITY],
}

impl Progress {
    /// Notes before a worker has begun.
    #[cfg(test)]
    pub(crate) fn new() -> Box<Self> {
        // SAFETY: every field is an integer or an array of them.
        Box::new(unsafe { std::mem::zeroed() })
    }

    /// From now on everything counts; the first gap begins at `at_ns`.
    pub(crate) fn begin(&mut self, at_ns: u64) {
        self.began_ns = at_ns;
        self.last_ns = at_ns;
        self.stride = 1;
    }

    /// Notes a checkpoint and returns the CPU of the one before, if that was another. Makes no system call and needs no
    /// memory.
    pub(crate) fn checkpoint(&mut self, at_ns: u64, cpu: u32) -> Option<u32> {
        self.note_gap(at_ns, cpu);
        let from = (self.units > 0 && cpu != self.last_cpu).then_some(self.last_cpu);
        if let Some(word) = self.cpus.get_mut(cpu as usize / 64) {
            *word |= 1 << (cpu % 64);
        }
        self.units += 1;
        self.last_ns = at_ns;
        self.last_cpu = cpu;
        self.follow(at_ns, cpu);
        // The stride is a power of two.
        if self.units & (u64::from(self.stride) - 1) == 0 {
            self.keep(WorkerEvent { at_ns, cpu, count: self.units as u32 });
        }
        from
    }

    /// Notes that the worker was seen on another CPU than before.
    pub(crate) fn migrated(&mut self, at_ns: u64, from: u32, to: u32, places: &CpuPlaces) {
        if let Some(free) = self.migration_log.get_mut(self.migrations as usize) {
            *free = Migration { at_ns, from, to };
        }
        let (llc, node) = places.crossed(from, to);
        self.migrations += 1;
        self.llc_migrations += u64::from(llc);
        self.node_migrations += u64::from(node);
    }

    /// Counts units that were not noted one by one.
    pub(crate) fn add_units(&mut self, units: u64, at_ns: u64, cpu: u32) {
        self.units += units;
        self.last_ns = at_ns;
        self.last_cpu = cpu;
        self.follow(at_ns, cpu);
        if let Some(word) = self.cpus.get_mut(cpu as usize / 64) {
            *word |= 1 << (cpu % 64);
        }
    }

    /// Counts the time from the last checkpoint to the stop as a gap too. `cpu` is where the worker was seen then.
    pub(crate) fn end(&mut self, stop_ns: u64, cpu: u32) {
        self.note_gap(stop_ns, cpu);
    }

    /// A few instructions, because it is done at every checkpoint: a multiplicative hash by the golden ratio, as in
    /// Knuth's The Art of Computer Programming 6.4.
    fn follow(&mut self, at_ns: u64, cpu: u32) {
        let word = at_ns ^ u64::from(cpu) << 52;
        self.course = (self.course.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn note_gap(&mut self, until_ns: u64, cpu: u32) {
        let gap_ns = until_ns.saturating_sub(self.last_ns);
        if gap_ns > self.max_gap_ns {
            self.max_gap_ns = gap_ns;
            self.max_gap_end_ns = until_ns;
            self.max_gap_cpu = cpu;
        }
    }

    fn keep(&mut self, event: WorkerEvent) {
        if self.kept as usize == EVENT_CAPACITY {
            // Every multiple of the stride is kept, so those of twice the stride are the second, the fourth, ...
            for pair in 0..EVENT_CAPACITY / 2 {
                self.events[pair] = self.events[2 * pair + 1];
            }
            self.kept /= 2;
            self.stride *= 2;
            if !self.units.is_multiple_of(self.stride.into()) {
                return;
            }
        }
        self.events[self.kept as usize] = event;
        self.kept += 1;
    }

    /// When the worker was let go, in nanoseconds of the monotonic clock.
    pub(crate) fn began_ns(&self) -> u64 {
        self.began_ns
    }

    /// A hash over the times and CPUs of all checkpoints.
    pub(crate) fn course(&self) -> u64 {
        self.course
    }

    /// Checkpoints passed.
    pub(crate) fn units(&self) -> u64 {
        self.units
    }

    /// When the last checkpoint was passed, or the worker let go, in nanoseconds of the monotonic clock.
    pub(crate) fn last_ns(&self) -> u64 {
        self.last_ns
    }

    /// Times that two consecutive checkpoints were on different CPUs.
    pub(crate) fn migrations(&self) -> u64 {
        self.migrations
    }

    /// Those of them between last-level caches, and between NUMA nodes.
    pub(crate) fn crossings(&self) -> (u64, u64) {
        (self.llc_migrations, self.node_migrations)
    }

    /// The first migrations.
    pub(crate) fn migration_log(&self) -> &[Migration] {
        &self.migration_log[..MIGRATION_CAPACITY.min(self.migrations as usize)]
    }

    /// The longest gap.
    pub(crate) fn max_gap(&self) -> Gap {
        let at_ns = self.max_gap_end_ns.saturating_sub(self.began_ns);
        Gap { ns: self.max_gap_ns, at_ns, cpu: self.max_gap_cpu }
    }

    /// CPUs seen at checkpoints.
    pub(crate) fn cpus(&self) -> CpuSet {
        (0..MAX_CPUS).filter(|cpu| self.cpus[*cpu as usize / 64] >> (cpu % 64) & 1 == 1).collect()
    }

    /// The events kept, and how many checkpoints lie from one to the next.
    pub(crate) fn events(&self) -> (&[WorkerEvent], u32) {
        let kept = (self.kept as usize).min(EVENT_CAPACITY);
        (&self.events[..kept], self.stride.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_first_and_the_last_stretch_are_gaps_too() {
        let mut progress = Progress::new();
        progress.begin(1000);
        progress.checkpoint(1700, 2);
        assert_eq!(progress.max_gap(), Gap { ns: 700, at_ns: 700, cpu: 2 });
        assert_eq!(progress.checkpoint(1900, 3), Some(2));
        progress.end(2500, 3);
        assert_eq!(progress.max_gap().ns, 700);
        progress.end(2700, 4);
        assert_eq!(progress.max_gap(), Gap { ns: 800, at_ns: 1700, cpu: 4 });
        assert_eq!(progress.units(), 2);
    }

    #[test]
    fn a_worker_that_never_ran_has_one_gap() {
        let mut progress = Progress::new();
        progress.begin(1000);
        progress.end(9000, 1);
        assert_eq!(progress.max_gap(), Gap { ns: 8000, at_ns: 8000, cpu: 1 });
        assert!(progress.cpus().is_empty() && progress.events().0.is_empty());
    }

    #[test]
    fn a_checkpoint_that_is_not_kept_is_part_of_the_course() {
        let course = |late: u64, elsewhere: u64| {
            let mut progress = Progress::new();
            progress.begin(0);
            for n in 1..=4 * EVENT_CAPACITY as u64 {
                progress.checkpoint(n * 10 + u64::from(n == late), u32::from(n == elsewhere));
            }
            let (events, _) = progress.events();
            (events.to_vec(), progress.course())
        };
        let (events, base) = course(0, 0);
        for (late, elsewhere) in [(1001, 0), (0, 1001), (2047, 0), (0, 2047)] {
            let (same, changed) = course(late, elsewhere);
            assert_eq!(events, same, "neither is kept");
            assert_ne!(base, changed);
        }
        assert_eq!(course(0, 0).1, base);
    }

    proptest! {
        #[test]
        fn kept_events_are_evenly_spread_over_the_run(checkpoints in 0u64..9000) {
            let mut progress = Progress::new();
            progress.begin(0);
            (1..=checkpoints).for_each(|n| assert_eq!(progress.checkpoint(n * 10, 0), None));
            let (events, stride) = progress.events();
            let expected: Vec<u32> = (1..=checkpoints as u32).filter(|n| n % stride == 0).collect();
            let counts: Vec<u32> = events.iter().map(|event| event.count).collect();
            prop_assert_eq!(counts, expected);
            prop_assert!(events.iter().all(|event| event.at_ns == u64::from(event.count) * 10));
            prop_assert!(events.len() as u64 >= checkpoints.min(EVENT_CAPACITY as u64 / 2));
        }

        #[test]
        fn sums_up_the_checkpoints(steps in proptest::collection::vec((1u64..1000, 0u32..MAX_CPUS), 1..50)) {
            let mut progress = Progress::new();
            progress.begin(0);
            let (mut now, places) = (0, CpuPlaces::one());
            for (gap, cpu) in &steps {
                now += gap;
                if let Some(from) = progress.checkpoint(now, *cpu) {
                    progress.migrated(now, from, *cpu, &places);
                }
            }
            prop_assert_eq!(progress.max_gap().ns, steps.iter().map(|step| step.0).max().unwrap());
            let moves = steps.windows(2).filter(|pair| pair[0].1 != pair[1].1).count();
            prop_assert_eq!(progress.migrations(), moves as u64);
            prop_assert_eq!(progress.migration_log().len(), moves.min(MIGRATION_CAPACITY));
            prop_assert!(progress.migration_log().iter().all(|migration| migration.from != migration.to));
            prop_assert_eq!(progress.cpus(), steps.iter().map(|step| step.1).collect::<CpuSet>());
            prop_assert_eq!((progress.units(), progress.last_ns()), (steps.len() as u64, now));
        }
    }
}
