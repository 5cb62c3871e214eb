//! `cargo xtask test`: everything that a change must pass.

use std::time::Instant;

use anyhow::Result;

use crate::workspace::Workspace;
use crate::{cargo_tools, docs, kernel, setup, stage, style};
use ktstr_host::Invocation;

/// Run all checks and tests of the project
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  cargo xtask test\n  cargo xtask test --quick\n  \
                        cargo xtask test -- -E 'package(ktstr-vm)' --no-capture")]
pub struct Args {
    #[command(flatten)]
    setup: setup::Args,
    /// Leave out what boots a machine
    #[arg(long, conflicts_with = "slow")]
    quick: bool,
    /// Also run the tests that are marked #[ignore] because they take long
    #[arg(long)]
    slow: bool,
    /// Arguments for `cargo nextest run`
    #[arg(value_name = "NEXTEST ARGS", last = true)]
    pub nextest: Vec<String>,
}

/// `cargo xtask test`.
///
/// # Errors
/// The first stage that failed, and how to repeat it.
pub fn run(args: &Args) -> Result<()> {
    let start = Instant::now();
    setup::complete(args.setup.yes, if args.quick { setup::OF_USERS } else { setup::OF_TESTS })?;
    cargo_tools::need_nextest()?;
    // From what fails in a second to what takes minutes.
    stage::run("format", &Invocation::new("cargo fmt --all --check"))?;
    stage::timed("style", "cargo xtask style", || style::run(&style::Args {}))?;
    docs::run(&docs::Args {})?;
    stage::run("lints", &Invocation::new("cargo clippy --workspace --all-targets -- -D warnings"))?;
    // Schedulers are programs that the tests of other packages start, which nextest would not build. Together with the
    // tests they get the features that nextest builds them with; alone they might get others, and be built twice.
    stage::run("building", &Invocation::new("cargo build --workspace --bins --tests"))?;
    stage::run("documentation tests", &Invocation::new("cargo test --workspace --doc"))?;
    stage::run("tests", &nextest(args)?)?;
    if !args.quick && args.nextest.is_empty() {
        let image = kernel::image_of(&Workspace::read()?, kernel::OLD_SERIES)?;
        let example = Invocation::new("cargo nextest run -p my-sched")
            .env("KTSTR_TEST_KERNEL", image.display().to_string());
        stage::run("the example's tests on an old kernel", &example)?;
    }
    if args.slow {
        let slow = "cargo nextest run --workspace --no-tests=pass --run-ignored only -E test(/(^|::)slow_/)";
        stage::run("slow tests", &Invocation::new(slow))?;
    }
    eprintln!("==> all passed in {:.0} s", start.elapsed().as_secs_f64());
    Ok(())
}

fn nextest(args: &Args) -> Result<Invocation> {
    let mut run = Invocation::new("cargo nextest run --workspace");
    if args.quick {
        run = run.arg("--profile").arg("quick");
    } else {
        let workspace = Workspace::read()?;
        kernel::fetch(&workspace)?;
        let image = kernel::newest_image(&workspace)?;
        run = run.env("KTSTR_TEST_KERNEL", image.display().to_string());
    }
    Ok(run.args(args.nextest.iter().cloned()))
}
