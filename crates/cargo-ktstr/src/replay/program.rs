//! The test binary of a token: building it, finding it, running its test.

use std::collections::BTreeSet;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use ktstr_results::TestProgram;
use ktstr_results::replay::ReplayToken;

use crate::test::cells::is_cell;
use crate::test::nextest_list::{self, TestInBinary};
use crate::test::records::Workspace;

/// Builds the test binaries that were built for the token's run, and finds its test in the one that has it.
pub fn find(token: &ReplayToken, workspace: &Workspace) -> Result<TestInBinary> {
    let program = &token.test.program;
    let is_of_package = |test: &TestInBinary| program.package.is_empty() || test.package == program.package;
    let mut tests = list(token, workspace, &program.build)?;
    if !tests.iter().any(is_of_package) {
        // It was built by something that did not say of which packages.
        tests = list(token, workspace, &["--package".to_owned(), program.package.clone()])?;
    }
    tests.retain(is_of_package);
    choose(token, tests)
}

fn list(token: &ReplayToken, workspace: &Workspace, choice: &[String]) -> Result<Vec<TestInBinary>> {
    let profile = ["--cargo-profile".to_owned(), token.test.program.cargo_profile().to_owned()];
    nextest_list::all(&[&profile, choice].concat(), |command| {
        command.current_dir(&workspace.workspace_root);
        Ok(())
    })
}

/// Runs the token's test and returns what it printed. Records go to `records`.
pub fn run(
    test: &TestInBinary,
    token: &ReplayToken,
    file: &Path,
    kernel: &Path,
    records: &Path,
) -> Result<String> {
    let mut command = Command::new(&test.binary);
    command.args(["--exact", token.runs_as(), "--nocapture", "--include-ignored"]);
    command.current_dir(&test.folder);
    command.env("CARGO_PKG_NAME", &test.package).env("CARGO_MANIFEST_DIR", &test.folder);
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
    let output = command.output().with_context(|| format!("running {}", test.binary.display()))?;
    let [stdout, stderr] =
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    Ok(stderr + &only_of_the_run(&stdout))
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

/// The token's test. Two targets of a package may have one name; then the one with the test is meant.
fn choose(token: &ReplayToken, tests: Vec<TestInBinary>) -> Result<TestInBinary> {
    let (program, test) = (&token.test.program, &token.test.test);
    let targets: BTreeSet<String> = tests.iter().map(|test| test.target.clone()).collect();
    let mut meant: Vec<TestInBinary> =
        tests.into_iter().filter(|test| program.is_target(&test.target)).collect();
    if let Some(at) = meant.iter().position(|meant| meant.name == *test) {
        return Ok(meant.swap_remove(at));
    }
    let package = &program.package;
    if meant.is_empty() {
        bail!(
            "the token is of the test `{test}` in the test binary `{}`, which package `{package}` does not have any more, or \
             without tests; tests are in {}",
            program.binary,
            Vec::from_iter(targets).join(", ")
        )
    }
    let names: Vec<&str> =
        meant.iter().map(|meant| meant.name.as_str()).filter(|name| !is_cell(name)).collect();
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

    fn tests() -> Vec<TestInBinary> {
        let other = TestInBinary { binary: "/t/other".into(), ..TestInBinary::of("my_sched", "unit") };
        let tests = [
            ("my-sched", "stalls"),
            ("my-sched", "gauntlet/stalls/tiny-1llc"),
            ("vm_basic", "steady"),
            ("vm_basic", "kernels/steady/7.3"),
        ];
        [other].into_iter().chain(tests.map(|(target, name)| TestInBinary::of(target, name))).collect()
    }

    #[test]
    fn the_binary_with_the_test_is_taken() {
        let mut token = token();
        token.test.program.binary = "my_sched".into();
        assert_eq!(choose(&token, tests()).unwrap().binary, Path::new("/t/my-sched"));
    }

    #[test]
    fn what_is_gone_is_named_with_what_there_is() {
        let mut token = token();
        let without_test = choose(&token, tests()).unwrap_err().to_string();
        token.test.program.binary = "vm_gone".into();
        let without_binary = choose(&token, tests()).unwrap_err().to_string();
        insta::assert_snapshot!(format!("{without_test}\n{without_binary}"), @"
        the token is of the test `stalls`, which the test binary `vm_basic` of package `my-sched` does not have any more (renamed or deleted?); its tests are steady
        the token is of the test `stalls` in the test binary `vm_gone`, which package `my-sched` does not have any more, or without tests; tests are in my-sched, my_sched, vm_basic
        ");
    }

    #[test]
    fn only_what_the_test_said_is_shown() {
        let stdout =
            "\nrunning 1 test\nPASS: t (..)\ntest t ... ok\n\nfailures:\n    t\n\ntest result: ok.\n";
        assert_eq!(only_of_the_run(stdout), "PASS: t (..)\n");
    }
}
