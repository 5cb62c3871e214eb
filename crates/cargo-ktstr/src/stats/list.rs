//! `cargo ktstr stats list`

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::UNIX_EPOCH;

use anyhow::Result;
use ktstr_kernel::format_age;
use ktstr_results::{RecordFolder, ResultsError, RunFolder};
use serde::Serialize;

use super::table::{lines, table};
use super::{print, print_json, tell_bad};

/// List the folders of runs, the newest first
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  cargo ktstr stats list\n  cargo ktstr stats list --json")]
pub struct Args {}

/// One folder.
#[derive(Serialize)]
struct Row {
    run: String,
    folder: String,
    /// As the folder's name says; null when it has another name.
    kernel: Option<String>,
    commit: Option<String>,
    records: usize,
    verdicts: BTreeMap<String, usize>,
    bad_records: usize,
    /// When a record was last added, in seconds since 1970.
    changed_at: u64,
    #[serde(skip)]
    age: String,
}

/// Prints the folders of runs.
pub fn run(place: &RecordFolder, json: bool) -> Result<ExitCode> {
    let rows: Vec<Row> = place.runs()?.iter().map(row).collect::<Result<_>>()?;
    if json {
        print_json(&rows)?;
        return Ok(ExitCode::SUCCESS);
    }
    if rows.is_empty() {
        return Err(ResultsError::NoRuns(place.root().to_owned()).into());
    }
    let mut table = table(&["RUN", "KERNEL", "COMMIT", "VERDICTS", "RECORDS", "BAD", "AGE"], 4);
    for row in &rows {
        let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let verdicts: Vec<String> =
            row.verdicts.iter().rev().map(|(verdict, count)| format!("{count} {verdict}")).collect();
        table.add_row([
            row.run.clone(),
            or_dash(&row.kernel),
            or_dash(&row.commit),
            verdicts.join(", "),
            row.records.to_string(),
            row.bad_records.to_string(),
            row.age.clone(),
        ]);
    }
    print(&format!("{}:\n{}", place.root().display(), lines(&table)))?;
    Ok(ExitCode::SUCCESS)
}

fn row(run: &RunFolder) -> Result<Row> {
    let samples = run.samples()?;
    tell_bad(&samples.bad, samples.read.len());
    let mut verdicts = BTreeMap::new();
    samples.read.iter().for_each(|run| *verdicts.entry(run.verdict.to_string()).or_default() += 1);
    let names = run.names();
    Ok(Row {
        run: run.name.clone(),
        folder: run.path.display().to_string(),
        kernel: names.as_ref().map(|names| names.kernel.clone()),
        commit: names.map(|names| names.commit.to_string()),
        records: samples.read.len(),
        verdicts,
        bad_records: samples.bad.len(),
        changed_at: run.changed.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs(),
        age: format_age(run.changed.elapsed().unwrap_or_default()),
    })
}
