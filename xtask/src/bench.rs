//! `cargo xtask bench`: how fast and how big machines are on this host, and how long records take to compare.

use anyhow::Result;

use crate::workspace::Workspace;
use crate::{kernel, setup, stage};
use ktstr_host::Invocation;

/// Measure how fast machines start, what they weigh, whether runs repeat, and how long records take to compare
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
    let workspace = Workspace::read()?;
    kernel::fetch_quietly(&workspace)?;
    stage::run(
        "building the example scheduler",
        &Invocation::new("cargo build --release --package my-sched"),
    )?;
    let machines = Invocation::new("cargo bench --package ktstr --bench machine -- --shell")
        .arg(workspace.program("cargo-ktstr").display().to_string());
    let machines = if args.json { machines.arg("--json") } else { machines };
    stage::run("measuring machines", &machines)?;
    let json = if args.json { " -- --json" } else { "" };
    let bench = Invocation::new(&format!("cargo bench --package ktstr-results --bench compare{json}"));
    stage::run("measuring records", &bench)?;
    let bench = Invocation::new(&format!("cargo bench --package ktstr --bench listing{json}"));
    stage::run("measuring how cells are listed", &bench)
}
