//! The runs of a folder, cell by cell.

use std::collections::BTreeMap;

use ktstr_model::{Cause, Verdict};
use serde::Serialize;

use crate::compare::Cell;
use crate::dimension::Dimension;
use crate::figure::Polarity;
use crate::sample::Sample;
use crate::statistics::mean;

/// The runs of one cell: those that differ in their seeds at most.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CellSummary {
    /// Which one.
    pub cell: Cell,
    /// How many runs came to each verdict.
    pub verdicts: BTreeMap<String, usize>,
    /// The verdict of the last run.
    pub last_verdict: Verdict,
    /// Why.
    pub last_cause: Cause,
    /// Figures of the runs that went to their end.
    pub figures: Vec<SummedFigure>,
}

/// A figure of several runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SummedFigure {
    /// Its name.
    pub name: String,
    /// Its unit.
    pub unit: String,
    /// Which way it is better.
    pub polarity: Polarity,
    /// Runs that have it.
    pub runs: usize,
    /// Its mean over them.
    pub mean: f64,
}

impl CellSummary {
    /// A figure by its name.
    pub fn figure(&self, name: &str) -> Option<&SummedFigure> {
        self.figures.iter().find(|figure| figure.name == name)
    }

    fn of(cell: Cell, runs: &[&Sample], last: &Sample) -> Self {
        let mut verdicts = BTreeMap::new();
        runs.iter().for_each(|run| *verdicts.entry(run.verdict.to_string()).or_default() += 1);
        let mut values = BTreeMap::<&str, (&Sample, Vec<f64>)>::new();
        for run in runs.iter().filter(|run| run.ran_to_the_end()) {
            for figure in &run.figures {
                values.entry(&figure.name).or_insert((run, Vec::new())).1.push(figure.value);
            }
        }
        let summed = |(name, (run, values)): (&str, (&Sample, Vec<f64>))| {
            let figure = run.figures.iter().find(|figure| figure.name == name)?;
            Some(SummedFigure {
                name: name.to_owned(),
                unit: figure.unit.clone(),
                polarity: figure.polarity,
                runs: values.len(),
                mean: mean(&values),
            })
        };
        Self {
            cell,
            verdicts,
            last_verdict: last.verdict,
            last_cause: last.cause,
            figures: values.into_iter().filter_map(summed).collect(),
        }
    }
}

/// The cells of `samples`, which come the oldest first.
pub fn summarize(samples: &[Sample]) -> Vec<CellSummary> {
    let dimensions: Vec<Dimension> = Dimension::ALL
        .into_iter()
        .filter(|dimension| ![Dimension::Run, Dimension::Seed].contains(dimension))
        .collect();
    let mut cells = BTreeMap::<Cell, Vec<&Sample>>::new();
    for sample in samples {
        cells.entry(Cell::of(sample, &dimensions)).or_default().push(sample);
    }
    let summary = |(cell, runs): (Cell, Vec<&Sample>)| {
        let last = *runs.last()?;
        Some(CellSummary::of(cell, &runs, last))
    };
    cells.into_iter().filter_map(summary).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::tests::sample;

    #[test]
    fn runs_of_one_cell_are_counted_and_averaged() {
        let mut samples = vec![
            sample("t", "a", 1, &[("latency", 10.0)]),
            sample("t", "a", 2, &[("latency", 20.0)]),
            sample("t", "a", 3, &[("latency", 900.0)]),
            sample("t", "b", 1, &[]),
        ];
        (samples[2].verdict, samples[2].cause) = (Verdict::Fail, Cause::SchedulerDied);
        let cells = summarize(&samples);
        assert_eq!(cells.len(), 2);
        let verdicts: Vec<(&str, usize)> =
            cells[0].verdicts.iter().map(|(verdict, count)| (verdict.as_str(), *count)).collect();
        assert_eq!(verdicts, [("fail", 1), ("pass", 2)]);
        assert_eq!((cells[0].last_verdict, cells[0].last_cause), (Verdict::Fail, Cause::SchedulerDied));
        let latency = cells[0].figure("latency").unwrap();
        assert_eq!((latency.runs, latency.mean), (2, 15.0));
    }
}
