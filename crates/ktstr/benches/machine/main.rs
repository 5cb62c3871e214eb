//! How fast and how big machines are, as figures with a baseline from the same run: `cargo xtask bench`.
//!
//! The binary is its own test binary: clones run the tests declared below.

mod declared;
mod determinism;
mod figures;
mod start;

use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use ktstr_harness::{Prepared, Record, Settings, run_test};
use ktstr_model::{ModeChoice, TestSpec};

use figures::{Figure, Output};

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
    output.figure(&edit_to_verdict(&output)?);
    determinism::measure(&output)
}

/// Resolves a declared test as a run does, in deterministic mode.
pub(crate) fn prepare(spec: &TestSpec, seed: u64) -> Result<Prepared> {
    let settings = Settings { mode: ModeChoice::Deterministic, ..Settings::of_this_process()? };
    let mut record = Record::begun(spec.path(), spec.scheduler.name, seed);
    Prepared::new(spec, &settings, seed, &mut record).context("a benchmark's test cannot be run")
}

/// From the start of a freshly built test binary to its verdict, with the template cached.
fn edit_to_verdict(output: &Output) -> Result<Figure> {
    let mut times = Vec::new();
    for _ in 0..5 {
        output.progress("running a 1 s test from its process's start to its verdict");
        let began = Instant::now();
        let status = std::process::Command::new(std::env::current_exe()?)
            .arg(ONE_TEST)
            .env("KTSTR_MODE", "deterministic")
            .stdout(std::process::Stdio::null())
            .status()?;
        if !status.success() {
            bail!("the 1 s test did not pass");
        }
        times.push(began.elapsed().as_secs_f64() * 1e3);
    }
    let duration_ms = f64::from(declared::STEADY.spec.duration_s) * 1e3;
    Ok(Figure { name: "edit_to_verdict", value: figures::median(times), unit: "ms", baseline: duration_ms })
}
