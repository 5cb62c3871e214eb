//! Which cells there are, and which of them are wanted.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};
use ktstr_harness::session::parse_listed;
use serde::Serialize;

use crate::test::nextest_list::TestInBinary;

/// One scheduler on one kernel and one preset.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Cell {
    /// The scheduler's name.
    pub scheduler: String,
    /// The kernel's label.
    pub kernel: String,
    /// The preset's name.
    pub preset: String,
}

impl Cell {
    /// Reads `verifier/SCHEDULER/KERNEL/PRESET`.
    pub fn parse(name: &str) -> Option<Self> {
        let mut parts = name.strip_prefix("verifier/")?.split('/').map(str::to_owned);
        let cell = Self { scheduler: parts.next()?, kernel: parts.next()?, preset: parts.next()? };
        parts.next().is_none().then_some(cell)
    }

    /// The name under which nextest knows it.
    pub fn name(&self) -> String {
        format!("verifier/{}/{}/{}", self.scheduler, self.kernel, self.preset)
    }
}

/// The cells of a workspace, each with the test binary that runs it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cells {
    /// In the order of the kernels and presets as they were listed.
    pub cells: Vec<Cell>,
    /// The test binary of each scheduler.
    binaries: BTreeMap<String, String>,
    /// Schedulers that more than one test binary declares.
    shared: BTreeMap<String, Shared>,
}

/// A scheduler of one name in several test binaries.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Shared {
    binaries: Vec<String>,
    /// They do not declare it in the same words.
    differs: bool,
}

impl Cells {
    /// The cells among listed tests. A scheduler that several test binaries declare is swept once, in the first of them,
    /// where all of them accept the kernel and the preset: what one declaration leaves out is left out. Kernels and presets
    /// come in the order of `kernels` and `presets`.
    pub fn among(listed: &[TestInBinary], kernels: &[&str], presets: &[&str]) -> Self {
        let mut cells = Self::default();
        let mut declaring = BTreeMap::<String, BTreeSet<String>>::new();
        let mut declarations = BTreeMap::<String, BTreeSet<String>>::new();
        let mut listing = BTreeMap::<Cell, usize>::new();
        for TestInBinary { name, binary_id, .. } in listed {
            if let Some((scheduler, fingerprint)) = parse_listed(name) {
                declarations.entry(scheduler.to_owned()).or_default().insert(fingerprint.to_owned());
            }
            if let Some(cell) = Cell::parse(name) {
                declaring.entry(cell.scheduler.clone()).or_default().insert(binary_id.clone());
                *listing.entry(cell).or_default() += 1;
            }
        }
        let in_all = |(cell, count): &(Cell, usize)| *count == declaring[&cell.scheduler].len();
        cells.cells = listing.into_iter().filter(in_all).map(|(cell, _)| cell).collect();
        let place = |names: &[&str], name: &str| names.iter().position(|other| *other == name);
        cells.cells.sort_by_cached_key(|cell| {
            (cell.scheduler.clone(), place(kernels, &cell.kernel), place(presets, &cell.preset))
        });
        for (scheduler, binaries) in declaring {
            let binaries: Vec<String> = binaries.into_iter().collect();
            cells.binaries.insert(scheduler.clone(), binaries[0].clone());
            if binaries.len() > 1 {
                let differs = declarations.get(&scheduler).is_some_and(|different| different.len() > 1);
                cells.shared.insert(scheduler, Shared { binaries, differs });
            }
        }
        cells
    }

    /// The schedulers.
    pub fn schedulers(&self) -> BTreeSet<&str> {
        self.cells.iter().map(|cell| cell.scheduler.as_str()).collect()
    }

    /// One line for each scheduler that several test binaries declare.
    pub fn shared(&self) -> impl Iterator<Item = String> {
        self.shared.iter().map(|(scheduler, Shared { binaries, differs })| match differs {
            false => format!(
                "scheduler `{scheduler}` is declared in {}: swept once, where all accept it",
                binaries.join(", ")
            ),
            true => format!(
                "different schedulers are called `{scheduler}`, in {}: only that of {} is swept, and only where all accept \
                 it. Rename one, or sweep each with `-- -p PACKAGE --test NAME`",
                binaries.join(", "),
                binaries[0]
            ),
        })
    }

    /// Those of these schedulers on these presets; of all when none is named.
    ///
    /// # Errors
    /// When a name is none of a cell's, with those that are.
    pub fn narrow(mut self, schedulers: &[String], presets: &[String]) -> Result<Self> {
        self.keep("scheduler", schedulers, |cell| &cell.scheduler)?;
        self.keep("preset", presets, |cell| &cell.preset)?;
        let left: BTreeSet<String> = self.schedulers().into_iter().map(str::to_owned).collect();
        self.shared.retain(|scheduler, _| left.contains(scheduler));
        Ok(self)
    }

    fn keep(&mut self, what: &str, names: &[String], of: fn(&Cell) -> &String) -> Result<()> {
        if let Some(unknown) = names.iter().find(|name| !self.cells.iter().any(|cell| of(cell) == *name)) {
            let there: BTreeSet<&str> = self.cells.iter().map(|cell| of(cell).as_str()).collect();
            let there: Vec<&str> = there.into_iter().collect();
            bail!("no cell has the {what} `{unknown}`; there are {}", there.join(", "));
        }
        self.cells.retain(|cell| names.is_empty() || names.contains(of(cell)));
        Ok(())
    }

    /// The cells as nextest's filter, which names each in the binary that runs it.
    pub fn filter(&self) -> String {
        let mut terms = Vec::new();
        for scheduler in self.schedulers() {
            let own = || self.cells.iter().filter(|cell| cell.scheduler == scheduler);
            // As long as no cell is left out of it, a table is named by its sides.
            let sides = |of: fn(&Cell) -> &String| own().map(of).collect::<BTreeSet<_>>();
            let any = |names: BTreeSet<&String>| {
                names.into_iter().map(|name| escaped(name)).collect::<Vec<_>>().join("|")
            };
            let (kernels, presets) = (any(sides(|cell| &cell.kernel)), any(sides(|cell| &cell.preset)));
            let name = format!(r"/^verifier\/{}\/({kernels})\/({presets})$/", escaped(scheduler));
            terms.push(format!("(binary_id(={}) & test({name}))", self.binaries[scheduler]));
        }
        terms.join(" + ")
    }
}

/// A name as a regular expression.
fn escaped(name: &str) -> String {
    let letter = |letter: char| match letter {
        plain if plain.is_ascii_alphanumeric() || "_ -".contains(plain) || !plain.is_ascii() => {
            plain.to_string()
        }
        other => format!("\\{other}"),
    };
    name.chars().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(tests: &[(&str, &str)]) -> Vec<TestInBinary> {
        tests.iter().map(|(target, name)| TestInBinary::of(target, name)).collect()
    }

    fn cells() -> Cells {
        let shared = [
            "verifier/shared/6.18.15/tiny-1llc",
            "verifier/shared/7.0.13/tiny-1llc",
            "verifier/shared/7.0.13/smt-2llc",
            "verifier/shared/6.18.15/smt-2llc",
        ];
        let mut tests = vec![
            ("two", "verifier/b.x/7.0.13/tiny-1llc"),
            ("two", "verifier/shared/7.3.4/tiny-1llc"),
            ("one", "gauntlet/t/tiny-1llc"),
            ("one", "steady"),
        ];
        tests.extend(["one", "two"].iter().flat_map(|binary| shared.map(|name| (*binary, name))));
        Cells::among(&listed(&tests), &["7.0.13", "6.18.15"], &["tiny-1llc", "smt-2llc"])
    }

    fn names(cells: &Cells) -> String {
        cells.cells.iter().map(|cell| cell.name() + "\n").collect()
    }

    #[test]
    fn a_scheduler_of_several_binaries_is_swept_once() {
        insta::assert_snapshot!(names(&cells()), @r"
        verifier/b.x/7.0.13/tiny-1llc
        verifier/shared/7.0.13/tiny-1llc
        verifier/shared/7.0.13/smt-2llc
        verifier/shared/6.18.15/tiny-1llc
        verifier/shared/6.18.15/smt-2llc
        ");
        let shared: Vec<String> = cells().shared().collect();
        assert_eq!(
            shared,
            ["scheduler `shared` is declared in a::one, a::two: swept once, where all accept it"]
        );
        insta::assert_snapshot!(cells().filter(), @r"(binary_id(=a::two) & test(/^verifier\/b\.x\/(7\.0\.13)\/(tiny-1llc)$/)) + (binary_id(=a::one) & test(/^verifier\/shared\/(6\.18\.15|7\.0\.13)\/(smt-2llc|tiny-1llc)$/))");
    }

    #[test]
    fn different_schedulers_of_one_name_are_told() {
        let list = |fingerprint: &str| {
            let other = format!("scheduler/s/{fingerprint}");
            let cell = "verifier/s/k/tiny-1llc";
            let tests = listed(&[("a", cell), ("a", "scheduler/s/1"), ("b", cell), ("b", &other)]);
            Cells::among(&tests, &["k"], &["tiny-1llc"]).shared().collect::<String>()
        };
        assert_eq!(list("1"), "scheduler `s` is declared in a::a, a::b: swept once, where all accept it");
        insta::assert_snapshot!(list("2"), @"different schedulers are called `s`, in a::a, a::b: only that of a::a is swept, and only where all accept it. Rename one, or sweep each with `-- -p PACKAGE --test NAME`");
    }

    #[test]
    fn names_narrow_and_an_unknown_one_is_an_error_with_those_there_are() {
        let narrowed = cells().narrow(&["shared".into()], &["smt-2llc".into()]).unwrap();
        assert_eq!(names(&narrowed), "verifier/shared/7.0.13/smt-2llc\nverifier/shared/6.18.15/smt-2llc\n");
        for (schedulers, presets, error) in [
            (vec!["x".to_owned()], vec![], "no cell has the scheduler `x`; there are b.x, shared"),
            (vec![], vec!["huge".to_owned()], "no cell has the preset `huge`; there are smt-2llc, tiny-1llc"),
            (
                vec!["b.x".to_owned()],
                vec!["smt-2llc".to_owned()],
                "no cell has the preset `smt-2llc`; there are tiny-1llc",
            ),
        ] {
            assert_eq!(cells().narrow(&schedulers, &presets).unwrap_err().to_string(), error);
        }
    }
}
