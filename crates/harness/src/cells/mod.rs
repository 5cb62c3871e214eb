//! Cells: runs that a test binary offers beside its `#[test]` functions, each under a name of its own.
//!
//! A kind of cell expands what the binary declares over a table: a test over presets ([`gauntlet`]), a test over kernels
//! ([`kernels`]), a scheduler over kernels and
//! presets ([`verifier`]). Its names begin with a word of its own and a slash, which no test function's name has. A new kind is a
//! file here and a line in [`KINDS`].

mod cell_run;
mod gauntlet;
mod kernels;
mod presets;
mod too_large;
mod verifier;

use ktstr_guest::TestEntry;
use ktstr_kernel::KernelSet;
use ktstr_model::{Scheduler, TestSpec, Verdict};

use crate::settings::Settings;

pub(crate) use cell_run::run_named;
pub use too_large::TooLarge;
pub(crate) use too_large::{fits_memory, modes_of_auto, too_large};
pub use verifier::NoCells;
pub(crate) use verifier::{no_cells, spec_for};

/// What a test binary declares.
#[derive(Clone, Copy)]
pub struct Declared {
    /// Its tests, and those of crates linked into it.
    pub tests: &'static [TestEntry],
    /// Its schedulers, and those of crates linked into it.
    pub schedulers: &'static [&'static Scheduler],
}

/// A cell as it is listed.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its name, which begins with its kind's prefix and a slash.
    pub name: String,
    /// Whether it runs only when ignored tests are asked for.
    pub ignored: bool,
    /// What it runs, on its topology.
    pub spec: TestSpec,
}

/// How a cell ended.
pub(crate) struct CellEnd {
    pub verdict: Verdict,
    /// All that a person is told.
    pub text: String,
}

/// A name that is none of a cell here: why, and what there is instead.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is no cell of this test binary: {why}")]
pub struct UnknownCell {
    pub(crate) name: String,
    pub(crate) why: String,
}

/// One kind of cell.
trait CellKind: Sync {
    /// The first part of its names.
    fn prefix(&self) -> &'static str;

    /// Its cells, in an order that stays the same from call to call.
    fn list(&self, declared: &Declared, kernels: &KernelSet) -> Vec<Listed>;

    /// Carries out the cell whose name is the prefix and these parts; the error says which part names nothing, and what
    /// it could be.
    fn run(&self, parts: &[&str], request: &Request<'_>) -> Result<CellEnd, String>;
}

/// What a cell is run with.
struct Request<'a> {
    /// The whole name.
    name: &'a str,
    declared: &'a Declared,
    kernels: &'a KernelSet,
    settings: &'a Settings,
}

/// All kinds, in the order in which their cells are listed.
const KINDS: [&dyn CellKind; 3] = [&kernels::Kernels, &gauntlet::Gauntlet, &verifier::Verifier];

/// All cells of a test binary.
pub fn list(declared: &Declared, kernels: &KernelSet) -> Vec<Listed> {
    KINDS.iter().flat_map(|kind| kind.list(declared, kernels)).collect()
}

/// Whether a name can only be a cell's.
pub(crate) fn is_cell_name(name: &str) -> bool {
    name.split_once('/').is_some_and(|(prefix, _)| KINDS.iter().any(|kind| kind.prefix() == prefix))
}

/// Tests by name, so that the order of cells does not depend on the linker's.
fn by_name(declared: &Declared) -> Vec<(String, &'static TestEntry)> {
    let mut tests: Vec<_> = declared.tests.iter().map(|entry| (entry.spec.path(), entry)).collect();
    tests.sort_by(|a, b| a.0.cmp(&b.0));
    tests
}

/// The test of this name.
fn test_named(declared: &Declared, name: &str) -> Result<&'static TestEntry, String> {
    declared.tests.iter().find(|entry| entry.spec.path() == name).ok_or_else(|| {
        let names: Vec<String> = by_name(declared).into_iter().map(|(name, _)| name).collect();
        format!("it has no test `{name}`; its tests are {}", names.join(", "))
    })
}

#[cfg(test)]
mod tests;
