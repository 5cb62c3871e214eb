//! What a runner sees of a test binary's cells: this one's own.

use std::process::{Command, Output};

use ktstr::prelude::*;

#[ktstr_test(max_llcs = 2, min_llcs = 2, requires_smt, memory_mb = 1_000_000_000)]
#[ignore = "listed only"]
fn listed(_: &Ctx) -> Result<AssertResult> {
    Ok(AssertResult::pass())
}

#[ktstr_test(host_only)]
#[ignore = "run by a test below"]
fn on_host(_: &Ctx) -> Result<AssertResult> {
    Ok(AssertResult::pass())
}

fn this_binary(line: &str, kernels: &str) -> Output {
    let mut command = Command::new(std::env::current_exe().expect("this binary has a path"));
    command.args(line.split_whitespace()).env("KTSTR_TEST_KERNELS", kernels);
    command.output().expect("this binary can be started")
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn cells_are_listed_before_libtest_s_own_names() {
    let all = stdout(&this_binary("--list --format terse", "7=/a:6=/b"));
    let cells =
        "kernels/listed/6: test\ngauntlet/listed/smt-2llc/7: test\ngauntlet/listed/smt-2llc/6: test\n";
    assert!(all.starts_with(cells), "{all}");
    assert!(all.lines().any(|line| line == "listed: test"), "{all}");
    let ignored = stdout(&this_binary("--list --format terse --ignored", ""));
    assert_eq!(ignored, "gauntlet/listed/smt-2llc: test\nlisted: test\non_host: test\n");
}

#[test]
fn cells_that_this_host_cannot_carry_are_told_with_the_reason() {
    let told = stdout(&this_binary("--ktstr-too-large", "7=/a:6=/b"));
    let lines: Vec<&str> = told.lines().collect();
    for (line, label) in lines.iter().skip(1).zip(["7", "6"]) {
        let cell = format!(
            r#"{{"cell":"gauntlet/listed/smt-2llc/{label}","why":"1n2l2c2t takes 1000000000 MiB of memory; "#
        );
        assert!(line.starts_with(&cell), "{told}");
    }
    assert!(
        lines.len() == 3 && lines[0].starts_with(r#"{"cell":"kernels/listed/6","why":"1n1l2c1t takes "#),
        "{told}"
    );
}

#[test]
fn a_variable_that_cannot_be_read_ends_the_listing() {
    let output = this_binary("--list --format terse", "7");
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.starts_with("error: KTSTR_TEST_KERNELS=7: "), "{stderr}");
    assert_eq!(stdout(&output), "");
}

#[test]
fn a_name_of_no_cell_is_an_error() {
    let output = this_binary("--exact gauntlet/listed/smt-9llc --nocapture --ignored", "");
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("there is no preset `smt-9llc`; there are tiny-1llc, "), "{stderr}");
    assert!(!stdout(&output).contains("test result"), "libtest did not run");
}

#[test]
fn names_that_are_no_cell_s_are_libtest_s() {
    let output = this_binary("--exact on_host --ignored", "");
    assert!(output.status.success() && stdout(&output).contains("1 passed"), "{output:?}");
    assert!(this_binary("--exact nothing", "").status.success());
}
