//! `cargo xtask bench`: how fast and how big machines are on this host.

use anyhow::Result;

use crate::workspace::Workspace;
use crate::{kernel, setup, stage};
use ktstr_host::Invocation;

/// Measure how fast machines start, what they weigh, and whether runs repeat
#[derive(clap::Args, Clone, Copy)]
pub struct Args {
    #[command(flatten)]
    setup: setup::Args,
    /// Print one JSON object a line: name, value, unit, baseline, ratio
    #[arg(long)]
    json: bool,
}

/// `cargo xtask bench`.
///
/// # Errors
/// The first step that failed, and how to repeat it.
pub fn run(args: &Args) -> Result<()> {
    setup::complete(args.setup.yes, setup::OF_USERS)?;
    stage::run("building cargo-ktstr", &Invocation::new("cargo build --package cargo-ktstr"))?;
    // Captured, because stdout is for figures.
    kernel::cargo_ktstr(&Workspace::read()?, "kernel fetch").stdout()?;
    stage::run(
        "building the example scheduler",
        &Invocation::new("cargo build --release --package my-sched"),
    )?;
    let json = if args.json { " -- --json" } else { "" };
    let bench = Invocation::new(&format!("cargo bench --package ktstr --bench machine{json}"));
    stage::run("measuring", &bench)
}
