//! How fast and how big machines are, as figures with a baseline from the same run: `cargo xtask bench`.
//!
//! The binary is its own test binary: clones run the tests declared below.

mod declared;
mod determinism;
mod edit;
mod figures;
mod start;

use anyhow::{Context as _, Result, bail};
use ktstr_harness::{Prepared, Settings, run_test};
use ktstr_model::{ModeChoice, TestSpec};
use ktstr_results::Record;

use figures::Output;

/// The argument with which this program runs one declared test and ends, as an edited test would be run.
const ONE_TEST: &str = "--one-test";

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == ONE_TEST) {
        run_test(&declared::STEADY);
        return Ok(());
    }
    // cargo passes `--bench`; whatever else there may be is a mistake.
    if let Some(unknown) =
        arguments.iter().find(|argument| !["--bench", "--json"].contains(&argument.as_str()))
    {
        bail!("unknown argument {unknown}: only --json is accepted");
    }
    let output = Output { json: arguments.iter().any(|argument| argument == "--json") };
    start::measure(&output)?;
    edit::measure(&output)?;
    determinism::measure(&output)
}

/// Resolves a declared test as a run does, in deterministic mode.
pub(crate) fn prepare(spec: &TestSpec, seed: u64) -> Result<Prepared> {
    let settings = Settings { mode: ModeChoice::Deterministic, ..Settings::of_this_process()? };
    let mut record = Record::begun(spec.path(), spec.scheduler.name, seed);
    Prepared::new(spec, &settings, seed, &mut record).context("a benchmark's test cannot be run")
}
