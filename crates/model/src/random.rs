//! Random choices, all from a seed.

/// SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014): eight bytes of state and a
/// handful of instructions.
#[derive(Clone, Debug)]
pub struct SplitMix64(u64);

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

impl SplitMix64 {
    /// The sequence that belongs to worker `serial` of the run with this seed. Neighbouring seeds and workers have
    /// unrelated sequences.
    pub fn of_worker(seed: u64, serial: u32) -> Self {
        let mut of_run = Self(seed);
        let mut of_worker = Self(of_run.next_u64().wrapping_add(serial.into()));
        Self(of_worker.next_u64())
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`, or 0 when that is 0.
    pub fn below(&mut self, bound: u32) -> u32 {
        ((u128::from(self.next_u64()) * u128::from(bound)) >> 64) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn is_splitmix64() {
        let mut random = SplitMix64(1_234_567);
        assert_eq!(
            [random.next_u64(), random.next_u64()],
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]
        );
    }

    #[test]
    fn seeds_and_workers_have_their_own_sequences() {
        let mut firsts = Vec::new();
        for seed in 0..40 {
            firsts.extend((0..40).map(|serial| SplitMix64::of_worker(seed, serial).next_u64()));
        }
        firsts.sort_unstable();
        firsts.dedup();
        assert_eq!(firsts.len(), 1600);
    }

    proptest! {
        #[test]
        fn stays_below(seed: u64, bound in 1u32..) {
            prop_assert!(SplitMix64(seed).below(bound) < bound);
        }
    }
}
