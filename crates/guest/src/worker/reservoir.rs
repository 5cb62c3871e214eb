//! A bounded sample of any number of times.

use ktstr_model::TimeSample;

use super::random::SplitMix64;

/// Times that a reservoir has room for.
pub(crate) const RESERVOIR_CAPACITY: usize = 256;

/// A sample in which each time that was added has the same chance to be (Vitter: Random Sampling with a Reservoir, 1985,
/// algorithm R). All zeroes is an empty one.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Reservoir {
    count: u64,
    sum_ns: u64,
    max_ns: u64,
    kept_ns: [u64; RESERVOIR_CAPACITY],
}

impl Reservoir {
    /// Adds a time.
    pub(crate) fn add(&mut self, ns: u64, random: &mut SplitMix64) {
        self.sum_ns = self.sum_ns.saturating_add(ns);
        self.max_ns = self.max_ns.max(ns);
        let place = match self.count {
            few if few < RESERVOIR_CAPACITY as u64 => few as usize,
            many => random.below(u32::try_from(many + 1).unwrap_or(u32::MAX)) as usize,
        };
        self.count += 1;
        if let Some(kept) = self.kept_ns.get_mut(place) {
            *kept = ns;
        }
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        (self.count, self.sum_ns, self.max_ns) = (0, 0, 0);
    }

    /// The sample for the report.
    pub(crate) fn sample(&self) -> TimeSample {
        let kept = self.count.min(RESERVOIR_CAPACITY as u64) as usize;
        let Self { count, sum_ns, max_ns, kept_ns } = *self;
        TimeSample { count, sum_ns, max_ns, kept_ns: kept_ns[..kept].to_vec() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn filled(times: impl IntoIterator<Item = u64>, seed: u64) -> TimeSample {
        let mut random = SplitMix64::of_worker(seed, 0);
        let mut reservoir = Reservoir { count: 0, sum_ns: 0, max_ns: 0, kept_ns: [0; RESERVOIR_CAPACITY] };
        times.into_iter().for_each(|ns| reservoir.add(ns, &mut random));
        reservoir.sample()
    }

    #[test]
    fn early_and_late_times_have_the_same_chance() {
        let kept: Vec<u64> = (0..40).flat_map(|seed| filled(0..10_000, seed).kept_ns).collect();
        let mean = kept.iter().sum::<u64>() as f64 / kept.len() as f64;
        assert!((mean - 5000.0).abs() < 150.0, "{mean}");
    }

    proptest! {
        #[test]
        fn totals_are_exact_and_the_sample_is_of_what_was_added(
            times in proptest::collection::vec(0u64..1 << 40, 0..600), seed: u64,
        ) {
            let sample = filled(times.iter().copied(), seed);
            prop_assert_eq!(sample.count, times.len() as u64);
            prop_assert_eq!(sample.sum_ns, times.iter().sum::<u64>());
            prop_assert_eq!(sample.max_ns, times.iter().copied().max().unwrap_or(0));
            prop_assert_eq!(sample.kept_ns.len(), times.len().min(RESERVOIR_CAPACITY));
            prop_assert!(sample.kept_ns.iter().all(|ns| times.contains(ns)));
        }
    }
}
