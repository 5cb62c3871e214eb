//! What the workers of each cgroup did, as a table for people.

use std::collections::BTreeMap;

use ktstr_model::{WorkerReport, format_ns};

const HEADINGS: [&str; 9] =
    ["cgroup", "workers", "CPU time", "off-CPU min", "max", "spread", "work", "migrations", "longest gap"];

/// Workers by the name of their cgroup.
pub(crate) fn by_cgroup(workers: &[WorkerReport]) -> BTreeMap<&str, Vec<&WorkerReport>> {
    let mut groups = BTreeMap::<&str, Vec<&WorkerReport>>::new();
    for worker in workers {
        groups.entry(&worker.cgroup).or_default().push(worker);
    }
    groups
}

/// One line for each cgroup under a line of headings: workers, CPU time in all, smallest and largest off-CPU share and
/// their difference in percent points, checkpoints in all, migrations in all, and the longest gap with where it ended.
/// Empty without workers.
pub fn cgroup_table(workers: &[WorkerReport]) -> String {
    let groups = by_cgroup(workers);
    if groups.is_empty() {
        return String::new();
    }
    let rows = groups.into_iter().map(|(cgroup, workers)| row(cgroup, &workers));
    let rows: Vec<[String; 9]> = std::iter::once(HEADINGS.map(str::to_owned)).chain(rows).collect();
    let widths: [usize; 9] =
        std::array::from_fn(|column| rows.iter().map(|row| row[column].len()).max().unwrap_or(0));
    let mut table = String::new();
    for row in &rows {
        let mut line = String::new();
        for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
            // Names and the last column's prose read from the left, figures line up on the right.
            let left = column == 0 || column == HEADINGS.len() - 1;
            line += &if left { format!("{cell:<width$}") } else { format!("{cell:>width$}") };
            line += "  ";
        }
        table += line.trim_end();
        table += "\n";
    }
    table
}

fn row(cgroup: &str, workers: &[&WorkerReport]) -> [String; 9] {
    let sum = |of: fn(&WorkerReport) -> u64| workers.iter().map(|worker| of(worker)).sum::<u64>();
    let shares = || workers.iter().map(|worker| worker.off_cpu_share() * 100.0);
    let (least, most) = (shares().fold(f64::INFINITY, f64::min), shares().fold(0.0, f64::max));
    let longest = workers.iter().max_by_key(|worker| worker.max_gap.ns).map_or_else(String::new, |worker| {
        let gap = worker.max_gap;
        format!(
            "{} (worker {}, CPU {}, at {})",
            format_ns(gap.ns),
            worker.index,
            gap.cpu,
            format_ns(gap.at_ns)
        )
    });
    [
        cgroup.to_owned(),
        workers.len().to_string(),
        format_ns(sum(|worker| worker.cpu_ns)),
        format!("{least:.1} %"),
        format!("{most:.1} %"),
        format!("{:.1}", most - least),
        sum(|worker| worker.work_units).to_string(),
        sum(|worker| worker.migrations).to_string(),
        longest,
    ]
}

#[cfg(test)]
mod tests {
    use ktstr_model::Gap;
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{SECOND, any_workers, worker};

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
