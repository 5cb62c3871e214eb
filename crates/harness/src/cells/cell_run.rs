//! Carrying out one cell.

use ktstr_guest::TestEntry;
use ktstr_kernel::{KernelSet, LabelledKernel};

use super::{CellEnd, Declared, KINDS, Request, UnknownCell};
use crate::run::{Finished, run};
use crate::settings::Settings;
use crate::test_entry::tell;

/// A test that is run as a cell.
pub(super) struct CellRun<'a> {
    /// The test, on the cell's topology.
    pub entry: TestEntry,
    /// The cell's kernel; without one, that of the process.
    pub kernel: Option<&'a LabelledKernel>,
    /// The cell's name.
    pub name: &'a str,
}

/// Runs the test and keeps a record.
pub(super) fn run_test_cell(cell: &CellRun<'_>, settings: &Settings) -> CellEnd {
    let mut finished = carry_out(cell, settings);
    CellEnd { verdict: finished.record.verdict, text: tell(&mut finished, settings) }
}

/// Runs the test. A machine that this host cannot carry is a skip: nobody named it.
pub(super) fn carry_out(cell: &CellRun<'_>, settings: &Settings) -> Finished {
    let kernel = cell.kernel.map(|kernel| kernel.image.clone());
    let settings = Settings {
        kernel: kernel.or_else(|| settings.kernel.clone()),
        cell: Some(cell.name.to_owned()),
        ..settings.clone()
    };
    run(&cell.entry, &settings)
}

/// Runs the cell `name`.
///
/// # Errors
/// When there is none of that name.
pub(crate) fn run_named(
    name: &str,
    declared: &Declared,
    kernels: &KernelSet,
    settings: &Settings,
) -> Result<CellEnd, UnknownCell> {
    let unknown = |why| UnknownCell { name: name.to_owned(), why };
    let parts: Vec<&str> = name.split('/').collect();
    let kind = KINDS.iter().find(|kind| kind.prefix() == parts[0]);
    let kind = kind.ok_or_else(|| {
        let prefixes: Vec<_> = KINDS.iter().map(|kind| format!("{}/", kind.prefix())).collect();
        unknown(format!("names of cells begin with {}", prefixes.join(" or ")))
    })?;
    kind.run(&parts[1..], &Request { name, declared, kernels, settings }).map_err(unknown)
}
