//! Figures in a program's output, and their bounds.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Which way a figure is better, for comparing runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Polarity {
    /// More is better, as of throughput.
    HigherBetter,
    /// Less is better, as of latency.
    LowerBetter,
    /// Neither.
    #[default]
    Neutral,
}

/// Where a figure stands in a program's output. Standard output is looked through first, then standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricSource {
    /// In a JSON document, at this path: keys and indices joined by dots, as in `jobs.0.read.iops`. A path that begins
    /// with a slash is a JSON pointer (RFC 6901), for keys that have dots themselves. The last document that has the
    /// path counts.
    Json(&'static str),
    /// What the first group of this regular expression matches; the last match counts. `^` and `$` stand for the
    /// beginning and the end of a line.
    Pattern(&'static str),
}

impl fmt::Display for MetricSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(path) => write!(f, "JSON path `{path}`"),
            Self::Pattern(pattern) => write!(f, "pattern `{pattern}`"),
        }
    }
}

/// A figure in a program's output.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Metric {
    /// Its name in results.
    pub name: &'static str,
    /// Where it stands.
    pub source: MetricSource,
    /// Its unit, such as `us`; empty when it has none.
    pub unit: &'static str,
    /// Which way it is better.
    pub polarity: Polarity,
}

impl Metric {
    const fn of(name: &'static str, source: MetricSource) -> Self {
        Self { name, source, unit: "", polarity: Polarity::Neutral }
    }

    /// The number at a path of a JSON document; see [`MetricSource::Json`].
    pub const fn json(name: &'static str, path: &'static str) -> Self {
        Self::of(name, MetricSource::Json(path))
    }

    /// The number that the first group of a regular expression matches; see [`MetricSource::Pattern`].
    pub const fn pattern(name: &'static str, pattern: &'static str) -> Self {
        Self::of(name, MetricSource::Pattern(pattern))
    }

    /// Its unit.
    pub const fn unit(self, unit: &'static str) -> Self {
        Self { unit, ..self }
    }

    /// More is better.
    pub const fn higher_is_better(self) -> Self {
        Self { polarity: Polarity::HigherBetter, ..self }
    }

    /// Less is better.
    pub const fn lower_is_better(self) -> Self {
        Self { polarity: Polarity::LowerBetter, ..self }
    }
}

/// Bounds of a figure, themselves allowed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MetricCheck {
    /// The figure's name.
    pub metric: &'static str,
    /// The least that is allowed.
    pub min: Option<f64>,
    /// The most that is allowed.
    pub max: Option<f64>,
    /// Judged in real-time mode only. In deterministic mode virtual CPUs take turns, so that rates and short latencies
    /// tell of the emulator.
    pub real_time_only: bool,
}

impl MetricCheck {
    /// At least this much.
    pub const fn min(metric: &'static str, least: f64) -> Self {
        Self { metric, min: Some(least), max: None, real_time_only: false }
    }

    /// At most this much.
    pub const fn max(metric: &'static str, most: f64) -> Self {
        Self { metric, min: None, max: Some(most), real_time_only: false }
    }

    /// From `least` to `most`.
    pub const fn range(metric: &'static str, least: f64, most: f64) -> Self {
        Self { metric, min: Some(least), max: Some(most), real_time_only: false }
    }

    /// Judged in real-time mode only; in deterministic mode a note says that it was not.
    pub const fn in_real_time(self) -> Self {
        Self { real_time_only: true, ..self }
    }
}
