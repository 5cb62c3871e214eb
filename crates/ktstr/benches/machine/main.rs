//! How fast and how big machines are, as figures with a baseline from the same run: `cargo xtask bench`.
//!
//! The binary is its own test binary: clones run the tests declared below.

mod declared;
mod edit;
mod figures;
mod prompt;
mod runs;
mod start;

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use ktstr::__private::TestEntry;
use ktstr_harness::{Prepared, Settings, run_test};
use ktstr_model::ModeChoice;
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
    let mut output = Output { json: false };
    let mut shell = None;
    let mut words = arguments.into_iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            // cargo's.
            "--bench" => {}
            "--json" => output.json = true,
            "--shell" => shell = Some(PathBuf::from(words.next().context("--shell names cargo-ktstr")?)),
            unknown => bail!("unknown argument {unknown}: only --json and --shell PROGRAM are accepted"),
        }
    }
    let boot_ms = start::measure(&output)?;
    runs::measure(&output, boot_ms)?;
    match shell {
        Some(program) => prompt::measure(&output, &program)?,
        None => output.progress("the shell's prompt is left out: --shell names cargo-ktstr"),
    }
    edit::measure(&output)
}

/// Resolves a declared test as a run does, in deterministic mode.
pub(crate) fn prepare(entry: &TestEntry, seed: u64) -> Result<Prepared> {
    let settings = Settings { mode: ModeChoice::Deterministic, ..Settings::of_this_process()? };
    let mut record = Record::begun(entry.spec.path(), entry.spec.scheduler.name, seed);
    Prepared::new(entry, &settings, seed, None, &mut record).context("a benchmark's test cannot be run")
}
