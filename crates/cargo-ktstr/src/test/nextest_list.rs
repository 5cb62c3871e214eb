//! The tests and cells that a command line of nextest selects.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use super::records::stdout;

/// Options of `cargo nextest run` that `cargo nextest list` does not take, those with a value first.
const WITH_VALUE: [&str; 13] = [
    "--test-threads",
    "-j",
    "--retries",
    "--max-fail",
    "--failure-output",
    "--success-output",
    "--status-level",
    "--final-status-level",
    "--no-tests",
    "--show-progress",
    "--message-format",
    "--message-format-version",
    "--flaky-result",
];
const ALONE: [&str; 8] = [
    "--no-capture",
    "--nocapture",
    "--no-fail-fast",
    "--fail-fast",
    "--nff",
    "--ff",
    "--hide-progress-bar",
    "--no-output-indent",
];

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct List {
    rust_suites: BTreeMap<String, Suite>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Suite {
    #[serde(default)]
    package_name: String,
    #[serde(default)]
    binary_name: String,
    #[serde(default)]
    binary_path: PathBuf,
    #[serde(default)]
    cwd: PathBuf,
    #[serde(default)]
    testcases: BTreeMap<String, Case>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Case {
    filter_match: FilterMatch,
}

#[derive(Deserialize)]
struct FilterMatch {
    status: String,
}

/// A test with the binary that has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestInBinary {
    /// Its name in the binary.
    pub name: String,
    /// nextest's name for the binary.
    pub binary_id: String,
    /// The package that the binary is of.
    pub package: String,
    /// The name of the binary's target.
    pub target: String,
    /// The binary.
    pub binary: PathBuf,
    /// The folder that tests run in.
    pub folder: PathBuf,
}

#[cfg(test)]
impl TestInBinary {
    /// The test `name` in the target `target` of package `a`.
    pub fn of(target: &str, name: &str) -> Self {
        Self {
            name: name.into(),
            binary_id: format!("a::{target}"),
            package: "a".into(),
            target: target.into(),
            binary: format!("/t/{target}").into(),
            folder: "/w".into(),
        }
    }
}

/// The tests that `cargo nextest run` with `arguments` would run; they are built first. `set` gives the command what test
/// processes see too.
///
/// # Errors
/// When nextest refuses the arguments, or something cannot be built.
pub fn selected(
    arguments: &[String],
    set: impl FnOnce(&mut Command) -> Result<()>,
) -> Result<Vec<TestInBinary>> {
    let matches = |case: &Case| case.filter_match.status == "matches";
    tests_in_binaries(&list(arguments, set)?, matches).context("nextest's list of tests")
}

/// All tests of the workspace, ignored ones too. They are built first.
pub fn all(arguments: &[String], set: impl FnOnce(&mut Command) -> Result<()>) -> Result<Vec<TestInBinary>> {
    tests_in_binaries(&list(arguments, set)?, |_| true).context("nextest's list of tests")
}

fn list(arguments: &[String], set: impl FnOnce(&mut Command) -> Result<()>) -> Result<Vec<u8>> {
    let mut command = super::cargo();
    command.args(["nextest", "list", "--message-format", "json"]).args(for_list(arguments));
    set(&mut command)?;
    stdout(&mut command)
}

fn tests_in_binaries(json: &[u8], wanted: fn(&Case) -> bool) -> Result<Vec<TestInBinary>> {
    let list: List = serde_json::from_slice(json)?;
    let tests = list.rust_suites.into_iter().flat_map(|(binary_id, suite)| {
        let Suite { package_name, binary_name, binary_path, cwd, testcases } = suite;
        testcases.into_iter().filter(move |(_, case)| wanted(case)).map(move |(name, _)| TestInBinary {
            name,
            binary_id: binary_id.clone(),
            package: package_name.clone(),
            target: binary_name.clone(),
            binary: binary_path.clone(),
            folder: cwd.clone(),
        })
    });
    Ok(tests.collect())
}

/// Those of the arguments for `cargo nextest run` that `cargo nextest list` takes too.
fn for_list(arguments: &[String]) -> Vec<&String> {
    let mut kept = Vec::new();
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        if argument == "--" {
            kept.push(argument);
            kept.extend(arguments);
            break;
        }
        let name = argument.split('=').next().unwrap_or(argument);
        let is_short = argument.starts_with("-j") && argument.len() > 2;
        if WITH_VALUE.contains(&name) {
            if name == argument {
                arguments.next();
            }
        } else if !ALONE.contains(&name) && !is_short {
            kept.push(argument);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_for_running_only_is_left_out() {
        let kept = |line: &str| {
            let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            for_list(&words).into_iter().cloned().collect::<Vec<_>>().join(" ")
        };
        for (run, list) in [
            ("--run-ignored only -E test(gauntlet/)", "--run-ignored only -E test(gauntlet/)"),
            ("--no-capture -j 4 -p a --retries=2 --no-tests pass b", "-p a b"),
            ("-j2 --profile ci -- --exact --no-capture", "--profile ci -- --exact --no-capture"),
        ] {
            assert_eq!(kept(run), list);
        }
    }

    #[test]
    fn tests_are_found_with_their_binaries() {
        let json =
            br#"{"rust-suites":{"a::b":{"package-name":"a","binary-name":"b","binary-path":"/t/b","cwd":"/w","testcases":{
            "x":{"ignored":false,"filter-match":{"status":"matches"}},
            "y":{"ignored":true,"filter-match":{"status":"mismatch","reason":"ignored"}}}},
            "c":{"status":"skipped"}}}"#;
        let test = |name| TestInBinary::of("b", name);
        let matches = |case: &Case| case.filter_match.status == "matches";
        assert_eq!(tests_in_binaries(json, matches).unwrap(), [test("x")]);
        assert_eq!(tests_in_binaries(json, |_| true).unwrap(), [test("x"), test("y")]);
        assert!(tests_in_binaries(b"{}", |_| true).is_err());
    }
}
