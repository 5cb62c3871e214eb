//! Cells: runs that differ in their seeds at most.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

use super::figure::ComparedFigure;
use crate::dimension::Dimension;
use crate::sample::Sample;

/// What all runs of a cell agree in.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Cell(pub BTreeMap<Dimension, String>);

impl Cell {
    /// The cell of `sample` when `dimensions` have to agree.
    pub(crate) fn of(sample: &Sample, dimensions: &[Dimension]) -> Self {
        Self(dimensions.iter().map(|dimension| (*dimension, dimension.value(sample))).collect())
    }
}

impl fmt::Display for Cell {
    /// `TEST (SCHEDULER, TOPOLOGY, KERNEL, MODE, COMMIT)`, as far as the cell has them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values = |of: fn(&Dimension) -> bool| {
            let all = Dimension::ALL.iter().filter(move |dimension| of(dimension));
            all.filter_map(|dimension| self.0.get(dimension).map(String::as_str))
                .collect::<Vec<_>>()
                .join(", ")
        };
        let test = values(|dimension| *dimension == Dimension::Test);
        let rest = values(|dimension| *dimension != Dimension::Test);
        match (test.as_str(), rest.as_str()) {
            ("", "") => f.write_str("all runs"),
            ("", rest) => f.write_str(rest),
            (test, "") => f.write_str(test),
            (test, rest) => write!(f, "{test} ({rest})"),
        }
    }
}

/// A cell that is on both sides.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ComparedCell {
    /// Which one.
    pub cell: Cell,
    /// Samples on side A.
    pub samples_a: usize,
    /// Samples on side B.
    pub samples_b: usize,
    /// Its figures, those that both sides have.
    pub figures: Vec<ComparedFigure>,
}

impl ComparedCell {
    pub(super) fn new(cell: Cell, a: &[&Sample], b: &[&Sample]) -> Self {
        let mut figures = vec![ComparedFigure::passed(a, b)];
        let names: BTreeSet<&str> =
            a.iter().flat_map(|run| &run.figures).map(|figure| figure.name.as_str()).collect();
        figures.extend(names.into_iter().filter_map(|name| ComparedFigure::of(name, a, b)));
        Self { cell, samples_a: a.len(), samples_b: b.len(), figures }
    }
}
