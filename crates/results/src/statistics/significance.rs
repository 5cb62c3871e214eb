//! How likely a difference is when there is none.

use statrs::distribution::{ContinuousCDF as _, StudentsT};
use statrs::stats_tests::{Alternative, fisher::fishers_exact};

use super::effect::{mean, variance};

/// The two-sided p-value of Welch's t-test, which lets the sides vary differently and be few. Two values a side are needed.
pub(crate) fn welch(a: &[f64], b: &[f64]) -> f64 {
    let difference = mean(b) - mean(a);
    if difference == 0.0 {
        return 1.0;
    }
    let [error_a, error_b] = [a, b].map(|values| variance(values) / values.len() as f64);
    let error = error_a + error_b;
    if error == 0.0 {
        return constant_sides(a.len(), b.len());
    }
    let part = |error: f64, count: usize| error * error / (count - 1) as f64;
    let freedom = error * error / (part(error_a, a.len()) + part(error_b, b.len()));
    let t = difference.abs() / error.sqrt();
    StudentsT::new(0.0, 1.0, freedom).map_or(1.0, |distribution| 2.0 * distribution.sf(t))
}

/// Of two sides that do not vary at all: how often a deal of the values at random parts them so, in either direction.
fn constant_sides(a: usize, b: usize) -> f64 {
    let smaller = a.min(b);
    let deals = (1..=smaller).fold(1.0, |deals, n| deals * (a + b - smaller + n) as f64 / n as f64);
    (2.0 / deals).min(1.0)
}

/// The two-sided p-value of Fisher's exact test of two shares, each as (how many did, how many did not).
pub(crate) fn fisher(a: (u64, u64), b: (u64, u64)) -> f64 {
    fishers_exact(&[a.0, a.1, b.0, b.1], Alternative::TwoSided).unwrap_or(1.0)
}

/// Adjusts the p-values of many comparisons made at once, so that of all differences that are then claimed at a level no
/// larger share is expected to be false (Benjamini and Hochberg 1995).
pub(crate) fn adjust_for_many(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*b].total_cmp(&values[*a]));
    let mut adjusted = vec![1.0; values.len()];
    let mut least: f64 = 1.0;
    for (from_top, at) in order.into_iter().enumerate() {
        let rank = values.len() - from_top;
        least = least.min(values[at] * (values.len() as f64 / rank as f64));
        adjusted[at] = least;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn welch_agrees_with_a_worked_example() {
        // Variances 2.5 and 10, so t = 3 / sqrt(2.5) with 5.88 degrees of freedom, integrated numerically.
        let (a, b) = ([1.0, 2.0, 3.0, 4.0, 5.0], [2.0, 4.0, 6.0, 8.0, 10.0]);
        let p = welch(&a, &b);
        assert!((p - 0.107531).abs() < 1e-6, "{p}");
        assert_eq!(welch(&a, &a), 1.0);
        assert!(welch(&[1.0, 2.0], &[101.0, 103.0]) < 0.01);
    }

    #[test]
    fn sides_that_do_not_vary_are_as_unlikely_as_their_deal() {
        assert!((welch(&[1.0; 2], &[2.0; 2]) - 2.0 / 6.0).abs() < 1e-12);
        assert!((welch(&[1.0; 5], &[2.0; 5]) - 2.0 / 252.0).abs() < 1e-12);
        assert!((welch(&[1.0; 2], &[2.0; 8]) - 2.0 / 45.0).abs() < 1e-12);
    }

    #[test]
    fn shares_are_compared_exactly() {
        assert!((fisher((5, 0), (0, 5)) - 2.0 / 252.0).abs() < 1e-9);
        assert!((fisher((5, 0), (5, 0)) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn many_comparisons_are_adjusted() {
        let adjusted = adjust_for_many(&[0.01, 0.04, 0.03, 0.5]);
        let expected = [0.04, 0.04 * 4.0 / 3.0, 0.04 * 4.0 / 3.0, 0.5];
        assert!(adjusted.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{adjusted:?}");
        assert_eq!(adjust_for_many(&[]), Vec::<f64>::new());
    }

    proptest! {
        #[test]
        fn adjusting_never_helps_and_keeps_the_order(values in prop::collection::vec(0.0..1.0, 0..40)) {
            let adjusted = adjust_for_many(&values);
            for (at, value) in values.iter().enumerate() {
                prop_assert!(*value <= adjusted[at] && adjusted[at] <= 1.0);
                for (other, more) in values.iter().enumerate() {
                    prop_assert!(value > more || adjusted[at] <= adjusted[other]);
                }
            }
        }
    }
}
