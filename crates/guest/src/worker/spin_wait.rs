//! `SpinWait`: computes without pause, touching no memory beyond its registers and never blocking.

use std::hint::black_box;

use ktstr_model::Mode;

use super::random::SplitMix64;
use super::shared::{Control, Record};
use crate::clock::{monotonic_ns, thread_cpu_ns};

/// How much a spinning worker computes from one checkpoint to the next.
///
/// A number of iterations, not a time: measuring would make it depend on how busy the host is. So one checkpoint takes
/// about 50 to 100 us on the machines that the numbers were chosen for, and not exactly that on others.
#[derive(Clone, Debug)]
pub(crate) struct Pace {
    random: SplitMix64,
    iterations: u32,
}

impl Pace {
    /// The pace of the worker that `random` belongs to.
    pub(crate) fn new(mode: Mode, random: SplitMix64) -> Self {
        // Deterministic machines take 4 ns for each instruction, of which an iteration has 9.5, or 22 without
        // optimisation. On real ones it takes about 2 ns, or 10, because each step waits for the one before.
        let iterations = match (mode, cfg!(debug_assertions)) {
            (Mode::Deterministic, false) => 2_000,
            (Mode::Deterministic, true) => 900,
            (Mode::RealTime, false) => 35_000,
            (Mode::RealTime, true) => 8_000,
        };
        Self { random, iterations }
    }

    /// Iterations to shift this worker's phase by: up to about 2 ms.
    fn offset(&mut self) -> u32 {
        self.random.below(self.iterations * 28)
    }

    /// Iterations to the next checkpoint. They vary by a quarter up and down, around one mean for all workers so that
    /// their checkpoints count the same.
    fn next(&mut self) -> u32 {
        self.iterations - self.iterations / 4 + self.random.below(self.iterations / 2)
    }
}

/// Runs until told to stop. Between checkpoints there is no system call, no allocation and no memory access but a look
/// at the stop word.
pub(crate) fn run(control: &Control, record: &mut Record, mut pace: Pace) {
    let mut state = pace.random.next() | 1;
    let measure_from_ns = control.measure_from_ns();
    record.cpu_begin_ns = thread_cpu_ns();
    state = spin(state, pace.offset());
    if monotonic_ns() < measure_from_ns {
        while !control.stopped() && monotonic_ns() < measure_from_ns {
            state = spin(state, pace.next());
        }
        record.cpu_begin_ns = thread_cpu_ns();
    }
    record.progress.begin(measure_from_ns);
    while !control.stopped() {
        state = spin(state, pace.next());
        // What is done after the stop is not counted: a worker that gets its first CPU time then has starved.
        if !control.stopped() {
            record.progress.checkpoint(monotonic_ns(), current_cpu());
        }
    }
    record.cpu_end_ns = thread_cpu_ns();
    record.end_cpu = current_cpu();
    black_box(state);
}

/// A chain of xorshift steps, which neither compiler nor CPU can shorten: each needs the one before.
#[inline(never)]
fn spin(mut state: u64, iterations: u32) -> u64 {
    let mut left = iterations;
    while left != 0 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        left -= 1;
    }
    black_box(state)
}

fn current_cpu() -> u32 {
    // SAFETY: no arguments. It cannot fail on Linux.
    unsafe { libc::sched_getcpu() }.unsigned_abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seed_varies_phase_and_steps_but_not_the_mean() {
        let steps = |seed| {
            let mut pace = Pace::new(Mode::Deterministic, SplitMix64::of_worker(seed, 0));
            let offset = pace.offset();
            (offset, (0..4000).map(|_| pace.next()).collect::<Vec<u32>>())
        };
        let ((offset_1, steps_1), (offset_2, steps_2)) = (steps(1), steps(2));
        assert_ne!(offset_1, offset_2);
        assert_ne!(steps_1, steps_2);
        assert_eq!((offset_1, &steps_1), (steps(1).0, &steps(1).1));
        let mean = |steps: &[u32]| f64::from(steps.iter().sum::<u32>()) / steps.len() as f64;
        assert!((mean(&steps_1) / mean(&steps_2) - 1.0).abs() < 0.02);
    }
}
