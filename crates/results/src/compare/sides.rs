//! Which runs are on which side, in which cell.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use ktstr_model::{Mode, Verdict};

use super::Question;
use super::cell::Cell;
use crate::choose::{Unclear, choose};
use crate::dimension::Dimension;
use crate::error::{ResultsError, list};
use crate::sample::Sample;

/// One side.
pub(super) struct SideCells<'a> {
    pub value: String,
    pub cells: BTreeMap<Cell, Vec<&'a Sample>>,
    pub without_verdict: usize,
    pub repeats: usize,
}

/// Both.
pub(super) struct Sides<'a> {
    pub a: SideCells<'a>,
    pub b: SideCells<'a>,
}

/// No cell is on both sides.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "no cell is on both sides, so there is nothing to compare\n  {by} `{a}` has {}\n  {by} `{b}` has {}\n  runs are \
     compared where they agree in {}{}",
    cells(.cells_a), cells(.cells_b), words(.agree), hint(.would_match)
)]
pub struct NoCommonCells {
    /// What tells the sides apart.
    pub by: Dimension,
    /// Side A's value.
    pub a: String,
    /// Side B's value.
    pub b: String,
    /// Side A's cells.
    pub cells_a: Vec<Cell>,
    /// Side B's cells.
    pub cells_b: Vec<Cell>,
    /// In what runs have to agree.
    pub agree: Vec<Dimension>,
    /// Each of these, if it were ignored, would make cells common.
    pub would_match: Vec<Dimension>,
}

fn words(dimensions: &[Dimension]) -> String {
    dimensions.iter().map(|dimension| dimension.name()).collect::<Vec<_>>().join(", ")
}

fn cells(cells: &[Cell]) -> String {
    const SHOWN: usize = 4;
    let names: Vec<String> = cells.iter().take(SHOWN).map(ToString::to_string).collect();
    match cells.len() {
        0 => "no run with a verdict on the scheduler".to_owned(),
        count if count > SHOWN => format!("{} and {} more", list(&names), count - SHOWN),
        _ => list(&names),
    }
}

fn hint(would_match: &[Dimension]) -> String {
    let hints: Vec<String> = would_match.iter().map(|dimension| format!("`--ignore {dimension}`")).collect();
    if hints.is_empty() { String::new() } else { format!("; {} would make cells common", hints.join(" or ")) }
}

/// The dimensions in which runs of one cell agree.
fn cell_dimensions(question: &Question) -> Vec<Dimension> {
    let by = question.by;
    let is_free = |dimension: Dimension| {
        // A run folder is a kernel and a commit.
        let of_run = by == Dimension::Run && [Dimension::Kernel, Dimension::Commit].contains(&dimension);
        dimension == by
            || of_run
            || [Dimension::Run, Dimension::Seed].contains(&dimension)
            || question.ignored.contains(&dimension)
    };
    Dimension::ALL.into_iter().filter(|dimension| !is_free(*dimension)).collect()
}

pub(super) fn split<'a>(samples: &'a [Sample], question: &Question) -> Result<Sides<'a>, ResultsError> {
    let by = question.by;
    let values: BTreeSet<String> = samples.iter().map(|sample| by.value(sample)).collect();
    let values: Vec<String> = values.into_iter().collect();
    let value_of = |text: &str| match choose(text, &values) {
        Ok(at) => Ok(values[at].clone()),
        Err(Unclear::Ambiguous(candidates)) => {
            Err(ResultsError::Ambiguous { name: text.to_owned(), candidates })
        }
        Err(Unclear::Unknown(near)) => {
            Err(ResultsError::NoSuchSide { dimension: by, value: text.to_owned(), near })
        }
    };
    let (a, b) = (value_of(&question.a)?, value_of(&question.b)?);
    if a == b {
        return Err(ResultsError::SameSide { dimension: by, value: a });
    }
    let agree = cell_dimensions(question);
    let side = |value: String| SideCells::of(samples, by, value, &agree);
    let sides = Sides { a: side(a), b: side(b) };
    if sides.a.cells.keys().any(|cell| sides.b.cells.contains_key(cell)) {
        return Ok(sides);
    }
    Err(ResultsError::NoCommonCells(Box::new(NoCommonCells {
        by,
        would_match: agree.iter().copied().filter(|dimension| sides.match_without(*dimension)).collect(),
        cells_a: sides.a.cells.into_keys().collect(),
        cells_b: sides.b.cells.into_keys().collect(),
        a: sides.a.value,
        b: sides.b.value,
        agree,
    })))
}

impl Sides<'_> {
    fn match_without(&self, dimension: Dimension) -> bool {
        let without = |side: &SideCells<'_>| -> BTreeSet<Cell> {
            let reduced = side.cells.keys().cloned().map(|mut cell| {
                cell.0.remove(&dimension);
                cell
            });
            reduced.collect()
        };
        !without(&self.a).is_disjoint(&without(&self.b))
    }
}

impl<'a> SideCells<'a> {
    fn of(samples: &'a [Sample], by: Dimension, value: String, agree: &[Dimension]) -> Self {
        let mut side = Self { value, cells: BTreeMap::new(), without_verdict: 0, repeats: 0 };
        let mut seen = HashSet::new();
        for sample in samples.iter().filter(|sample| by.value(sample) == side.value) {
            if !matches!(sample.verdict, Verdict::Pass | Verdict::Fail) {
                side.without_verdict += 1;
                continue;
            }
            let cell = Cell::of(sample, agree);
            let digest = sample.digest.filter(|_| sample.mode == Some(Mode::Deterministic));
            if digest.is_some_and(|digest| !seen.insert((cell.clone(), digest))) {
                side.repeats += 1;
                continue;
            }
            side.cells.entry(cell).or_default().push(sample);
        }
        side
    }
}
