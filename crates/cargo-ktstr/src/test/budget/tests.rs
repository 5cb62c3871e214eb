use proptest::prelude::*;

use super::*;

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn cell(test: &str, preset: &str, takes: u64, boot: u64) -> Candidate {
    Candidate {
        name: format!("gauntlet/{test}/{preset}"),
        covers: vec![test.to_owned(), preset.to_owned()],
        takes: secs(takes),
        machine: preset.to_owned(),
        boot: secs(boot),
    }
}

fn names(cells: &[Candidate], wall: u64, at_once: u32) -> Vec<&str> {
    let budget = Budget { wall: secs(wall), at_once, given: Vec::new() };
    choose(cells, &budget).into_iter().map(|at| cells[at].name.trim_start_matches("gauntlet/")).collect()
}

#[test]
fn distinct_tests_and_presets_come_first() {
    let mut cells = Vec::new();
    for test in ["a", "b", "c"] {
        cells.extend(["x", "y", "z"].map(|preset| cell(test, preset, 10, 0)));
    }
    assert_eq!(names(&cells, 30, 1), ["a/x", "b/y", "c/z"]);
    assert_eq!(names(&cells, 90, 1).len(), 9);
    assert_eq!(names(&cells, 9, 1), [""; 0]);
}

#[test]
fn a_boot_is_counted_once_for_each_machine() {
    let cells = [cell("a", "x", 10, 100), cell("b", "x", 10, 100), cell("c", "y", 10, 100)];
    assert_eq!(names(&cells, 120, 1), ["a/x", "b/x"]);
    assert_eq!(names(&cells, 109, 1), [""; 0]);
}

#[test]
fn the_longest_run_limits_what_many_cpus_gain() {
    let cells = [cell("a", "x", 10, 0), cell("b", "y", 10, 0), cell("c", "z", 10, 0), cell("d", "w", 10, 0)];
    assert_eq!(names(&cells, 25, 2).len(), 4);
    assert_eq!(names(&cells, 20, 2).len(), 3);
    assert_eq!(names(&cells, 9, 4).len(), 0);
}

#[test]
fn what_runs_in_any_case_is_counted_first() {
    let cells = [cell("a", "x", 10, 0)];
    let with = |given: &[u64]| {
        choose(
            &cells,
            &Budget { wall: secs(30), at_once: 1, given: given.iter().map(|s| secs(*s)).collect() },
        )
    };
    assert_eq!(with(&[20]), [0]);
    assert_eq!(with(&[12, 9]), [0; 0]);
}

fn candidates() -> impl Strategy<Value = Vec<Candidate>> {
    let one = (0..6u8, 0..5usize, 1..40u64);
    let boots = proptest::collection::vec(0..60u64, 5);
    (proptest::collection::vec(one, 0..40), boots).prop_map(|(cells, boots)| {
        let cell =
            |(test, preset, takes)| cell(&format!("t{test}"), &format!("p{preset}"), takes, boots[preset]);
        cells.into_iter().map(cell).collect()
    })
}

/// When runs end that start one after the other wherever a CPU is free.
fn end(costs: impl Iterator<Item = Duration>, at_once: usize) -> Duration {
    let mut cpus = vec![Duration::ZERO; at_once];
    for cost in costs {
        if let Some(free) = cpus.iter_mut().min() {
            *free += cost;
        }
    }
    cpus.into_iter().max().unwrap_or_default()
}

proptest! {
    #[test]
    fn no_order_of_what_is_chosen_takes_longer_than_the_budget(
        cells in candidates(), wall in 0..400u64, at_once in 1..5u32, given in proptest::collection::vec(1..20u64, 0..3),
        reverse: bool,
    ) {
        let given: Vec<Duration> = given.into_iter().map(secs).collect();
        let alone = end(given.iter().copied(), at_once as usize);
        let budget = Budget { wall: secs(wall), at_once, given: given.clone() };
        let chosen = choose(&cells, &budget);
        let mut booted = HashSet::new();
        let mut order: Vec<&Candidate> = chosen.iter().map(|at| &cells[*at]).collect();
        if reverse {
            order.reverse();
        }
        let costs: Vec<Duration> = order
            .into_iter()
            .map(|cell| if booted.insert(&cell.machine) { cell.takes + cell.boot } else { cell.takes })
            .collect();
        let takes = end(given.into_iter().chain(costs), at_once as usize);
        prop_assert!(takes <= secs(wall).max(alone), "{:?} > {wall} s", takes);
    }

    #[test]
    fn the_choice_does_not_depend_on_the_order_of_the_candidates(cells in candidates(), wall in 0..400u64) {
        let mut distinct = cells;
        distinct.sort_by(|a, b| a.name.cmp(&b.name));
        distinct.dedup_by(|a, b| a.name == b.name);
        let backwards: Vec<Candidate> = distinct.iter().rev().cloned().collect();
        let mut other = names(&backwards, wall, 2);
        other.sort_unstable();
        prop_assert_eq!(names(&distinct, wall, 2), other);
    }

    #[test]
    fn every_test_is_covered_before_one_is_covered_twice_for_nothing_new(tests in 1..6u8, presets in 1..6u8) {
        let all: Vec<Candidate> = (0..tests)
            .flat_map(|test| (0..presets).map(move |preset| cell(&format!("t{test}"), &format!("p{preset}"), 1, 0)))
            .collect();
        let chosen = names(&all, u64::from(tests.max(presets)), 1);
        let of = |at: usize| chosen.iter().filter_map(|name| name.split('/').nth(at)).collect::<HashSet<_>>().len();
        prop_assert_eq!((of(0), of(1)), (usize::from(tests), usize::from(presets)));
    }
}
