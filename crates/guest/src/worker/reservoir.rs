//! A bounded sample of any number of times.

use ktstr_model::TimeSample;

use ktstr_model::SplitMix64;

/// Times that a reservoir has room for.
pub(crate) const RESERVOIR_CAPACITY: usize = 256;

/// A sample in which each time that was added has the same chance to be (Li: Reservoir-Sampling Algorithms of Time
/// Complexity O(n(1+log(N/n))), 1994, algorithm L). All zeroes is an empty one.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Reservoir {
    count: u64,
    sum_ns: u64,
    max_ns: u64,
    /// When the largest ended, in nanoseconds of the monotonic clock.
    max_at_ns: u64,
    /// Where it ended.
    max_cpu: u32,
    /// The number of the next time that takes a place, counted from 0. All before it only count.
    next: u64,
    /// The algorithm's `w`.
    weight: f64,
    kept_ns: [u64; RESERVOIR_CAPACITY],
}

impl Reservoir {
    /// Adds a time that ended at `at_ns` of the monotonic clock; `cpu` tells where. Random numbers are drawn only for
    /// those that take a place.
    pub(crate) fn add(&mut self, ns: u64, at_ns: u64, cpu: impl FnOnce() -> u32, random: &mut SplitMix64) {
        self.sum_ns = self.sum_ns.wrapping_add(ns);
        if ns > self.max_ns {
            (self.max_ns, self.max_at_ns, self.max_cpu) = (ns, at_ns, cpu());
        }
        if self.count >= self.next {
            self.keep(ns, random);
        }
        self.count += 1;
    }

    fn keep(&mut self, ns: u64, random: &mut SplitMix64) {
        let place = match self.count {
            few if few < RESERVOIR_CAPACITY as u64 => few as usize,
            _ => random.below(RESERVOIR_CAPACITY as u32) as usize,
        };
        if let Some(kept) = self.kept_ns.get_mut(place) {
            *kept = ns;
        }
        self.next = self.count + 1;
        if self.next >= RESERVOIR_CAPACITY as u64 {
            let factor = (unit(random).ln() / RESERVOIR_CAPACITY as f64).exp();
            self.weight = if self.next == RESERVOIR_CAPACITY as u64 { factor } else { self.weight * factor };
            // A conversion of what is too large gives the largest number: nothing is kept any more.
            let skipped = (unit(random).ln() / (1.0 - self.weight).ln()).floor() as u64;
            self.next = self.next.saturating_add(skipped);
        }
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        (self.count, self.sum_ns, self.next) = (0, 0, 0);
        (self.max_ns, self.max_at_ns, self.max_cpu) = (0, 0, 0);
    }

    /// The sample for the report of a worker that was let go at `began_ns` of the monotonic clock.
    pub(crate) fn sample(&self, began_ns: u64) -> TimeSample {
        let kept = self.count.min(RESERVOIR_CAPACITY as u64) as usize;
        let Self { count, sum_ns, max_ns, max_at_ns, max_cpu, kept_ns, .. } = *self;
        let max_at_ns = max_at_ns.saturating_sub(began_ns);
        TimeSample { count, sum_ns, max_ns, max_at_ns, max_cpu, kept_ns: kept_ns[..kept].to_vec() }
    }
}

/// A number above 0 and up to 1.
fn unit(random: &mut SplitMix64) -> f64 {
    ((random.next_u64() >> 11) + 1) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn filled(times: impl IntoIterator<Item = u64>, seed: u64) -> TimeSample {
        let mut random = SplitMix64::of_worker(seed, 0);
        let kept_ns = [0; RESERVOIR_CAPACITY];
        let (max_ns, max_at_ns, max_cpu) = (0, 0, 0);
        let mut reservoir =
            Reservoir { count: 0, sum_ns: 0, max_ns, max_at_ns, max_cpu, next: 0, weight: 0.0, kept_ns };
        times.into_iter().for_each(|ns| reservoir.add(ns, ns + 7, || ns as u32, &mut random));
        reservoir.sample(7)
    }

    #[test]
    fn early_and_late_times_have_the_same_chance() {
        let kept: Vec<u64> = (0..40).flat_map(|seed| filled(0..10_000, seed).kept_ns).collect();
        let mean = kept.iter().sum::<u64>() as f64 / kept.len() as f64;
        assert!((mean - 5000.0).abs() < 150.0, "{mean}");
        let first_tenth = kept.iter().filter(|ns| **ns < 1000).count() as f64 / kept.len() as f64;
        assert!((first_tenth - 0.1).abs() < 0.015, "{first_tenth}");
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
            prop_assert_eq!((sample.max_at_ns, sample.max_cpu), (sample.max_ns, sample.max_ns as u32));
            prop_assert_eq!(sample.kept_ns.len(), times.len().min(RESERVOIR_CAPACITY));
            prop_assert!(sample.kept_ns.iter().all(|ns| times.contains(ns)));
        }
    }
}
