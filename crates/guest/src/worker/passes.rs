//! Passes over memory, for what they do to the caches.

use std::ptr;

use super::bench::Bench;
use super::private_memory::PrivateMemory;
use super::work::{Trouble, Work};

/// Bytes that a cache keeps together. On x86-64 it is 64 throughout.
pub(crate) const LINE: usize = 64;
/// Accesses from one look at whether to stop to the next.
const ACCESSES: usize = 4096;

/// Reads and writes memory of its own in strides, some times over.
pub(crate) struct Passes {
    size_kb: usize,
    stride: usize,
    times: u64,
    memory: Option<PrivateMemory>,
}

impl Passes {
    /// `times` passes in one step over `size_kb` KiB, with `stride` bytes from one access to the next.
    pub(crate) fn new(size_kb: usize, stride: usize, times: u64) -> Self {
        Self { size_kb, stride, times, memory: None }
    }
}

impl Work for Passes {
    fn prepare(&mut self, bench: &mut Bench<'_>) -> Result<(), Trouble> {
        let memory = self.memory.insert(PrivateMemory::new(self.size_kb)?);
        // Brings in the pages, so that no step has faults to wait for.
        pass(memory, self.stride, || bench.stopped());
        bench.working_set(memory);
        Ok(())
    }

    fn step(&mut self, bench: &mut Bench<'_>) -> Result<(), Trouble> {
        let Some(memory) = &mut self.memory else { return Ok(()) };
        for _ in 0..self.times {
            pass(&mut memory[..self.size_kb << 10], self.stride, || bench.stopped());
            if bench.stopped() {
                break;
            }
        }
        Ok(())
    }
}

/// Reads and writes every `stride`-th byte, from the first on.
fn pass(memory: &mut [u8], stride: usize, stopped: impl Fn() -> bool) {
    for part in memory.chunks_mut(stride.saturating_mul(ACCESSES)) {
        let (first, mut at) = (part.as_mut_ptr(), 0);
        while at < part.len() {
            // SAFETY: inside the part. Volatile, or else nothing would come of it.
            unsafe { first.add(at).write_volatile(ptr::read_volatile(first.add(at)).wrapping_add(1)) };
            at += stride;
        }
        if stopped() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// The memory itself tells what was accessed, for each access leaves a 1.
        #[test]
        fn a_pass_accesses_each_strides_first_byte_once(len in 1usize..100_000, stride in 1usize..300) {
            let mut memory = vec![0; len];
            pass(&mut memory, stride, || false);
            let wrong = (0..len).find(|at| memory[*at] != u8::from(at % stride == 0));
            prop_assert_eq!(wrong, None);
        }
    }

    #[test]
    fn lines_are_touched_as_the_stride_says() {
        let lines = |stride| {
            let mut memory = vec![0; 256 << 10];
            pass(&mut memory, stride, || false);
            memory.chunks(LINE).filter(|line| line.iter().any(|byte| *byte != 0)).count()
        };
        assert_eq!([lines(16), lines(64), lines(128), lines(4096)], [4096, 4096, 2048, 64]);
    }

    #[test]
    fn a_stop_ends_a_long_pass() {
        let mut memory = vec![0; 64 * ACCESSES];
        pass(&mut memory, 1, || true);
        assert_eq!(memory.iter().map(|byte| usize::from(*byte)).sum::<usize>(), ACCESSES);
    }
}
