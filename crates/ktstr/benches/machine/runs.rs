//! How many runs of a short test a host CPU makes in a minute, and what booting a machine for each would cost.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use ktstr_harness::{Settings, VariedRuns};
use ktstr_model::{ModeChoice, Variation};

use crate::declared;
use crate::figures::{Figure, Output, median};

/// How long the workload of each run takes.
const DURATION: Duration = Duration::from_millis(200);
/// Runs that are made, one after the other, with a seed each.
const RUNS: u64 = 25;

/// Measures runs of the example's test on 4 vCPUs as `cargo ktstr explore` makes them, from the start of the clone to the
/// verdict. `boot_ms` is what a cold boot of the same machine takes.
pub fn measure(output: &Output, boot_ms: f64) -> Result<()> {
    output.progress(&format!("{RUNS} runs of a 200 ms test"));
    let settings = Settings {
        mode: ModeChoice::Deterministic,
        topology: Some("1n2l2c1t".parse()?),
        ..Settings::of_this_process()?
    };
    let runs = VariedRuns::new(declared::STEADY, &settings, Some(DURATION))?;
    let mut took_ms = Vec::new();
    for seed in 1..=RUNS {
        let began = Instant::now();
        let finished = runs.run(&Variation { seed: Some(seed), ..Variation::default() })?;
        took_ms.push(began.elapsed().as_secs_f64() * 1e3);
        ensure!(finished.record.digest.is_some(), "a run left no report: {}", finished.record.headline);
    }
    let run_ms = median(took_ms);
    output.figure(&Figure { name: "run_200_ms", value: run_ms, unit: "ms", baseline: 200.0 });
    output.figure(&Figure {
        name: "runs_a_minute",
        value: 60e3 / run_ms,
        unit: "runs",
        baseline: 60e3 / (boot_ms + run_ms),
    });
    Ok(())
}
