//! `cargo ktstr stats diff`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use ktstr_model::{Digest, RunReport};
use ktstr_results::{Divergence, Record, first_divergence};
use serde::Serialize;

use super::{print, print_json};

/// What two runs that differ end with.
const DIFFERENT: u8 = 2;

/// Show where two runs that should have been equal went apart: the first event that differs
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  cargo ktstr stats diff target/ktstr/7.3.4-abc1234/steady-1795612581414-11987.json \
                  target/ktstr/replays/7k3m9q2xw4rt/1/steady-1795612599114-12007.json\n\n\
                  The exit code is 0 when the two are equal, 2 when they differ and 1 after an error."
)]
pub struct Args {
    /// A record's file
    #[arg(value_name = "FILE")]
    one: PathBuf,
    /// Another record's file
    #[arg(value_name = "FILE")]
    other: PathBuf,
}

#[derive(Serialize)]
struct Difference {
    digests: [Digest; 2],
    divergence: Option<Divergence>,
}

/// Compares what the guests of two records reported.
pub fn run(args: &Args, json: bool) -> Result<ExitCode> {
    let [one, other] = [&args.one, &args.other].map(|path| report(path));
    let (one, other) = (one?, other?);
    let divergence = first_divergence(&one, &other);
    let equal = divergence.is_none();
    if json {
        print_json(&Difference { digests: [one.digest, other.digest], divergence })?;
    } else {
        let lines = divergence.map_or_else(|| vec!["the two runs are equal".to_owned()], |d| d.lines());
        print(&format!("digests {} and {}\n{}\n", one.digest, other.digest, lines.join("\n")))?;
    }
    Ok(if equal { ExitCode::SUCCESS } else { ExitCode::from(DIFFERENT) })
}

fn report(path: &Path) -> Result<RunReport> {
    Record::read(path)?;
    Record::read_report(path)?.with_context(|| {
        format!(
            "{}: the record has no {} beside it, and without a run's events nothing can be compared: the guest reported \
             nothing, or the record was copied without its folder",
            path.display(),
            Record::REPORT_FILE
        )
    })
}
