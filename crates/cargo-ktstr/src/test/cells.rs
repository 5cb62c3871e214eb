//! The tests and cells of a run before it begins: which there are, and which this host cannot carry.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::Result;
use ktstr_harness::TooLarge;
use serde::Serialize;

use super::ask_binary::ask;
use super::nextest_list::{TestInBinary, selected};

/// A test or a cell that is to run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Planned {
    /// nextest's name for its test binary.
    pub binary: String,
    /// Its name.
    pub name: String,
    /// Why it will be skipped: its machine is too large for this host.
    pub skipped: Option<String>,
}

impl Planned {
    /// Whether it is one of a kind that is expanded, and not a test itself.
    pub fn is_cell(&self) -> bool {
        is_cell(&self.name)
    }
}

/// Whether a name is a cell's: no test function's has a slash.
pub fn is_cell(name: &str) -> bool {
    name.contains('/')
}

/// What `cargo nextest run` with `arguments` would run. `set` gives commands what test processes see too, the mode among it.
///
/// # Errors
/// When nextest refuses the arguments, or a test binary does not tell.
pub fn planned(arguments: &[String], set: impl Fn(&mut Command) -> Result<()>) -> Result<Vec<Planned>> {
    let tests = selected(arguments, &set)?;
    let with_cells: BTreeMap<&Path, &TestInBinary> =
        tests.iter().filter(|test| is_cell(&test.name)).map(|test| (test.binary.as_path(), test)).collect();
    let mut reasons = BTreeMap::new();
    for (binary, one) in with_cells {
        const QUESTION: &str = "which of its cells are too large for this host";
        for TooLarge { cell, why } in ask(one, TooLarge::ARGUMENT, QUESTION, &set)? {
            reasons.insert((binary.to_owned(), cell), why);
        }
    }
    let plan = |test: TestInBinary| {
        let skipped = reasons.remove(&(test.binary, test.name.clone()));
        Planned { binary: test.binary_id, name: test.name, skipped }
    };
    Ok(tests.into_iter().map(plan).collect())
}

/// The plan for people: tests under their binaries, and a line of counts.
pub fn render(planned: &[Planned]) -> String {
    let mut text = String::new();
    let mut binary = "";
    for test in planned {
        if test.binary != binary {
            binary = &test.binary;
            text += &format!("{binary}:\n");
        }
        text += &match &test.skipped {
            None => format!("    {}\n", test.name),
            Some(why) => format!("    {}  skipped: {why}\n", test.name),
        };
    }
    let cells = planned.iter().filter(|test| test.is_cell()).count();
    let skipped = planned.iter().filter(|test| test.skipped.is_some()).count();
    text += &format!("tests: {}, cells: {cells}", planned.len() - cells);
    text += &if skipped > 0 { format!(", of which {skipped} would be skipped\n") } else { "\n".to_owned() };
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_says_what_would_be_skipped_and_why() {
        let planned = |binary: &str, name: &str, skipped: Option<&str>| Planned {
            binary: binary.into(),
            name: name.into(),
            skipped: skipped.map(str::to_owned),
        };
        let plan = [
            planned("a::x", "inner::steady", None),
            planned("a::x", "gauntlet/inner::steady/tiny-1llc", None),
            planned("a::x", "gauntlet/inner::steady/max-cpu", Some("it takes 16128 MiB; this host has 8000")),
            planned("a::y", "other", None),
        ];
        insta::assert_snapshot!(render(&plan), @r"
        a::x:
            inner::steady
            gauntlet/inner::steady/tiny-1llc
            gauntlet/inner::steady/max-cpu  skipped: it takes 16128 MiB; this host has 8000
        a::y:
            other
        tests: 2, cells: 2, of which 1 would be skipped
        ");
        assert_eq!(render(&plan[..1]), "a::x:\n    inner::steady\ntests: 1, cells: 0\n");
    }
}
