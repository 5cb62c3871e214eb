//! The bootstrap: how much a difference of means may be off, from the samples alone (Efron 1979).

use serde::Serialize;

use super::effect::mean;

/// How often the samples are drawn again.
const RESAMPLES: usize = 2000;
/// Every comparison begins with this seed, so that equal samples give equal intervals.
const SEED: u64 = 0x6b74_7374;

/// A range that holds a figure with 95 % confidence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

impl Interval {
    /// Whether zero is outside of it.
    pub fn excludes_zero(self) -> bool {
        self.low > 0.0 || self.high < 0.0
    }
}

/// The 95 % percentile interval of mean(`b`) - mean(`a`).
pub(crate) fn difference_of_means(a: &[f64], b: &[f64]) -> Interval {
    let mut random = fastrand::Rng::with_seed(SEED);
    // In whatever order the samples come, the draws are the same.
    let [a, b] = [a, b].map(|values| {
        let mut values = values.to_vec();
        values.sort_by(f64::total_cmp);
        values
    });
    let mut drawn = |values: &[f64]| {
        let sum: f64 = (0..values.len()).map(|_| values[random.usize(..values.len())]).sum();
        sum / values.len() as f64
    };
    let mut differences: Vec<f64> = (0..RESAMPLES).map(|_| drawn(&b) - drawn(&a)).collect();
    let tail = RESAMPLES / 40;
    // Resamples vary less than samples do, by (n - 1) / n; with few samples that matters.
    let centre = mean(&b) - mean(&a);
    let smaller = a.len().min(b.len()) as f64;
    let widen = |end: f64| centre + (end - centre) * (smaller / (smaller - 1.0)).sqrt();
    let mut end = |rank: usize| widen(*differences.select_nth_unstable_by(rank, f64::total_cmp).1);
    Interval { low: end(tail), high: end(RESAMPLES - 1 - tail) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn is_the_same_every_time_and_as_wide_as_the_samples_are_apart() {
        let (a, b) = ([10.0, 11.0, 12.0, 13.0, 14.0], [20.0, 21.0, 22.0, 23.0, 24.0]);
        let interval = difference_of_means(&a, &b);
        assert_eq!(interval, difference_of_means(&[14.0, 12.0, 10.0, 11.0, 13.0], &b));
        // The mean of five such has a standard error of 0.7, the difference of two 1.0.
        assert!((7.4..8.6).contains(&interval.low) && (11.4..12.6).contains(&interval.high), "{interval:?}");
        assert!(interval.excludes_zero());
        assert!(!difference_of_means(&a, &[9.0, 11.0, 12.0, 13.0, 15.0]).excludes_zero());
    }

    proptest! {
        #[test]
        fn holds_the_difference_that_was_seen(
            a in prop::collection::vec(-1e6..1e6, 2..12), b in prop::collection::vec(-1e6..1e6, 2..12),
        ) {
            let (seen, interval) = (mean(&b) - mean(&a), difference_of_means(&a, &b));
            prop_assert!(interval.low <= seen + 1e-6 && seen - 1e-6 <= interval.high, "{} {:?}", seen, interval);
        }
    }
}
