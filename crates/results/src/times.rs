//! Many measured times in a few figures.

use ktstr_checks::Distribution;
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
        let kept = Distribution::pooled([sample]);
        let percentile = |percent| kept.percentile(percent).map(|ns| ns as u64);
        Some(Self {
            count: sample.count,
            mean_ns: sample.mean_ns(),
            p50_ns: percentile(50.0)?,
            p99_ns: percentile(99.0)?,
            max_ns: sample.max_ns,
        })
    }
}

#[cfg(test)]
mod tests {
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
}
