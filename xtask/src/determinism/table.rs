//! The table that is printed.

use std::fmt;

use anyhow::{Result, bail};

use super::row::{Counted, Row};

/// Its head.
pub const HEAD: &str =
    "| plan | runs | digests | seeds | digests | runs a minute |\n|---|---|---|---|---|---|";

/// One line.
pub struct Line {
    name: String,
    runs: usize,
    digests: usize,
    seeds: usize,
    digests_of_seeds: usize,
    a_minute: f64,
    repeats: bool,
}

impl Line {
    /// What came of a row.
    pub fn new(row: &Row, counted: &Counted) -> Self {
        let (runs, seeds) = (row.clones(), row.seeds());
        Self {
            name: row.name.clone(),
            runs,
            digests: counted.digests.len(),
            seeds,
            digests_of_seeds: counted.digests_of_seeds,
            a_minute: (runs + seeds) as f64 / counted.seconds.max(0.001) * 60.0,
            repeats: !row.uncounted,
        }
    }

    /// What is wrong with it.
    fn trouble(&self) -> Option<String> {
        let Self { name, runs, digests, seeds, digests_of_seeds, .. } = self;
        if self.repeats && *digests != 1 {
            return Some(format!("{name}: {digests} digests of one plan"));
        }
        if self.repeats && !nearly_all_differ(*digests_of_seeds, *seeds) {
            return Some(format!(
                "{name}: {digests_of_seeds} digests of {seeds} seeds: it covers too little"
            ));
        }
        if !self.repeats && !nearly_all_differ(*digests, *runs) {
            return Some(format!(
                "{name}: {digests} digests of {runs} runs, though nothing makes them equal"
            ));
        }
        None
    }
}

/// Nine of ten: two seeds may happen to give one schedule, but a digest that hardly changes tells nothing.
fn nearly_all_differ(digests: usize, runs: usize) -> bool {
    digests * 10 >= runs * 9
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, runs, digests, seeds, digests_of_seeds, a_minute, .. } = self;
        let of_seeds = if *seeds > 0 { digests_of_seeds.to_string() } else { String::new() };
        let seeds = if *seeds > 0 { seeds.to_string() } else { String::new() };
        write!(f, "| {name} | {runs} | {digests} | {seeds} | {of_seeds} | {a_minute:.0} |")
    }
}

/// What is wrong with all lines.
#[derive(Default)]
pub struct Table(Vec<String>);

impl Table {
    /// Looks at a line.
    pub fn add(&mut self, line: &Line) {
        self.0.extend(line.trouble());
    }

    /// Notes that a row could not be counted.
    pub fn add_failed(&mut self, name: &str) {
        self.0.push(format!("{name}: not counted, see above"));
    }

    /// Whether all was as it should be.
    ///
    /// # Errors
    /// When it was not.
    pub fn verdict(&self) -> Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        bail!("not deterministic:\n  {}", self.0.join("\n  "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::determinism::row;

    fn line(name: &str, digests: &[&str], digests_of_seeds: usize) -> Line {
        let rows = row::all(1000, 50, 100);
        let row = rows.iter().find(|row| row.name.contains(name)).unwrap();
        let digests = digests.iter().map(|&digest| digest.to_owned()).collect();
        Line::new(row, &Counted { digests, digests_of_seeds, seconds: 60.0 })
    }

    fn trouble(line: &Line) -> String {
        let mut table = Table::default();
        table.add(line);
        table.verdict().map_or_else(|error| error.to_string(), |()| String::new())
    }

    #[test]
    fn a_line_says_how_many() {
        let first = line("two templates", &["a"], 99).to_string();
        assert_eq!(first, "| 4 CPUs, two templates, busy host | 1000 | 1 | 100 | 99 | 1100 |");
        let uncounted = line("not counted", &["a", "b"], 0).to_string();
        assert_eq!(uncounted, "| 4 CPUs, instructions not counted (thread=multi) | 20 | 2 |  |  | 20 |");
    }

    #[test]
    fn one_digest_for_a_plan_and_many_for_seeds() {
        assert_eq!(trouble(&line("16 CPUs", &["a"], 100)), "");
        assert!(trouble(&line("16 CPUs", &["a", "b"], 100)).contains("16 CPUs: 2 digests of one plan"));
        assert!(trouble(&line("16 CPUs", &[], 100)).contains("0 digests"));
        assert!(trouble(&line("16 CPUs", &["a"], 89)).contains("16 CPUs: 89 digests of 100 seeds"));
        let names: Vec<String> = (0..20).map(|number| number.to_string()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(trouble(&line("not counted", &names[..18], 0)), "");
        assert!(trouble(&line("not counted", &names[..17], 0)).contains("17 digests of 20 runs"));
    }
}
