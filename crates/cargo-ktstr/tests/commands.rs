//! `cargo ktstr` itself: what it refuses before it does anything.
#![allow(clippy::unwrap_used)]

use assert_cmd::Command;

fn refuses(args: &str) -> String {
    let output = Command::cargo_bin("cargo-ktstr").unwrap().args(args.split_whitespace()).output().unwrap();
    assert!(!output.status.success(), "{args}");
    assert!(output.stdout.is_empty(), "{args}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_subcommand_that_there_is_not_is_refused() {
    for args in ["stets", "ktstr stets"] {
        let error = refuses(args);
        assert!(error.starts_with("error: unrecognized subcommand 'stets'"), "{error}");
        assert!(error.contains("'stats'"), "{error}");
    }
}

#[test]
fn a_preset_that_there_is_not_is_refused_with_those_there_are() {
    let error = refuses("verifier --preset huge --kernel /nowhere/bzImage");
    assert!(
        error.starts_with("error: there is no preset `huge`; there are tiny-1llc, tiny-2llc, "),
        "{error}"
    );
    let error = refuses("verifier --kernel /nowhere/bzImage");
    assert!(error.contains("/nowhere/bzImage"), "{error}");
}

#[test]
fn a_budget_in_which_nothing_can_run_is_refused() {
    let error = refuses("test --budget 0");
    assert!(error.contains("in no time nothing can be run"), "{error}");
    let error = refuses("test --budget 1.5h");
    assert!(error.contains("a budget is a whole number of seconds"), "{error}");
}

#[test]
fn arguments_for_nextest_that_cannot_be_obeyed_are_refused() {
    let error = refuses("test -- --archive-file x");
    assert!(error.starts_with("error: `--archive-file` runs tests that were built elsewhere"), "{error}");
    let error = refuses("test --release -- --cargo-profile bench");
    assert!(error.starts_with("error: the build profile is given twice"), "{error}");
}

#[test]
fn a_work_type_that_there_is_not_is_refused_with_the_nearest() {
    let error = refuses("test --work-type SpinWiat");
    assert!(
        error.starts_with("error: invalid value 'SpinWiat' for '--work-type <NAME>': there is no work type"),
        "{error}"
    );
    assert!(error.contains("did you mean `SpinWait`?; there are: SpinWait, YieldHeavy"), "{error}");
}

#[test]
fn what_cannot_be_explored_is_refused_before_anything_is_built() {
    for (args, words) in [
        (
            "--strategy pct",
            "no strategy is called `pct`: choose mix, seeds, delays, priorities, hotplug or sweep",
        ),
        ("--for 10", "a time is a whole number with a unit: 200ms, 90s, 10m, 2h"),
        ("--for 0s", "in no time nothing can be run"),
        ("--for 10m --seeds 4", "cannot be used with"),
        ("--seeds 0", "0 is not in 1.."),
        ("--jobs 0", "0 is not in 1.."),
        ("--topology 4", "invalid value '4' for '--topology <TOPOLOGY>'"),
        ("--times 3", "--again <RUN>"),
    ] {
        let error = refuses(&format!("explore steady {args}"));
        assert!(error.contains(words), "{args}: {error}");
    }
    let error = refuses("explore gauntlet/steady/tiny-1llc");
    assert!(error.contains("`gauntlet/steady/tiny-1llc` is a cell: name its test"), "{error}");
}

#[test]
fn an_empty_variable_counts_as_unset() {
    // All of them, by the page of the book that says so.
    let page = include_str!("../../../docs/src/running-tests/environment.md");
    let names = page.split('`').filter(|word| word.starts_with("KTSTR_") && !word.contains('='));
    let mut command = Command::cargo_bin("cargo-ktstr").unwrap();
    command.args(["test", "--kernel", "/nowhere/bzImage"]);
    let names: Vec<_> = names.collect();
    assert!(names.contains(&"KTSTR_SEED") && names.contains(&"KTSTR_BUDGET_SECS"), "{names:?}");
    command.envs(names.into_iter().map(|name| (name, "")));
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("error: there is no kernel image at /nowhere/bzImage"), "{said}");
}
