//! Percentiles and variation of measured figures.

use ktstr_model::TimeSample;

/// A share of the whole by which sums of fractions may be off.
const ROUNDING: f64 = 1e-9;

/// Figures with weights, in ascending order.
#[derive(Clone, Debug, PartialEq)]
pub struct Distribution(Vec<(f64, f64)>);

impl Distribution {
    /// Figures that all weigh the same.
    pub fn of(figures: impl IntoIterator<Item = f64>) -> Self {
        Self::sorted(figures.into_iter().map(|figure| (figure, 1.0)).collect())
    }

    /// The times of several workers taken together, in nanoseconds. Of many times a worker keeps a few, each of which
    /// stands for equally many: so a worker that measured more weighs more, however few it kept.
    pub fn pooled<'a>(samples: impl IntoIterator<Item = &'a TimeSample>) -> Self {
        let weighted = |sample: &'a TimeSample| {
            let weight = sample.count as f64 / sample.kept_ns.len().max(1) as f64;
            sample.kept_ns.iter().map(move |ns| (*ns as f64, weight))
        };
        Self::sorted(samples.into_iter().flat_map(weighted).collect())
    }

    fn sorted(mut figures: Vec<(f64, f64)>) -> Self {
        figures.sort_by(|a, b| a.0.total_cmp(&b.0));
        Self(figures)
    }

    fn weight(&self) -> f64 {
        self.0.iter().map(|(_, weight)| weight).sum()
    }

    /// The nearest-rank percentile: the smallest of the figures that at least `percent` percent of them do not exceed.
    /// `None` without figures. Of one it is that one; of two, the smaller up to 50 and the larger above.
    pub fn percentile(&self, percent: f64) -> Option<f64> {
        let whole = self.weight();
        let wanted = whole * (percent / 100.0 - ROUNDING);
        let mut sum = 0.0;
        let reached = self.0.iter().find(|(_, weight)| {
            sum += weight;
            sum >= wanted
        });
        reached.or(self.0.last()).map(|(figure, _)| *figure)
    }

    /// The coefficient of variation: the standard deviation (of the figures as a whole, not as a sample of others) over the
    /// mean. `None` without figures; 0 for a single one and for equal ones. The figures are 0 or more.
    pub fn variation(&self) -> Option<f64> {
        let (first, last) = (self.0.first()?.0, self.0.last()?.0);
        if first == last {
            return Some(0.0);
        }
        let whole = self.weight();
        let mean = self.0.iter().map(|(figure, weight)| figure * weight).sum::<f64>() / whole;
        let squares = self.0.iter().map(|(figure, weight)| (figure - mean).powi(2) * weight).sum::<f64>();
        Some((squares / whole).sqrt() / mean)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::sample;

    #[test]
    fn none_one_and_two_figures() {
        let none = Distribution::of([]);
        assert_eq!((none.percentile(99.0), none.variation()), (None, None));
        let one = Distribution::of([7.0]);
        for percent in [0.0, 50.0, 99.0, 100.0] {
            assert_eq!(one.percentile(percent), Some(7.0));
        }
        assert_eq!(one.variation(), Some(0.0));
        let two = Distribution::of([3.0, 1.0]);
        assert_eq!([0.0, 50.0, 51.0, 99.0].map(|p| two.percentile(p).unwrap()), [1.0, 1.0, 3.0, 3.0]);
        assert_eq!(two.variation(), Some(0.5));
        assert_eq!(Distribution::of([0.0, 0.0]).variation(), Some(0.0));
    }

    #[test]
    fn the_99th_of_a_hundred_is_the_99th() {
        let hundred = Distribution::of((1..=100).map(f64::from));
        assert_eq!([99.0, 99.5, 1.0].map(|p| hundred.percentile(p).unwrap()), [99.0, 100.0, 1.0]);
    }

    #[test]
    fn a_worker_that_measured_more_weighs_more() {
        let mut many = sample([10, 10]);
        many.count = 198;
        let few = sample([500, 500]);
        let pooled = Distribution::pooled([&many, &few]);
        assert_eq!([50.0, 99.0, 99.9].map(|p| pooled.percentile(p).unwrap()), [10.0, 10.0, 500.0]);
        let equal = Distribution::pooled([&sample([10, 10]), &few]);
        assert_eq!(equal.percentile(99.0), Some(500.0));
    }

    proptest! {
        #[test]
        fn a_percentile_is_one_of_the_figures_and_grows(
            times in proptest::collection::vec(0u64..1 << 40, 1..300), low in 0.0..100.0, high in 0.0..100.0,
        ) {
            let distribution = Distribution::pooled([&sample(times.iter().copied())]);
            let of = |p: f64| distribution.percentile(p).unwrap();
            prop_assert!(times.contains(&(of(low) as u64)));
            prop_assert!(of(f64::min(low, high)) <= of(f64::max(low, high)));
            let below = times.iter().filter(|ns| **ns as f64 <= of(low)).count() as f64;
            prop_assert!(below / times.len() as f64 >= low / 100.0 - 2.0 * ROUNDING);
            prop_assert_eq!(of(100.0) as u64, *times.iter().max().unwrap());
        }

        #[test]
        fn variation_does_not_depend_on_the_unit_and_grows_with_distance(
            times in proptest::collection::vec(1.0f64..1e9, 2..50), unit in 1.0f64..1e6,
        ) {
            let plain = Distribution::of(times.iter().copied()).variation().unwrap();
            let scaled = Distribution::of(times.iter().map(|t| t * unit)).variation().unwrap();
            prop_assert!((plain - scaled).abs() < 1e-6 * plain.max(1.0));
            let closer = Distribution::of(times.iter().map(|t| t + 1e9)).variation().unwrap();
            prop_assert!(closer <= plain);
            // No set of positive figures can vary more than one that has a single figure above 0.
            prop_assert!(plain <= (times.len() as f64 - 1.0).sqrt() + 1e-6);
        }

        #[test]
        fn keeping_a_fair_part_changes_little(count in 2000u64..4000) {
            let all = sample(0..count);
            let mut kept = sample((0..count).step_by(10));
            kept.count = count;
            let [all, kept] = [all, kept].map(|sample| Distribution::pooled([&sample]));
            let off = (all.percentile(99.0).unwrap() - kept.percentile(99.0).unwrap()).abs();
            prop_assert!(off <= 20.0, "{}", off);
            prop_assert!((all.variation().unwrap() - kept.variation().unwrap()).abs() < 0.02);
        }
    }
}
