//! One figure of one cell, compared.

use ktstr_model::Verdict;
use serde::Serialize;

use super::Thresholds;
use super::cell::ComparedCell;
use crate::figure::{Figure, Polarity};
use crate::sample::Sample;
use crate::statistics::{Interval, adjust_for_many, difference_of_means, fisher, hedges_g, mean, welch};

/// The largest share of false ones among the differences that are claimed.
const LEVEL: f64 = 0.05;
/// The figure of runs that passed.
const PASSED: &str = "passed";

/// What a comparison came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Conclusion {
    /// B is worse than A.
    Worse,
    /// B is better than A.
    Better,
    /// B differs from A in a figure that is neither better nor worse.
    Differs,
    /// No difference that matters was found.
    Same,
    /// A side has fewer than two samples, from which nothing can be concluded.
    TooFew,
}

/// A figure on one side.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Side {
    /// Samples that have it.
    pub samples: usize,
    /// Their mean.
    pub mean: f64,
}

/// A figure on both sides.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ComparedFigure {
    /// Its name.
    pub name: String,
    /// Its unit.
    pub unit: String,
    /// Which way it is better.
    pub polarity: Polarity,
    /// Side A.
    pub a: Side,
    /// Side B.
    pub b: Side,
    /// B's mean minus A's.
    pub change: f64,
    /// That in percent of A's mean; `None` when A's mean is zero.
    pub change_pct: Option<f64>,
    /// The 95 % bootstrap interval of the change.
    pub interval: Option<Interval>,
    /// Hedges' g; infinite (null in JSON) when neither side varies.
    pub effect: Option<f64>,
    /// How likely so large a difference is without a cause, adjusted for the number of comparisons.
    pub p: Option<f64>,
    /// What follows.
    pub conclusion: Conclusion,
    /// Every sample has the same value by the figure's nature.
    #[serde(skip)]
    is_exact: bool,
}

impl ComparedFigure {
    /// The share of runs that passed, in percent.
    pub(super) fn passed(a: &[&Sample], b: &[&Sample]) -> Self {
        let did = |run: &&Sample| run.verdict == Verdict::Pass;
        let values = |runs: &[&Sample]| -> Vec<f64> {
            runs.iter().map(|run| if did(run) { 100.0 } else { 0.0 }).collect()
        };
        let counts = |runs: &[&Sample]| {
            let passed = runs.iter().filter(|run| did(run)).count() as u64;
            (passed, runs.len() as u64 - passed)
        };
        let figure = Figure::new(PASSED, "%", 0.0, Polarity::HigherBetter);
        let compared = Self::of_values(&figure, &values(a), &values(b));
        Self { p: compared.p.map(|_| fisher(counts(a), counts(b))), ..compared }
    }

    /// The figure `name`, if both sides have it.
    pub(super) fn of(name: &str, a: &[&Sample], b: &[&Sample]) -> Option<Self> {
        let figures = |runs: &[&Sample]| -> Vec<Figure> {
            let complete = runs.iter().filter(|run| run.ran_to_the_end());
            complete.flat_map(|run| run.figures.iter().find(|figure| figure.name == name)).cloned().collect()
        };
        let (a, b) = (figures(a), figures(b));
        let values = |figures: &[Figure]| figures.iter().map(|figure| figure.value).collect::<Vec<_>>();
        b.first()?;
        let last = a.last()?;
        let mut compared = Self::of_values(last, &values(&a), &values(&b));
        let is_constant = |figures: &[Figure]| {
            figures.iter().all(|figure| figure.is_exact && figure.value == figures[0].value)
        };
        compared.is_exact = is_constant(&a) && is_constant(&b);
        Some(compared)
    }

    fn of_values(figure: &Figure, a: &[f64], b: &[f64]) -> Self {
        let side = |values: &[f64]| Side { samples: values.len(), mean: mean(values) };
        let (side_a, side_b) = (side(a), side(b));
        let change = side_b.mean - side_a.mean;
        let is_enough = a.len() > 1 && b.len() > 1;
        Self {
            name: figure.name.clone(),
            unit: figure.unit.clone(),
            polarity: figure.polarity,
            a: side_a,
            b: side_b,
            change,
            change_pct: (side_a.mean != 0.0).then(|| change / side_a.mean.abs() * 100.0),
            interval: is_enough.then(|| difference_of_means(a, b)),
            effect: is_enough.then(|| hedges_g(a, b)),
            p: is_enough.then(|| welch(a, b)),
            conclusion: Conclusion::TooFew,
            is_exact: false,
        }
    }

    fn matters(&self, thresholds: Thresholds) -> bool {
        match (self.unit.as_str(), self.change_pct) {
            ("%", _) => self.change.abs() >= thresholds.min_points,
            (_, Some(percent)) => percent.abs() >= thresholds.min_change_pct,
            (_, None) => self.change != 0.0,
        }
    }

    /// Whether chance had a say: not so for a figure that has one value everywhere, as migrations between nodes have on a
    /// machine with one.
    fn is_doubtful(&self) -> bool {
        !self.is_exact && self.interval.is_some_and(|interval| (interval.low, interval.high) != (0.0, 0.0))
    }

    fn is_certain(&self, thresholds: Thresholds) -> bool {
        let excludes_zero = self.interval.is_some_and(Interval::excludes_zero);
        let is_large = self.effect.is_some_and(|effect| effect.abs() >= thresholds.min_effect);
        self.is_exact || excludes_zero && is_large && self.p.is_some_and(|p| p < LEVEL)
    }

    fn concluded(&self, thresholds: Thresholds) -> Conclusion {
        if !self.is_exact && self.p.is_none() {
            return Conclusion::TooFew;
        }
        if !self.is_certain(thresholds) || !self.matters(thresholds) {
            return Conclusion::Same;
        }
        match (self.polarity, self.change > 0.0) {
            (Polarity::Neutral, _) => Conclusion::Differs,
            (Polarity::HigherBetter, true) | (Polarity::LowerBetter, false) => Conclusion::Better,
            _ => Conclusion::Worse,
        }
    }
}

/// Adjusts the p-values of all figures of all cells together and concludes.
pub(super) fn conclude(cells: &mut [ComparedCell], thresholds: Thresholds) {
    let mut figures: Vec<&mut ComparedFigure> = cells.iter_mut().flat_map(|cell| &mut cell.figures).collect();
    let raw: Vec<f64> =
        figures.iter().filter(|figure| figure.is_doubtful()).filter_map(|figure| figure.p).collect();
    let mut adjusted = adjust_for_many(&raw).into_iter();
    for figure in &mut figures {
        if figure.is_doubtful() {
            figure.p = adjusted.next();
        }
        figure.conclusion = figure.concluded(thresholds);
    }
}
