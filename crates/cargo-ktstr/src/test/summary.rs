//! What `cargo ktstr test` says at its end: one table of all runs that left a record.

use std::collections::BTreeMap;

use comfy_table::{Table, presets};
use ktstr_model::Verdict;
use ktstr_results::{Phases, Record};

/// Slowest runs that are named.
const SLOWEST: usize = 3;
/// Runs of one verdict that are named.
const NAMED: usize = 10;
/// Letters of a reason that are shown.
const REASON: usize = 100;

/// What a summary is made of.
pub struct Summary<'a> {
    /// The records of all runs.
    pub records: &'a [Record],
    /// Cells that the budget left no time for, and the budget in seconds.
    pub left_out: Option<(usize, u64)>,
}

impl Summary<'_> {
    /// The table; `None` when there is nothing to tell.
    pub fn render(&self) -> Option<String> {
        if self.records.is_empty() && self.left_out.is_none() {
            return None;
        }
        let mut table = Table::new();
        table.load_preset(presets::NOTHING);
        table.add_row(["RUNS", &self.verdicts()]);
        if let Some(cells) = self.cells() {
            table.add_row(["CELLS", &cells]);
        }
        if let Some((count, budget)) = self.left_out {
            table.add_row(["LEFT OUT", &format!("{count} cells, by the budget of {budget} s")]);
        }
        for verdict in [Verdict::Fail, Verdict::Inconclusive, Verdict::Broken, Verdict::Skip] {
            for line in self.named(verdict) {
                table.add_row([verdict.to_string().to_uppercase(), line]);
            }
        }
        if !self.records.is_empty() {
            table.add_row(["SLOWEST", &self.slowest()]);
            table.add_row(["TEMPLATES", &self.templates()]);
            table.add_row(["TIME", &self.time()]);
        }
        Some(table.trim_fmt())
    }

    fn verdicts(&self) -> String {
        let counts = [Verdict::Pass, Verdict::Fail, Verdict::Skip, Verdict::Inconclusive, Verdict::Broken]
            .map(|verdict| {
                (verdict.to_string(), self.records.iter().filter(|r| r.verdict == verdict).count())
            });
        counted(self.records.len(), &counts)
    }

    /// Cells by their kind; `None` when there were none.
    fn cells(&self) -> Option<String> {
        let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
        for cell in self.records.iter().filter_map(|record| record.cell.as_deref()) {
            *kinds.entry(cell.split('/').next().unwrap_or(cell)).or_default() += 1;
        }
        let counts: Vec<_> = kinds.into_iter().map(|(kind, count)| (kind.to_owned(), count)).collect();
        let all = counts.iter().map(|(_, count)| count).sum();
        (all > 0).then(|| counted(all, &counts))
    }

    /// Runs of a verdict with their reasons.
    fn named(&self, verdict: Verdict) -> Vec<String> {
        let runs: Vec<&Record> = self.records.iter().filter(|record| record.verdict == verdict).collect();
        let line = |record: &&Record| format!("{}: {}", name(record), shortened(&record.headline));
        let mut lines: Vec<String> = runs.iter().take(NAMED).map(line).collect();
        if runs.len() > NAMED {
            lines.push(format!("and {} more", runs.len() - NAMED));
        }
        lines
    }

    fn slowest(&self) -> String {
        let mut runs: Vec<(f64, &Record)> =
            self.records.iter().map(|record| (busy_ms(&record.phases), record)).collect();
        runs.sort_by(|a, b| b.0.total_cmp(&a.0));
        let named =
            runs.iter().take(SLOWEST).map(|(ms, record)| format!("{} {}", name(record), seconds(*ms)));
        named.collect::<Vec<_>>().join(", ")
    }

    fn templates(&self) -> String {
        let used: Vec<_> = self.records.iter().filter_map(|record| record.template.as_ref()).collect();
        let built = used.iter().filter(|template| template.fresh).count();
        let mut keys: Vec<&str> = used.iter().map(|template| template.key.as_str()).collect();
        keys.sort_unstable();
        keys.dedup();
        format!("{built} built, {} used", keys.len())
    }

    fn time(&self) -> String {
        // Not `sum`, which gives -0.0 for nothing.
        let add = |sum: f64, ms: f64| sum + ms;
        let sum = |phase: fn(&Phases) -> f64| {
            self.records.iter().map(|record| phase(&record.phases)).fold(0.0, add)
        };
        let fresh = self.records.iter().filter(|record| is_fresh(record));
        let boot = fresh.map(|record| record.phases.template_ms).fold(0.0, add);
        let mut parts = vec![
            format!("boot {}", seconds(boot)),
            format!("load {}", seconds(sum(|phases| phases.load_ms))),
            format!("clone {}", seconds(sum(|phases| phases.clone_ms))),
            format!("run {}", seconds(sum(|phases| phases.run_ms))),
        ];
        let wait = sum(|phases| phases.wait_ms);
        if wait >= 1000.0 {
            parts.push(format!("waiting for room on the host {}", seconds(wait)));
        }
        parts.join(", ")
    }
}

fn is_fresh(record: &Record) -> bool {
    record.template.as_ref().is_some_and(|template| template.fresh)
}

/// All that a run took, but for waiting.
fn busy_ms(phases: &Phases) -> f64 {
    let Phases { resolve_ms, template_ms, load_ms, pack_ms, clone_ms, run_ms, collect_ms, wait_ms: _ } =
        phases;
    resolve_ms + template_ms + load_ms + pack_ms + clone_ms + run_ms + collect_ms
}

fn name(record: &Record) -> &str {
    record.cell.as_ref().unwrap_or(&record.test)
}

fn seconds(ms: f64) -> String {
    format!("{:.1} s", ms / 1e3)
}

/// `7: 5 pass, 2 fail`; of counts that are zero nothing is said.
fn counted(all: usize, counts: &[(String, usize)]) -> String {
    let parts = counts.iter().filter(|(_, count)| *count > 0).map(|(word, count)| format!("{count} {word}"));
    match parts.collect::<Vec<_>>().join(", ") {
        none if none.is_empty() => all.to_string(),
        parts => format!("{all}: {parts}"),
    }
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
        let summary = Summary { records: &records, left_out: Some((140, 600)) };
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
    fn many_failures_are_counted_not_listed() {
        let records: Vec<Record> =
            (0..30).map(|n| record(&format!("gauntlet/a{n}/tiny-1llc"), Verdict::Fail, false, 1.0)).collect();
        let text = Summary { records: &records, left_out: None }.render().unwrap();
        assert_eq!(text.matches("starved").count(), NAMED);
        assert!(text.contains("and 20 more"), "{text}");
    }

    #[test]
    fn without_runs_there_is_nothing_to_tell() {
        assert_eq!(Summary { records: &[], left_out: None }.render(), None);
    }
}
