//! How much a worker computes.

use std::hint::black_box;

use ktstr_model::Mode;

use ktstr_model::SplitMix64;

/// How much a computing worker does from one checkpoint to the next.
///
/// A number of iterations, not a time: measuring would make it depend on how busy the host is. So one checkpoint takes
/// about 200 to 350 us on the machines that the numbers were chosen for, and not exactly that on others. Less would make the
/// notes a measurable part of the work.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    iterations: u32,
}

impl Pace {
    /// The pace of a mode.
    pub(crate) fn of(mode: Mode) -> Self {
        // Deterministic machines take 4 ns for each instruction, of which an iteration has 9.5, or 22 without
        // optimisation. On real ones it takes about 2 ns, or 10, because each step waits for the one before.
        let iterations = match (mode, cfg!(debug_assertions)) {
            (Mode::Deterministic, false) => 5_000,
            (Mode::Deterministic, true) => 3_800,
            (Mode::RealTime, false) => 85_000,
            (Mode::RealTime, true) => 25_000,
        };
        Self { iterations }
    }

    /// Iterations to shift a worker's phase by: up to about 2 ms.
    pub(crate) fn offset(self, random: &mut SplitMix64) -> u32 {
        random.below(self.iterations * 10)
    }

    /// Iterations to the next checkpoint. They vary by a quarter up and down, around one mean for all workers so that
    /// their checkpoints count the same.
    pub(crate) fn next(self, random: &mut SplitMix64) -> u32 {
        self.iterations - self.iterations / 4 + random.below(self.iterations / 2)
    }
}

/// A chain of xorshift steps, which neither compiler nor CPU can shorten: each needs the one before.
#[inline(never)]
pub(crate) fn spin(mut state: u64, iterations: u64) -> u64 {
    let mut left = iterations;
    while left != 0 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        left -= 1;
    }
    black_box(state)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seed_varies_phase_and_steps_but_not_the_mean() {
        let steps = |seed| {
            let (pace, mut random) = (Pace::of(Mode::Deterministic), SplitMix64::of_worker(seed, 0));
            let offset = pace.offset(&mut random);
            (offset, (0..4000).map(|_| pace.next(&mut random)).collect::<Vec<u32>>())
        };
        let ((offset_1, steps_1), (offset_2, steps_2)) = (steps(1), steps(2));
        assert_ne!(offset_1, offset_2);
        assert_ne!(steps_1, steps_2);
        assert_eq!((offset_1, &steps_1), (steps(1).0, &steps(1).1));
        let mean = |steps: &[u32]| f64::from(steps.iter().sum::<u32>()) / steps.len() as f64;
        assert!((mean(&steps_1) / mean(&steps_2) - 1.0).abs() < 0.02);
    }
}
