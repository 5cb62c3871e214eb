//! What `cargo ktstr test` says at its end: one table of all runs that left a record.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use comfy_table::{Table, presets};
use ktstr_model::Verdict;
use ktstr_results::{Phases, Record};
use serde::Serialize;

/// Slowest runs that are named.
const SLOWEST: usize = 3;
/// Runs of one verdict that are named.
const NAMED: usize = 10;
/// Letters of a reason that are shown.
const REASON: usize = 100;

/// All verdicts, in the order in which they are counted.
const VERDICTS: [Verdict; 5] =
    [Verdict::Pass, Verdict::Fail, Verdict::Skip, Verdict::Inconclusive, Verdict::Broken];

/// The figures of a command's runs. Times end in their unit.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Summary {
    /// How many runs came to each verdict.
    runs: BTreeMap<String, usize>,
    /// How many of them were cells of each kind.
    cells: BTreeMap<String, usize>,
    /// What a budget left out.
    left_out: Option<LeftOut>,
    /// The runs that did not pass, in the order in which they began.
    not_passed: Vec<NotPassed>,
    /// The slowest runs, waiting aside.
    slowest: Vec<Slow>,
    templates: Templates,
    time: Times,
}

/// Cells that a budget left no time for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct LeftOut {
    /// How many.
    pub cells: usize,
    /// The budget.
    pub budget_s: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct NotPassed {
    name: String,
    verdict: Verdict,
    headline: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Slow {
    name: String,
    busy_ms: f64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
struct Templates {
    built: usize,
    used: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
struct Times {
    boot_ms: f64,
    load_ms: f64,
    clone_ms: f64,
    run_ms: f64,
    wait_ms: f64,
}

impl Summary {
    /// Sums up.
    pub fn of(records: &[Record], left_out: Option<LeftOut>) -> Self {
        let mut summary = Self { left_out, ..Self::default() };
        for record in records {
            summary.add(record);
        }
        summary.slowest.sort_by(|a, b| b.busy_ms.total_cmp(&a.busy_ms));
        summary.slowest.truncate(SLOWEST);
        let templates = || records.iter().filter_map(|record| record.template.as_ref());
        summary.templates = Templates {
            built: templates().filter(|template| template.fresh).count(),
            used: templates().map(|template| &template.key).collect::<BTreeSet<_>>().len(),
        };
        summary
    }

    fn add(&mut self, record: &Record) {
        let name = record.cell.as_ref().unwrap_or(&record.test);
        *self.runs.entry(record.verdict.to_string()).or_default() += 1;
        if let Some((kind, _)) = record.cell.as_ref().and_then(|cell| cell.split_once('/')) {
            *self.cells.entry(kind.to_owned()).or_default() += 1;
        }
        if record.verdict != Verdict::Pass {
            let headline = record.headline.clone();
            self.not_passed.push(NotPassed { name: name.clone(), verdict: record.verdict, headline });
        }
        self.slowest.push(Slow { name: name.clone(), busy_ms: record.phases.busy_ms() });
        let Phases { template_ms, load_ms, clone_ms, run_ms, wait_ms, .. } = record.phases;
        if record.template.as_ref().is_some_and(|template| template.fresh) {
            self.time.boot_ms += template_ms;
        }
        self.time.load_ms += load_ms;
        self.time.clone_ms += clone_ms;
        self.time.run_ms += run_ms;
        self.time.wait_ms += wait_ms;
    }

    /// The table; `None` when there is nothing to tell.
    pub fn render(&self) -> Option<String> {
        if self.runs.is_empty() && self.left_out.is_none() {
            return None;
        }
        let mut table = Table::new();
        table.load_preset(presets::NOTHING);
        let of_verdict =
            |verdict: Verdict| Some((verdict.to_string(), *self.runs.get(&verdict.to_string())?));
        table.add_row(["RUNS", &counted(VERDICTS.into_iter().filter_map(of_verdict))]);
        if !self.cells.is_empty() {
            table.add_row(["CELLS", &counted(self.cells.clone())]);
        }
        if let Some(LeftOut { cells, budget_s }) = self.left_out {
            table.add_row(["LEFT OUT", &format!("{cells} cells, by the budget of {budget_s} s")]);
        }
        for verdict in [Verdict::Fail, Verdict::Inconclusive, Verdict::Broken, Verdict::Skip] {
            for line in self.named(verdict) {
                table.add_row([verdict.to_string().to_uppercase(), line]);
            }
        }
        if !self.runs.is_empty() {
            let Templates { built, used } = self.templates;
            table.add_row(["SLOWEST", &self.slowest()]);
            table.add_row(["TEMPLATES", &format!("{built} built, {used} used")]);
            table.add_row(["TIME", &self.time()]);
        }
        Some(table.trim_fmt())
    }

    /// Runs of a verdict with their reasons.
    fn named(&self, verdict: Verdict) -> Vec<String> {
        let runs: Vec<&NotPassed> = self.not_passed.iter().filter(|run| run.verdict == verdict).collect();
        let line = |run: &&NotPassed| format!("{}: {}", run.name, shortened(&run.headline));
        let mut lines: Vec<String> = runs.iter().take(NAMED).map(line).collect();
        if runs.len() > NAMED {
            lines.push(format!("and {} more", runs.len() - NAMED));
        }
        lines
    }

    fn slowest(&self) -> String {
        let named = self.slowest.iter().map(|run| format!("{} {}", run.name, seconds(run.busy_ms)));
        named.collect::<Vec<_>>().join(", ")
    }

    fn time(&self) -> String {
        let Times { boot_ms, load_ms, clone_ms, run_ms, wait_ms } = self.time;
        let parts = [("boot", boot_ms), ("load", load_ms), ("clone", clone_ms), ("run", run_ms)];
        let mut parts = parts.map(|(what, ms)| format!("{what} {}", seconds(ms))).to_vec();
        if wait_ms >= 1000.0 {
            parts.push(format!("waiting for room on the host {}", seconds(wait_ms)));
        }
        parts.join(", ")
    }
}

/// The file that a summary goes into for a script.
pub struct SummaryFile {
    path: PathBuf,
    file: File,
}

impl SummaryFile {
    /// Makes the file, or empties it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn create(path: &Path) -> Result<Self> {
        let file = File::create(path).with_context(|| format!("--summary-json {}", path.display()))?;
        Ok(Self { path: path.to_owned(), file })
    }

    /// Writes the summary.
    ///
    /// # Errors
    /// When there is no room.
    pub fn write(mut self, summary: &Summary) -> Result<()> {
        let text = serde_json::to_string_pretty(summary)? + "\n";
        let written = self.file.write_all(text.as_bytes());
        written.with_context(|| format!("--summary-json {}", self.path.display()))
    }
}

fn seconds(ms: f64) -> String {
    format!("{:.1} s", ms / 1e3)
}

/// `7: 5 pass, 2 fail`.
fn counted(counts: impl IntoIterator<Item = (String, usize)>) -> String {
    let counts: Vec<(String, usize)> = counts.into_iter().collect();
    let all: usize = counts.iter().map(|(_, count)| count).sum();
    let parts: Vec<String> = counts.iter().map(|(word, count)| format!("{count} {word}")).collect();
    if parts.is_empty() { all.to_string() } else { format!("{all}: {}", parts.join(", ")) }
}

fn shortened(reason: &str) -> String {
    let line = reason.lines().next().unwrap_or_default();
    match line.char_indices().nth(REASON) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use ktstr_results::RecordTemplate;

    use super::*;

    fn record(name: &str, verdict: Verdict, fresh: bool, run_ms: f64) -> Record {
        let phases =
            Phases { template_ms: 2000.0, load_ms: 250.0, clone_ms: 100.0, run_ms, ..Phases::default() };
        let template = RecordTemplate { key: "k".to_owned(), fresh, turn_ns: 0, skew_permille: 0 };
        Record {
            cell: name.contains('/').then(|| name.to_owned()),
            verdict,
            phases,
            template: Some(template),
            headline: "worker 3 of cell_0 starved\nmore".to_owned(),
            ..Record::begun(name.to_owned(), "eevdf", 1)
        }
    }

    #[test]
    fn a_run_is_summed_up() {
        let mut records = vec![
            record("steady", Verdict::Pass, true, 1500.0),
            record("gauntlet/steady/tiny-1llc", Verdict::Fail, false, 9500.0),
            record("gauntlet/steady/tiny-2llc", Verdict::Pass, false, 500.0),
            record("kernels/steady/6.18.5", Verdict::Broken, true, 10.0),
            record("gauntlet/steady/max-cpu", Verdict::Skip, false, 0.0),
        ];
        records[4].template = None;
        records[1].phases.wait_ms = 4000.0;
        let summary = Summary::of(&records, Some(LeftOut { cells: 140, budget_s: 600 }));
        insta::assert_snapshot!(summary.render().unwrap(), @r"
        RUNS       5: 2 pass, 1 fail, 1 skip, 1 broken
        CELLS      4: 3 gauntlet, 1 kernels
        LEFT OUT   140 cells, by the budget of 600 s
        FAIL       gauntlet/steady/tiny-1llc: worker 3 of cell_0 starved
        BROKEN     kernels/steady/6.18.5: worker 3 of cell_0 starved
        SKIP       gauntlet/steady/max-cpu: worker 3 of cell_0 starved
        SLOWEST    gauntlet/steady/tiny-1llc 11.8 s, steady 3.9 s, gauntlet/steady/tiny-2llc 2.9 s
        TEMPLATES  2 built, 1 used
        TIME       boot 4.0 s, load 1.2 s, clone 0.5 s, run 11.5 s, waiting for room on the host 4.0 s
        ");
    }

    #[test]
    fn a_script_gets_all_of_it() {
        let mut records = [
            record("steady", Verdict::Pass, true, 1500.0),
            record("gauntlet/steady/tiny-1llc", Verdict::Fail, false, 9500.0),
        ];
        records[0].template = records[0].template.clone().map(|mut template| {
            template.key.push('2');
            template
        });
        let summary = Summary::of(&records, Some(LeftOut { cells: 140, budget_s: 600 }));
        insta::assert_snapshot!(serde_json::to_string_pretty(&summary).unwrap());
    }

    #[test]
    fn many_failures_are_counted_not_listed() {
        let records: Vec<Record> =
            (0..30).map(|n| record(&format!("gauntlet/a{n}/tiny-1llc"), Verdict::Fail, false, 1.0)).collect();
        let text = Summary::of(&records, None).render().unwrap();
        assert_eq!(text.matches("starved").count(), NAMED);
        assert!(text.contains("and 20 more"), "{text}");
    }

    #[test]
    fn without_runs_there_is_nothing_to_tell() {
        assert_eq!(Summary::of(&[], None).render(), None);
    }
}
