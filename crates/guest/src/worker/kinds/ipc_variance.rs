//! `IpcVariance`: alternates between computing in registers and chasing pointers through memory.

use std::hint::black_box;

use super::Members;
use crate::worker::bench::Bench;
use crate::worker::passes::LINE;
use crate::worker::private_memory::PrivateMemory;
use crate::worker::work::{Trouble, Work};

/// More than a core's own caches hold. A power of two, as the path needs it.
const MEMORY_KB: usize = 4096;
/// Loads from one look at whether to stop to the next.
const LOADS: u64 = 4096;

struct IpcVariance {
    hot_iters: u64,
    cold_iters: u64,
    period_iters: u64,
    memory: Option<PrivateMemory>,
    line: usize,
}

pub(super) fn members(hot_iters: u64, cold_iters: u64, period_iters: u64) -> Members {
    vec![Box::new(IpcVariance { hot_iters, cold_iters, period_iters, memory: None, line: 0 })]
}

impl Work for IpcVariance {
    fn prepare(&mut self, bench: &mut Bench<'_>) -> Result<(), Trouble> {
        let memory = self.memory.insert(PrivateMemory::new(MEMORY_KB)?);
        lay_path(memory, bench.random().next_u64() as usize);
        bench.working_set(memory);
        Ok(())
    }

    fn step(&mut self, bench: &mut Bench<'_>) -> Result<(), Trouble> {
        let Some(memory) = &self.memory else { return Ok(()) };
        for _ in 0..self.period_iters {
            bench.spin(self.hot_iters);
            let mut left = self.cold_iters;
            while left > 0 && !bench.stopped() {
                let loads = left.min(LOADS);
                self.line = follow(memory, self.line, loads);
                left -= loads;
            }
            if bench.stopped() {
                break;
            }
        }
        Ok(())
    }
}

/// Lets each line name another, so that one path goes through all of them and comes back: a linear congruential sequence
/// has its full period when the addend is odd, the modulus a power of two, and the factor 1 more than a multiple of four
/// (Knuth, The Art of Computer Programming 2, 3.2.1.2). The distance changes from line to line, which no prefetcher
/// guesses.
fn lay_path(memory: &mut [u8], random: usize) {
    let lines = memory.len() / LINE;
    let (factor, addend) = ((random >> 32) << 3 | 5, random | 1);
    for (line, bytes) in memory.chunks_exact_mut(LINE).enumerate() {
        let next = line.wrapping_mul(factor).wrapping_add(addend) % lines;
        bytes[..size_of::<usize>()].copy_from_slice(&next.to_ne_bytes());
    }
}

/// Goes along the path; each load needs the one before. The line where it ends.
fn follow(memory: &[u8], mut line: usize, loads: u64) -> usize {
    for _ in 0..loads {
        let mut next = [0; size_of::<usize>()];
        next.copy_from_slice(&memory[line * LINE..][..size_of::<usize>()]);
        line = usize::from_ne_bytes(next);
    }
    black_box(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_path_goes_through_every_line(random: usize, bits in 4u32..10) {
            let lines = 1 << bits;
            let mut memory = vec![0; lines * LINE];
            lay_path(&mut memory, random);
            let mut seen = vec![false; lines];
            let mut line = 0;
            for _ in 0..lines {
                seen[line] = true;
                line = follow(&memory, line, 1);
            }
            prop_assert!(line == 0 && seen.iter().all(|seen| *seen));
        }
    }

    #[test]
    fn the_path_has_no_stride() {
        let mut memory = vec![0; 4096 * LINE];
        lay_path(&mut memory, 0x1234_5678_9abc_def1);
        let mut strides: Vec<usize> =
            (0..4096).map(|line| follow(&memory, line, 1).wrapping_sub(line) % 4096).collect();
        strides.sort_unstable();
        strides.dedup();
        assert!(strides.len() > 500, "{}", strides.len());
    }
}
