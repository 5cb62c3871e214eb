//! Cells that a filter for nextest names. nextest takes a name that nothing has for a filter that matches nothing, and does
//! not say which part of it is wrong.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use ktstr_kernel::KernelSet;

use super::nextest_list::TestInBinary;
use crate::{presets, similar};

/// Options whose value chooses tests.
const FILTERS: [&str; 4] = ["-E", "--filterset", "--filter-expr", "-e"];

/// The beginning of a cell's name. A filter may leave its end out: `gauntlet/steady/tiny-` is one of all small presets.
#[derive(Debug, PartialEq, Eq)]
enum Named<'a> {
    /// `gauntlet/TEST/PRESET` or `gauntlet/TEST/PRESET/KERNEL`.
    Gauntlet { test: &'a str, preset: &'a str, kernel: Option<&'a str> },
    /// `kernels/TEST/KERNEL`.
    Kernels { test: &'a str, kernel: &'a str },
}

impl<'a> Named<'a> {
    fn parse(word: &'a str) -> Option<Self> {
        match *word.split('/').collect::<Vec<_>>() {
            ["gauntlet", test, preset] => Some(Self::Gauntlet { test, preset, kernel: None }),
            ["gauntlet", test, preset, kernel] => Some(Self::Gauntlet { test, preset, kernel: Some(kernel) }),
            ["kernels", test, kernel] => Some(Self::Kernels { test, kernel }),
            _ => None,
        }
    }

    fn test(&self) -> &'a str {
        match self {
            Self::Gauntlet { test, .. } | Self::Kernels { test, .. } => test,
        }
    }

    /// What the names of all cells of its test begin with.
    fn of_its_test(&self) -> String {
        match self {
            Self::Gauntlet { test, .. } => format!("gauntlet/{test}/"),
            Self::Kernels { test, .. } => format!("kernels/{test}/"),
        }
    }
}

/// Refuses filters that name a preset or a kernel that there is not, before anything is built.
pub fn check(arguments: &[String], kernels: &KernelSet) -> Result<()> {
    for word in words(arguments) {
        match Named::parse(word) {
            Some(Named::Gauntlet { preset, kernel: None, .. }) => check_preset(preset)?,
            Some(Named::Gauntlet { preset, kernel: Some(kernel), .. }) => {
                presets::check(preset)?;
                check_kernel(word, kernel, kernels)?;
            }
            Some(Named::Kernels { test, kernel }) => {
                check_kernel(word, kernel, kernels)?;
                if kernels.kernels().first().is_some_and(|first| first.label == kernel) {
                    bail!(
                        "there is no cell `{word}`: on the first kernel it is the test itself that runs, `{test}`"
                    );
                }
            }
            None => {}
        }
    }
    Ok(())
}

/// Why arguments chose no test, when they name a cell; `all` are the tests and cells that they chose from.
pub fn why_none(arguments: &[String], all: &[TestInBinary]) -> Option<String> {
    let mut named = words(arguments).into_iter().filter_map(|word| Some((word, Named::parse(word)?)));
    let (word, cell) = named.find(|(word, _)| !all.iter().any(|test| test.name.starts_with(*word)))?;
    let beginning = cell.of_its_test();
    let ends: BTreeSet<String> =
        all.iter().filter_map(|test| Some(test.name.strip_prefix(&beginning)?.to_owned())).collect();
    if !ends.is_empty() {
        let ends = Vec::from_iter(ends).join(", ");
        return Some(format!(
            "there is no cell `{word}`; what its test accepts is {ends} (after `{beginning}`)"
        ));
    }
    let tests = all.iter().filter(|test| !super::cells::is_cell(&test.name)).map(|test| test.name.clone());
    let hint = similar::hint(cell.test(), "there are", tests.collect());
    Some(format!(
        "there is no cell `{word}`, because there is no test `{}` that has cells: {hint}",
        cell.test()
    ))
}

/// Whether arguments name a cell of the gauntlet.
pub fn name_the_gauntlet(arguments: &[String]) -> bool {
    words(arguments).iter().any(|word| word.starts_with("gauntlet/"))
}

fn check_preset(beginning: &str) -> Result<()> {
    if presets::names().iter().any(|preset| preset.starts_with(beginning)) {
        return Ok(());
    }
    presets::check(beginning)
}

fn check_kernel(word: &str, beginning: &str, kernels: &KernelSet) -> Result<()> {
    if !kernels.is_dimension() {
        bail!(
            "`{word}` names the kernel `{beginning}`, but one kernel is no dimension, and names of cells have none: leave it \
             out, or give several kernels with `--kernel`"
        );
    }
    if kernels.kernels().iter().any(|kernel| kernel.label.starts_with(beginning)) {
        return Ok(());
    }
    bail!(
        "`{word}` names the kernel `{beginning}`, and no kernel of this run has that label; they are {}",
        kernels.labels()
    )
}

/// The words in what chooses tests: values of `-E` and its like, and filters by name. A regular expression is none, since
/// it cannot have a plain slash.
fn words(arguments: &[String]) -> Vec<&str> {
    let mut filters = Vec::new();
    let mut before = "";
    for argument in arguments {
        let joined = argument.split_once('=').filter(|(option, _)| FILTERS.contains(option));
        let attached = argument.strip_prefix("-E").filter(|filter| !filter.is_empty());
        match (joined, attached) {
            (Some((_, filter)), _) | (None, Some(filter)) => filters.push(filter),
            // What follows another option may be its value, such as a path.
            _ if FILTERS.contains(&before) || !before.starts_with('-') => filters.push(argument),
            _ => {}
        }
        before = argument;
    }
    let is_of_name = |letter: char| letter.is_alphanumeric() || "_:.+-~/".contains(letter);
    filters.into_iter().flat_map(|filter| filter.split(move |letter| !is_of_name(letter))).collect()
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    fn arguments(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    fn checked(line: &str, kernels: &str) -> String {
        let kernels = KernelSet::of_variable(OsStr::new(kernels)).unwrap();
        check(&arguments(line), &kernels).map_or_else(|error| error.to_string(), |()| "fine".to_owned())
    }

    const TWO: &str = "7.3.4=/new:6.18.5=/old";

    #[test]
    fn what_may_match_is_let_pass() {
        for (line, kernels) in [
            ("-E test(gauntlet/)", ""),
            ("-E test(gauntlet/steady/)", ""),
            ("-E test(gauntlet/steady/tiny-)", ""),
            ("-E test(=gauntlet/inner::steady/tiny-1llc)", ""),
            ("-E test(#gauntlet/steady/*-1llc)", ""),
            (r"-E test(/^gauntlet\/steady\/huge$/)", ""),
            ("--manifest-path gauntlet/steady/Cargo.toml", ""),
            ("-E test(gauntlet/steady/tiny-1llc/7.3)", TWO),
            ("-E test(kernels/steady/6.18.5)", TWO),
        ] {
            assert_eq!(checked(line, kernels), "fine", "{line}");
        }
    }

    #[test]
    fn a_preset_or_kernel_that_there_is_not_is_refused_with_what_there_is() {
        let lines = [
            ("-E test(gauntlet/steady/tiny-9llc)", ""),
            ("-Etest(=gauntlet/steady/tiny-9llc)", ""),
            ("--filterset=not(test(gauntlet/steady/tiny-9llc))", ""),
            ("--run-ignored only gauntlet/steady/tiny-9llc", ""),
            ("-E test(gauntlet/steady/tiny-1llc/7.3)", "7.3.4=/new"),
            ("-E test(gauntlet/steady/tiny-1llc/7.0)", TWO),
            ("-E test(gauntlet/steady/tiny-/7.3.4)", TWO),
            ("-E test(kernels/steady/6.1.2)", TWO),
            ("-E test(kernels/steady/7.3.4)", TWO),
        ];
        let said: String = lines.map(|(line, kernels)| checked(line, kernels) + "\n").concat();
        let names = presets::names().join(", ");
        insta::assert_snapshot!(said.replace(&names, "NAMES"), @r"
        there is no preset `tiny-9llc` (did you mean `tiny-1llc`?); there are NAMES
        there is no preset `tiny-9llc` (did you mean `tiny-1llc`?); there are NAMES
        there is no preset `tiny-9llc` (did you mean `tiny-1llc`?); there are NAMES
        there is no preset `tiny-9llc` (did you mean `tiny-1llc`?); there are NAMES
        `gauntlet/steady/tiny-1llc/7.3` names the kernel `7.3`, but one kernel is no dimension, and names of cells have none: leave it out, or give several kernels with `--kernel`
        `gauntlet/steady/tiny-1llc/7.0` names the kernel `7.0`, and no kernel of this run has that label; they are 7.3.4, 6.18.5
        there is no preset `tiny-`; there are NAMES
        `kernels/steady/6.1.2` names the kernel `6.1.2`, and no kernel of this run has that label; they are 7.3.4, 6.18.5
        there is no cell `kernels/steady/7.3.4`: on the first kernel it is the test itself that runs, `steady`
        ");
    }

    #[test]
    fn why_nothing_was_chosen_is_told_for_cells() {
        let all = ["steady", "gauntlet/steady/tiny-1llc", "gauntlet/steady/tiny-2llc"]
            .map(|name| TestInBinary::of("x", name));
        let why = |line: &str| why_none(&arguments(line), &all).unwrap_or_else(|| "nothing".to_owned());
        let lines = [
            "-E test(gauntlet/steady/max-cpu)",
            "-E test(gauntlet/stedy/tiny-1llc)",
            "-E test(gauntlet/steady/tiny-1llc)",
            "-E test(other)",
        ];
        insta::assert_snapshot!(lines.map(why).join("\n"), @r"
        there is no cell `gauntlet/steady/max-cpu`; what its test accepts is tiny-1llc, tiny-2llc (after `gauntlet/steady/`)
        there is no cell `gauntlet/stedy/tiny-1llc`, because there is no test `stedy` that has cells: did you mean steady?
        nothing
        nothing
        ");
    }
}
