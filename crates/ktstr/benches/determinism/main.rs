//! Distinct digests of many clones of one plan, and of many seeds: one row of the table of `cargo xtask determinism`.
//!
//! The binary is its own test binary: clones run the tests declared below. Its argument is the row, as JSON; what it prints
//! is JSON, too.

mod declared;

use std::collections::BTreeSet;
use std::iter::repeat_n;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use ktstr_harness::{Settings, VariedRuns};
use ktstr_model::{Digest, ModeChoice, RunReport, Topology, Variation};
use serde::{Deserialize, Serialize};

/// How long the workload of each run takes.
const DURATION: Duration = Duration::from_millis(200);

/// What is to be counted.
#[derive(Deserialize)]
struct Row {
    test: String,
    topology: String,
    /// Runs of one plan.
    clones: usize,
    /// Runs that differ in their seed alone.
    seeds: usize,
}

#[derive(Serialize)]
struct Counted {
    /// Of the runs of one plan.
    digests: BTreeSet<String>,
    /// Of the runs with a seed each.
    digests_of_seeds: usize,
    /// Wall time of all runs, as many at once as the host has CPUs.
    seconds: f64,
}

fn main() -> Result<()> {
    let row = std::env::args().skip(1).find(|argument| argument != "--bench");
    let row = row.context("what is to be counted is missing: `cargo xtask determinism` says it")?;
    let row: Row = serde_json::from_str(&row).context("the row")?;
    let runs = prepare(&row)?;
    let began = Instant::now();
    let digests = digests(&runs, repeat_n(Variation::default(), row.clones))?;
    let seeds = (1u64..).take(row.seeds).map(|seed| Variation { seed: Some(seed), ..Variation::default() });
    let digests_of_seeds = self::digests(&runs, seeds)?.len();
    let counted = Counted {
        digests: digests.iter().map(Digest::to_string).collect(),
        digests_of_seeds,
        seconds: began.elapsed().as_secs_f64(),
    };
    println!("{}", serde_json::to_string(&counted)?);
    Ok(())
}

fn prepare(row: &Row) -> Result<VariedRuns> {
    let entry = ktstr::KTSTR_TESTS.iter().find(|entry| entry.spec.name == row.test);
    let entry = entry.with_context(|| format!("no test is called `{}`", row.test))?;
    let topology: Topology = row.topology.parse()?;
    let settings = Settings {
        mode: ModeChoice::Deterministic,
        topology: Some(topology),
        ..Settings::of_this_process()?
    };
    Ok(VariedRuns::new(*entry, &settings, Some(DURATION))?)
}

/// Makes the runs, as many at once as the host has CPUs.
fn digests(
    runs: &VariedRuns,
    variations: impl Iterator<Item = Variation> + Send,
) -> Result<BTreeSet<Digest>> {
    let variations = Mutex::new(variations);
    let next = || variations.lock().unwrap_or_else(PoisonError::into_inner).next();
    let some =
        || -> Result<BTreeSet<Digest>> { std::iter::from_fn(next).map(|one| digest(runs, &one)).collect() };
    let jobs = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let jobs: Vec<_> = (0..jobs).map(|_| scope.spawn(some)).collect();
        let mut all = BTreeSet::new();
        for job in jobs {
            match job.join() {
                Ok(some) => all.extend(some?),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        Ok(all)
    })
}

/// The digest of one run, computed again from what its report holds.
fn digest(runs: &VariedRuns, variation: &Variation) -> Result<Digest> {
    let finished = runs.run(variation)?;
    let report = finished.evidence.and_then(|evidence| evidence.report);
    let Some(Ok(report)) = report else { bail!("a run left no report: {}", finished.record.headline) };
    let RunReport { digest, .. } = report;
    ensure!(report.computed_digest() == digest, "the digest is not that of the report");
    Ok(digest)
}
