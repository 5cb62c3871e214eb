//! Many measured times in a few figures.

use ktstr_model::TimeSample;
use serde::{Deserialize, Serialize};

/// The figures of a [`TimeSample`], in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Times {
    /// How many times were measured.
    pub count: u64,
    /// Their mean.
    pub mean_ns: f64,
    /// The median of the sample that was kept.
    pub p50_ns: u64,
    /// The 99th percentile of it.
    pub p99_ns: u64,
    /// The largest of all.
    pub max_ns: u64,
}

impl Times {
    /// The figures of a sample; `None` when nothing was measured.
    pub fn of(sample: &TimeSample) -> Option<Self> {
        let mut kept = sample.kept_ns.clone();
        kept.sort_unstable();
        let (p50_ns, p99_ns) = (percentile(&kept, 50)?, percentile(&kept, 99)?);
        Some(Self { count: sample.count, mean_ns: sample.mean_ns(), p50_ns, p99_ns, max_ns: sample.max_ns })
    }
}

/// The smallest value that at least `percent` % of the sorted values do not exceed (the nearest rank).
fn percentile(sorted: &[u64], percent: usize) -> Option<u64> {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn few_times_have_figures_too() {
        assert_eq!(Times::of(&TimeSample::default()), None);
        let sample = |kept: &[u64]| TimeSample {
            count: kept.len() as u64,
            sum_ns: kept.iter().sum(),
            max_ns: kept.iter().copied().max().unwrap_or(0),
            kept_ns: kept.to_vec(),
            ..TimeSample::default()
        };
        let one = Times { count: 1, mean_ns: 7.0, p50_ns: 7, p99_ns: 7, max_ns: 7 };
        assert_eq!(Times::of(&sample(&[7])), Some(one));
        let two = Times { count: 2, mean_ns: 5.0, p50_ns: 3, p99_ns: 7, max_ns: 7 };
        assert_eq!(Times::of(&sample(&[7, 3])), Some(two));
    }

    proptest! {
        #[test]
        fn a_percentile_has_its_share_below_it(mut values in prop::collection::vec(0u64..50, 1..200), percent in 0usize..=100) {
            values.sort_unstable();
            let found = percentile(&values, percent).unwrap();
            let count = |keep: &dyn Fn(u64) -> bool| values.iter().filter(|value| keep(**value)).count();
            prop_assert!(count(&|value| value <= found) * 100 >= values.len() * percent);
            prop_assert!(count(&|value| value < found) * 100 < values.len() * percent.max(1));
        }
    }
}
