//! `cargo xtask demo`: from a bare host to the example's tests, passed on a real kernel.

use std::time::Instant;

use anyhow::Result;

use crate::workspace::Workspace;
use crate::{cargo_tools, kernel, setup, stage};
use ktstr_host::Invocation;

/// Set this host up and run the example scheduler's tests on a real kernel
#[derive(clap::Args, Clone, Copy)]
pub struct Args {
    #[command(flatten)]
    setup: setup::Args,
}

/// `cargo xtask demo`.
///
/// # Errors
/// The first step that failed, and how to repeat it.
pub fn run(args: &Args) -> Result<()> {
    let start = Instant::now();
    setup::complete(args.setup.yes, setup::OF_USERS)?;
    cargo_tools::need_nextest()?;
    stage::run("building cargo-ktstr", &Invocation::new("cargo build --package cargo-ktstr"))?;
    let workspace = Workspace::read()?;
    kernel::fetch(&workspace)?;
    // The first two tests of a newcomer; the example's other files show more and are for later.
    let test = kernel::cargo_ktstr(&workspace, "test -- --test sched").in_folder("examples/my-sched");
    stage::run("testing the example scheduler", &test)?;
    let seconds = start.elapsed().as_secs_f64();
    println!("\nThe demo took {seconds:.0} s.\n{NEXT_STEPS}");
    Ok(())
}

const NEXT_STEPS: &str = "\
The scheduler is in examples/my-sched/src, its tests in examples/my-sched/tests/sched.rs.
What to type next:

  cargo install --path crates/cargo-ktstr    puts `cargo ktstr` on your PATH
  cd examples/my-sched
  cargo ktstr test                           these tests and those of tests/mixed_workloads.rs
  cargo ktstr test -- smt_steady             only one of them
  cargo ktstr test --help

docs/src/getting-started.md leads to a crate of your own.";
