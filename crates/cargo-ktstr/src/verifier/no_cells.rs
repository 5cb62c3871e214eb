//! Declared schedulers that the sweep has no cell for.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use anyhow::Result;
use ktstr_harness::NoCells;
use ktstr_harness::session::parse_listed;

use super::cells::{Cell, Cells};
use crate::test::ask_binary::ask;
use crate::test::nextest_list::TestInBinary;

/// Why schedulers among what is `listed` have no cell; the binaries that declare them are asked. The kernel's own scheduler
/// and builtin ones never have any, and are not among them.
pub fn reasons(
    listed: &[TestInBinary],
    cells: &Cells,
    set: impl Fn(&mut Command) -> Result<()>,
) -> Result<BTreeMap<String, String>> {
    let swept = cells.schedulers();
    let is_left_out =
        |test: &&TestInBinary| parse_listed(&test.name).is_some_and(|(name, _)| !swept.contains(name));
    let declaring: BTreeMap<&Path, &TestInBinary> =
        listed.iter().filter(is_left_out).map(|test| (test.binary.as_path(), test)).collect();
    let mut reasons = differing(listed, &swept);
    for test in declaring.into_values() {
        const QUESTION: &str = "which of its schedulers have no cell";
        let told: Vec<NoCells> = ask(test, NoCells::ARGUMENT, QUESTION, &set)?;
        let left_out = told.into_iter().filter(|told| !swept.contains(told.scheduler.as_str()));
        reasons.extend(left_out.map(|NoCells { scheduler, why }| (scheduler, why)));
    }
    Ok(reasons)
}

/// Schedulers that have cells, but not the same ones in all binaries that declare them.
fn differing(listed: &[TestInBinary], swept: &BTreeSet<&str>) -> BTreeMap<String, String> {
    let cells = listed.iter().filter_map(|test| Cell::parse(&test.name));
    let left_out = cells.filter(|cell| !swept.contains(cell.scheduler.as_str()));
    let why = "no kernel and preset is accepted by all of its declarations, which differ";
    left_out.map(|cell| (cell.scheduler, why.to_owned())).collect()
}
