//! The cells of one folder of runs.

use std::collections::BTreeSet;
use std::process::ExitCode;

use anyhow::Result;
use ktstr_results::{CellSummary, Dimension, RunFolder, summarize};
use serde_json::json;

use super::table::{count, lines, table, with_unit};
use super::{bad_words, print, print_json, tell_bad};

/// The figures of the table, with their headings; the others are in `--json` and `stats compare`.
const FIGURES: [(&str, &str); 4] = [
    ("WORK", "work_rate"),
    ("SPREAD", "spread_pct"),
    ("LONGEST GAP", "max_gap_ms"),
    ("WAKE P99", "wake_p99_us"),
];

/// Prints the cells of `run` with their verdicts and main figures.
pub fn run(run: &RunFolder, json: bool) -> Result<ExitCode> {
    let samples = run.samples()?;
    let cells = summarize(&samples.read);
    if json {
        print_json(&json!({
            "run": run.name,
            "folder": run.path,
            "records": samples.read.len(),
            "cells": cells,
            "bad_records": bad_words(&samples.bad),
        }))?;
        return Ok(ExitCode::SUCCESS);
    }
    tell_bad(&samples.bad, samples.read.len());
    let records = count(samples.read.len(), "record");
    print(&format!("{}: {records}, {}\n", run.path.display(), count(cells.len(), "cell")))?;
    if !cells.is_empty() {
        print(&text(&cells))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What all cells have in common in one line, and below it a table of what tells them apart.
fn text(cells: &[CellSummary]) -> String {
    let (apart, common): (Vec<Dimension>, Vec<Dimension>) = Dimension::ALL
        .into_iter()
        .filter(|dimension| cells[0].cell.0.contains_key(dimension))
        .partition(|dimension| *dimension == Dimension::Test || values(cells, *dimension).len() > 1);
    let common: Vec<String> =
        common.into_iter().map(|dimension| format!("{dimension} {}", value(&cells[0], dimension))).collect();
    let mut header: Vec<String> = apart.iter().map(|dimension| dimension.name().to_uppercase()).collect();
    header.extend(["VERDICTS".to_owned(), "LAST".to_owned()]);
    let left = header.len();
    let shown: Vec<_> =
        FIGURES.iter().filter(|(_, name)| cells.iter().any(|cell| cell.figure(name).is_some())).collect();
    header.extend(shown.iter().map(|(heading, _)| (*heading).to_owned()));
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let mut table = table(&header, left);
    for cell in cells {
        let mut row: Vec<String> = apart.iter().map(|dimension| value(cell, *dimension).to_owned()).collect();
        row.extend([verdicts(cell), cell.last_cause.to_string()]);
        row.extend(shown.iter().map(|(_, name)| {
            cell.figure(name).map_or_else(|| "-".to_owned(), |figure| with_unit(figure.mean, &figure.unit))
        }));
        table.add_row(row);
    }
    let common = if common.is_empty() { String::new() } else { format!("all: {}\n", common.join(", ")) };
    common + &lines(&table)
}

fn value(cell: &CellSummary, dimension: Dimension) -> &str {
    cell.cell.0.get(&dimension).map_or("", String::as_str)
}

fn values(cells: &[CellSummary], dimension: Dimension) -> BTreeSet<&str> {
    cells.iter().map(|cell| value(cell, dimension)).collect()
}

/// `4 pass, 1 fail`.
fn verdicts(cell: &CellSummary) -> String {
    let all: Vec<String> =
        cell.verdicts.iter().rev().map(|(verdict, count)| format!("{count} {verdict}")).collect();
    all.join(", ")
}
