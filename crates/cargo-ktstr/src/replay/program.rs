//! The test binary of a token: building it, finding it, running its test.

use std::collections::BTreeMap;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use ktstr_results::TestProgram;
use ktstr_results::replay::ReplayToken;
use serde::Deserialize;

use crate::test::cargo;
use crate::test::records::{Workspace, stdout};

/// What nextest says of the tests of a package.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct List {
    rust_suites: BTreeMap<String, TestBinary>,
}

/// A test binary.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct TestBinary {
    package_name: String,
    binary_name: String,
    binary_path: PathBuf,
    /// Where its tests run: the folder of its package.
    cwd: PathBuf,
    #[serde(default)]
    testcases: BTreeMap<String, serde::de::IgnoredAny>,
}

impl TestBinary {
    /// Builds the test binaries that were built for the token's run, and takes the one that has its test.
    pub fn find(token: &ReplayToken, workspace: &Workspace) -> Result<Self> {
        let program = &token.test.program;
        let is_of_package =
            |binary: &Self| program.package.is_empty() || binary.package_name == program.package;
        let mut binaries = Self::list(token, workspace, &program.build)?;
        if !binaries.iter().any(is_of_package) {
            // It was built by something that did not say of which packages.
            let package = ["--package".to_owned(), program.package.clone()];
            binaries = Self::list(token, workspace, &package)?;
        }
        binaries.retain(is_of_package);
        choose(token, binaries)
    }

    fn list(token: &ReplayToken, workspace: &Workspace, choice: &[String]) -> Result<Vec<Self>> {
        let mut command = cargo();
        command.current_dir(&workspace.workspace_root);
        command.args(["nextest", "list", "--message-format", "json", "--run-ignored", "all"]);
        command.args(["--cargo-profile", token.test.program.cargo_profile()]).args(choice);
        let list: List = serde_json::from_slice(&stdout(&mut command)?).context("nextest's list of tests")?;
        Ok(list.rust_suites.into_values().collect())
    }

    /// Runs the token's test and returns what it printed. Records go to `records`.
    pub fn run(&self, token: &ReplayToken, file: &Path, kernel: &Path, records: &Path) -> Result<String> {
        let mut command = Command::new(&self.binary_path);
        command.args(["--exact", token.runs_as(), "--nocapture", "--include-ignored"]);
        command.current_dir(&self.cwd);
        command.env("CARGO_PKG_NAME", &self.package_name).env("CARGO_MANIFEST_DIR", &self.cwd);
        command.env(TestProgram::BUILD_VARIABLE, token.test.program.build.join("\n"));
        command.env("KTSTR_REPLAY", absolute(file)?).env("KTSTR_MODE", "deterministic");
        command.env("KTSTR_TEST_KERNEL", kernel).env("KTSTR_SIDECAR_DIR", absolute(records)?);
        for other in ["KTSTR_TEST_KERNELS", "KTSTR_CELLS", "KTSTR_CHECK_DETERMINISM", "NEXTEST"] {
            command.env_remove(other);
        }
        // SAFETY: the call is async-signal-safe. Our own end, however it comes, ends the test, and so its machine.
        unsafe {
            command.pre_exec(|| {
                Ok(rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?)
            })
        };
        let output = command.output().with_context(|| format!("running {}", self.binary_path.display()))?;
        let [stdout, stderr] =
            [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
        Ok(stderr + &only_of_the_run(&stdout))
    }
}

/// What libtest puts around a test's own output is of no interest.
fn only_of_the_run(stdout: &str) -> String {
    let is_libtests = |line: &str| {
        line.starts_with("running ") || line.starts_with("test ") || line.starts_with("failures:")
    };
    let lines = stdout.lines().take_while(|line| !line.starts_with("failures:"));
    let kept = lines.filter(|line| !line.trim().is_empty() && !is_libtests(line));
    kept.map(|line| format!("{line}\n")).collect()
}

fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).with_context(|| path.display().to_string())
}

/// The binary that the token is of. Two targets of a package may have one name; then the one with the test is meant.
fn choose(token: &ReplayToken, binaries: Vec<TestBinary>) -> Result<TestBinary> {
    let (program, test) = (&token.test.program, &token.test.test);
    let known: Vec<String> = binaries.iter().map(|binary| binary.binary_name.clone()).collect();
    let mut meant: Vec<TestBinary> =
        binaries.into_iter().filter(|binary| program.is_target(&binary.binary_name)).collect();
    if let Some(at) = meant.iter().position(|binary| binary.testcases.contains_key(test)) {
        return Ok(meant.swap_remove(at));
    }
    let package = &program.package;
    let Some(binary) = meant.first() else {
        bail!(
            "the token is of the test `{test}` in the test binary `{}`, which package `{package}` does not have any more; it \
             has {}",
            program.binary,
            known.join(", ")
        )
    };
    let names: Vec<&str> =
        binary.testcases.keys().filter(|name| !name.contains('/')).map(String::as_str).collect();
    bail!(
        "the token is of the test `{test}`, which the test binary `{}` of package `{package}` does not have any more (renamed \
         or deleted?); its tests are {}",
        program.binary,
        names.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::testing::token;

    fn binaries() -> Vec<TestBinary> {
        let json = r#"{"rust-build-meta":{},"test-count":3,"rust-suites":{
            "my-sched":{"package-name":"my-sched","binary-name":"my_sched","binary-path":"/t/a","cwd":"/w","testcases":{}},
            "my-sched::bin/my-sched":{"package-name":"my-sched","binary-name":"my-sched","binary-path":"/t/b","cwd":"/w",
                "testcases":{"stalls":{"ignored":true},"gauntlet/stalls/tiny-1llc":{"ignored":true}}},
            "my-sched::vm_basic":{"package-name":"my-sched","binary-name":"vm_basic","binary-path":"/t/c","cwd":"/w",
                "testcases":{"steady":{},"kernels/steady/7.3":{}}}}}"#;
        serde_json::from_str::<List>(json).unwrap().rust_suites.into_values().collect()
    }

    #[test]
    fn the_binary_with_the_test_is_taken() {
        let mut token = token();
        token.test.program.binary = "my_sched".into();
        assert_eq!(choose(&token, binaries()).unwrap().binary_path, Path::new("/t/b"));
    }

    #[test]
    fn what_is_gone_is_named_with_what_there_is() {
        let mut token = token();
        let without_test = choose(&token, binaries()).unwrap_err().to_string();
        token.test.program.binary = "vm_gone".into();
        let without_binary = choose(&token, binaries()).unwrap_err().to_string();
        insta::assert_snapshot!(format!("{without_test}\n{without_binary}"), @"
        the token is of the test `stalls`, which the test binary `vm_basic` of package `my-sched` does not have any more (renamed or deleted?); its tests are steady
        the token is of the test `stalls` in the test binary `vm_gone`, which package `my-sched` does not have any more; it has my_sched, my-sched, vm_basic
        ");
    }

    #[test]
    fn only_what_the_test_said_is_shown() {
        let stdout =
            "\nrunning 1 test\nPASS: t (..)\ntest t ... ok\n\nfailures:\n    t\n\ntest result: ok.\n";
        assert_eq!(only_of_the_run(stdout), "PASS: t (..)\n");
    }
}
