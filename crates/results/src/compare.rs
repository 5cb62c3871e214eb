//! Comparing two sides of a set of runs.
//!
//! Runs are grouped into *cells*, in which all dimensions agree but the seed and the one by which the sides are told apart.
//! In each cell that is on both sides each figure is compared: with several samples a side by a bootstrap interval of the
//! difference of means, by Hedges' g, and by Welch's test (shares of passed runs by Fisher's), adjusted for the number of
//! comparisons made. A difference is claimed only when all of them and the smallest change that matters agree; see
//! [`Thresholds`].
//!
//! In deterministic mode runs of one digest are one sample, however often they were repeated.

mod cell;
mod figure;
mod sides;

use serde::Serialize;

use crate::dimension::Dimension;
use crate::error::ResultsError;
use crate::sample::Sample;

pub use cell::{Cell, ComparedCell};
pub use figure::{ComparedFigure, Conclusion, Side};
pub use sides::NoCommonCells;

/// From when on a difference is claimed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Thresholds {
    /// The least absolute value of Hedges' g: differences of means in standard deviations of single runs.
    pub min_effect: f64,
    /// The least change in percent of side A's mean.
    pub min_change_pct: f64,
    /// The least change of a figure that is in percent itself, in points: of a share of 0.1 % a half more is nothing.
    pub min_points: f64,
}

impl Default for Thresholds {
    /// A large effect in Cohen's words, and a change of 5 % or of one point.
    fn default() -> Self {
        Self { min_effect: 0.8, min_change_pct: 5.0, min_points: 1.0 }
    }
}

/// What is to be compared.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// What tells the sides apart.
    pub by: Dimension,
    /// Side A: a value in that dimension, or the beginning of one.
    pub a: String,
    /// Side B.
    pub b: String,
    /// Dimensions in which the runs of a cell may differ.
    pub ignored: Vec<Dimension>,
    /// From when on a difference is claimed.
    pub thresholds: Thresholds,
}

/// Two sides, compared.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// What tells the sides apart.
    pub by: Dimension,
    /// Side A's value.
    pub a: String,
    /// Side B's value.
    pub b: String,
    /// From when on a difference was claimed.
    pub thresholds: Thresholds,
    /// The cells that are on both sides.
    pub cells: Vec<ComparedCell>,
    /// Cells of side A alone.
    pub only_a: Vec<Cell>,
    /// Cells of side B alone.
    pub only_b: Vec<Cell>,
    /// Runs that were not samples: skipped, inconclusive or broken.
    pub without_verdict: usize,
    /// Runs that were no samples of their own: repeats of one digest.
    pub repeats: usize,
}

impl Comparison {
    /// How many figures came to `conclusion`.
    pub fn count(&self, conclusion: Conclusion) -> usize {
        let figures = self.cells.iter().flat_map(|cell| &cell.figures);
        figures.filter(|figure| figure.conclusion == conclusion).count()
    }

    /// Whether B is worse than A in a figure.
    pub fn has_regression(&self) -> bool {
        self.count(Conclusion::Worse) > 0
    }

    /// Whether nothing can be concluded at all, for want of samples.
    pub fn is_inconclusive(&self) -> bool {
        self.cells
            .iter()
            .all(|cell| cell.figures.iter().all(|figure| figure.conclusion == Conclusion::TooFew))
    }
}

/// Compares two sides of `samples`.
///
/// # Errors
/// When a side is not there or not clear, or when no cell is on both.
pub fn compare(samples: &[Sample], question: &Question) -> Result<Comparison, ResultsError> {
    let Question { by, thresholds, .. } = *question;
    let sides = sides::split(samples, question)?;
    let mut comparison = Comparison {
        by,
        a: sides.a.value,
        b: sides.b.value,
        thresholds,
        cells: Vec::new(),
        only_a: Vec::new(),
        only_b: Vec::new(),
        without_verdict: sides.a.without_verdict + sides.b.without_verdict,
        repeats: sides.a.repeats + sides.b.repeats,
    };
    let mut rest = sides.b.cells;
    for (cell, a) in sides.a.cells {
        match rest.remove(&cell) {
            Some(b) => comparison.cells.push(ComparedCell::new(cell, &a, &b)),
            None => comparison.only_a.push(cell),
        }
    }
    comparison.only_b = rest.into_keys().collect();
    figure::conclude(&mut comparison.cells, thresholds);
    Ok(comparison)
}

#[cfg(test)]
pub(crate) mod tests;
