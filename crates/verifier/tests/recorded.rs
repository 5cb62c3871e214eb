//! What is made of logs that real kernels wrote; see `fixtures/recorded`.

use std::fs;
use std::path::Path;

use ktstr_verifier::{Rejection, collapse, program_logs};

const CASES: [&str; 5] =
    ["endless-loop", "missing-null-check", "out-of-bounds", "after-nested-loops", "unreleased-reference"];
const KERNELS: [&str; 3] = ["6.18.15", "7.0.13", "7.3.4"];

fn recorded(case: &str, kernel: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/recorded");
    fs::read_to_string(folder.join(format!("{case}-{kernel}.stderr.txt"))).expect("it was recorded")
}

fn collapsed(printed: &str) -> String {
    let logs = program_logs(printed);
    let pieces = logs.iter().flat_map(|log| collapse(log.text.lines()));
    pieces.map(|piece| piece.to_string()).collect()
}

#[test]
fn each_rejection_is_told_on_each_kernel() {
    for case in CASES {
        let told = KERNELS.map(|kernel| {
            let found = Rejection::in_output(&recorded(case, kernel));
            format!("{kernel}: {}\n", found.unwrap_or_else(|| panic!("{case} on {kernel}")))
        });
        insta::assert_snapshot!(case, told.concat());
    }
}

#[test]
fn other_kernels_logs_are_read_too() {
    for kernel in ["6.16.12", "7.2.12"] {
        let found = Rejection::in_output(&recorded("verifier-loop", kernel)).unwrap();
        assert!(found.rule.starts_with("infinite loop detected at insn "), "{found}");
    }
    // The beginning of a long log is not kept.
    let printed = recorded("after-nested-loops", "6.18.15");
    let whole = Rejection::in_output(&printed);
    assert_eq!(Rejection::in_output(&printed[printed.len() / 2..]), whole);
}

#[test]
fn a_program_that_reaches_the_limit_is_told_in_a_few_lines() {
    let printed = recorded("too-many-instructions", "7.0.13");
    let rejection = Rejection::in_output(&printed).map(|rejection| rejection.to_string()).unwrap_or_default();
    insta::assert_snapshot!("too-many-instructions", format!("{rejection}\n\n{}", collapsed(&printed)));
}

#[test]
fn output_without_a_log_has_no_rejection() {
    for file in ["die-after-7.3.4", "stall-6.18.15"] {
        let (case, kernel) = file.rsplit_once('-').unwrap();
        assert_eq!(Rejection::in_output(&recorded(case, kernel)), None);
    }
}

#[test]
fn loops_are_collapsed_on_each_kernel() {
    for kernel in KERNELS {
        let printed = recorded("after-nested-loops", kernel);
        let text = collapsed(&printed);
        assert!(3 * text.lines().count() < 2 * printed.lines().count(), "{text}");
        insta::assert_snapshot!(format!("collapsed-{kernel}"), text);
    }
}
