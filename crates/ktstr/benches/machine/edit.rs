//! How long a developer waits from the end of compilation to a verdict.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use ktstr_kernel::{Cache, Environment};

use crate::figures::{Figure, Output, median};
use crate::{ONE_TEST, declared};

/// Runs of each kind.
const ROUNDS: usize = 5;

/// Measures a 1 s test from its process's start to its verdict, with the template cached: the first time after its
/// binary has changed, when the payload has to be loaded, and again.
pub fn measure(output: &Output) -> Result<()> {
    let cache = Cache::locate(&Environment::of_process())?;
    verdict(cache.root()).context("the run that boots the template")?;
    let figure = |name, times| {
        let baseline = f64::from(declared::STEADY.spec.duration_s) * 1e3;
        output.figure(&Figure { name, value: median(times), unit: "ms", baseline });
    };
    output.progress("running a 1 s test whose binary has just been built");
    let edited = (0..ROUNDS).map(|_| {
        let unloaded = without_loaded(cache.root())?;
        verdict(unloaded.path())
    });
    figure("edit_to_verdict", edited.collect::<Result<Vec<f64>>>()?);
    output.progress("running it again");
    figure("again_to_verdict", (0..ROUNDS).map(|_| verdict(cache.root())).collect::<Result<Vec<f64>>>()?);
    Ok(())
}

/// A cache with everything that `cache` has but for loaded templates, as an edited test finds it.
fn without_loaded(cache: &Path) -> Result<tempfile::TempDir> {
    // On the same disk: loading copies a template's RAM.
    let unloaded = tempfile::tempdir_in(cache)?;
    for entry in fs::read_dir(cache)?.flatten() {
        let is_itself = entry.path() == unloaded.path();
        if entry.file_name() != "loaded" && !is_itself {
            symlink(entry.path(), unloaded.path().join(entry.file_name()))?;
        }
    }
    Ok(unloaded)
}

/// Milliseconds from the test process's start to its end.
fn verdict(cache: &Path) -> Result<f64> {
    let began = Instant::now();
    let status = Command::new(std::env::current_exe()?)
        .arg(ONE_TEST)
        .env("KTSTR_CACHE_DIR", cache)
        .env("KTSTR_MODE", "deterministic")
        .stdout(Stdio::null())
        .status()?;
    if !status.success() {
        bail!("the 1 s test did not pass");
    }
    Ok(began.elapsed().as_secs_f64() * 1e3)
}
