//! What the workers of each cgroup did, as a table for people.

use std::collections::BTreeMap;

use ktstr_model::{WorkerReport, format_ns};

use crate::distribution::Distribution;
use crate::page_locality::{pages, pages_on};
use crate::words::cgroup_name;

/// The columns that every table has.
const HEADINGS: [&str; 8] =
    ["cgroup", "workers", "CPU time", "off-CPU min", "max", "spread", "work", "migrations"];
/// The columns that a table has when a worker was woken, and when pages were counted.
const WAKES: &str = "p99 wake";
const PAGES: &str = "pages at home";
const LONGEST_GAP: &str = "longest gap";

/// Workers by the name of their cgroup.
pub(crate) fn by_cgroup(workers: &[WorkerReport]) -> BTreeMap<&str, Vec<&WorkerReport>> {
    let mut groups = BTreeMap::<&str, Vec<&WorkerReport>>::new();
    for worker in workers {
        groups.entry(&worker.cgroup).or_default().push(worker);
    }
    groups
}

/// One line for each cgroup under a line of headings: workers, CPU time in all, smallest and largest off-CPU share and
/// their difference in percent points, checkpoints in all, migrations in all, and the longest gap with where it ended. Where
/// there are any, also the 99th percentile of wake latencies, and the share of pages where they belong. Empty without
/// workers.
pub fn cgroup_table(workers: &[WorkerReport]) -> String {
    let groups = by_cgroup(workers);
    if groups.is_empty() {
        return String::new();
    }
    let wakes = workers.iter().any(|worker| worker.wake_latencies.count > 0);
    let counted = workers.iter().any(|worker| pages(worker) > 0);
    let mut headings: Vec<String> = HEADINGS.map(str::to_owned).into();
    headings.extend(wakes.then(|| WAKES.to_owned()));
    headings.extend(counted.then(|| PAGES.to_owned()));
    headings.push(LONGEST_GAP.to_owned());
    let rows = groups.into_iter().map(|(cgroup, workers)| {
        let mut cells: Vec<String> = row(cgroup, &workers).into();
        cells.extend(wakes.then(|| p99_wake(&workers)));
        cells.extend(counted.then(|| pages_at_home(&workers)));
        cells.push(longest_gap(&workers));
        cells
    });
    aligned(&std::iter::once(headings).chain(rows).collect::<Vec<_>>())
}

/// Cells in columns: names and the last column's prose read from the left, figures line up on the right.
fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut table = String::new();
    for row in rows {
        let mut line = String::new();
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let left = column == 0 || column + 1 == columns;
            line += &if left { format!("{cell:<width$}") } else { format!("{cell:>width$}") };
            line += "  ";
        }
        table += line.trim_end();
        table += "\n";
    }
    table
}

fn row(cgroup: &str, workers: &[&WorkerReport]) -> [String; 8] {
    let sum = |of: fn(&WorkerReport) -> u64| workers.iter().map(|worker| of(worker)).sum::<u64>();
    let shares = || workers.iter().map(|worker| worker.off_cpu_share() * 100.0);
    let (least, most) = (shares().fold(f64::INFINITY, f64::min), shares().fold(0.0, f64::max));
    [
        cgroup_name(cgroup).to_owned(),
        workers.len().to_string(),
        format_ns(sum(|worker| worker.cpu_ns)),
        format!("{least:.1} %"),
        format!("{most:.1} %"),
        format!("{:.1}", most - least),
        sum(|worker| worker.work_units).to_string(),
        sum(|worker| worker.migrations).to_string(),
    ]
}

fn p99_wake(workers: &[&WorkerReport]) -> String {
    let pooled = Distribution::pooled(workers.iter().map(|worker| &worker.wake_latencies));
    pooled.percentile(99.0).map_or_else(|| "-".to_owned(), |ns| format_ns(ns as u64))
}

fn pages_at_home(workers: &[&WorkerReport]) -> String {
    let known = || workers.iter().filter(|worker| !worker.allowed.home_nodes.is_empty());
    let all: u64 = known().map(|worker| pages(worker)).sum();
    let home: u64 = known().map(|worker| pages_on(worker, &worker.allowed.home_nodes)).sum();
    if all == 0 { "-".to_owned() } else { format!("{:.1} %", home as f64 * 100.0 / all as f64) }
}

fn longest_gap(workers: &[&WorkerReport]) -> String {
    workers.iter().max_by_key(|worker| worker.max_gap.ns).map_or_else(String::new, |worker| {
        let gap = worker.max_gap;
        format!(
            "{} (worker {}, CPU {}, at {})",
            format_ns(gap.ns),
            worker.index,
            gap.cpu,
            format_ns(gap.at_ns)
        )
    })
}

#[cfg(test)]
mod tests {
    use ktstr_model::Gap;
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{SECOND, any_workers, sample, with_pages, worker};

    #[test]
    fn prints_one_line_a_cgroup() {
        let mut behind = worker("cell_1", 1);
        behind.cpu_ns = 2 * SECOND;
        behind.work_units = 28_000;
        behind.migrations = 170;
        behind.max_gap = Gap { ns: SECOND / 3, at_ns: 7 * SECOND, cpu: 11 };
        let workers = [worker("cell_0", 0), worker("cell_0", 1), worker("cell_1", 0), behind];
        insta::assert_snapshot!(cgroup_table(&workers));
    }

    #[test]
    fn wakes_and_pages_have_columns_where_there_are_any() {
        let mut woken = worker("cell_0", 0);
        woken.wake_latencies = sample([1_000_000, 7_000_000]);
        let mut with_pages = with_pages(0, &[(0, 30), (1, 10)]);
        with_pages.cgroup = String::new();
        with_pages.allowed.home_nodes = [0].into_iter().collect();
        insta::assert_snapshot!(cgroup_table(&[woken, with_pages]));
    }

    #[test]
    fn no_workers_no_table() {
        assert_eq!(cgroup_table(&[]), "");
    }

    proptest! {
        #[test]
        fn has_a_line_for_each_cgroup(workers in any_workers()) {
            let lines = match by_cgroup(&workers).len() { 0 => 0, groups => groups + 1 };
            prop_assert_eq!(cgroup_table(&workers).lines().count(), lines);
        }
    }
}
