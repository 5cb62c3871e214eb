//! `cargo ktstr explore`: many varied runs of one test.

mod time_span;

use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use ktstr_explore::{Again, Limit, REQUEST_ARGUMENT, Request, StrategyName};
use ktstr_host::install_nextest;
use ktstr_kernel::{Cache, Environment, KernelSet, KernelSpec};
use ktstr_model::{ModeChoice, Topology};
use ktstr_vm::Qemu;

use crate::missing_tool::NoNextest;
use crate::test::cells::is_cell;
use crate::test::kernels::resolve_one;
use crate::test::records::Workspace;
use crate::test::{
    announce, build_flags, build_programs, carry_out, choose_test, hand_workspace_on, has_nextest,
    nextest_list,
};

/// Runs of a campaign where nothing else is said.
const RUNS: u64 = 500;

/// Run one test many times, each time a little differently, until something fails
///
/// Each run is deterministic and differs from the others by what the strategy chooses: another seed, short stalls of CPUs,
/// other priorities, CPUs that go off line, other times. Failures are grouped by what went wrong. A campaign that is
/// started again with the same arguments goes on where it stopped.
///
/// Exit code: 0 when all runs passed, 100 when some failed, 130 after Ctrl-C, 1 when it could not be carried out. With
/// --again 0, 3 or 4 as `cargo ktstr replay` has them.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  cargo ktstr explore basic_steady --seeds 200\n  cargo ktstr explore basic_steady \
                  --strategy delays --for 10m --stop-on-failure\n  cargo ktstr explore basic_steady --strategy delays \
                  --again 17 --times 10"
)]
pub struct Args {
    /// The test, by its path within its crate
    test: String,
    /// The test binary that has it, as `cargo nextest list` names it, where several have one of this name
    #[arg(long, value_name = "ID")]
    binary: Option<String>,
    /// The package that has it [default: the packages that cargo chooses in this folder]
    #[arg(long, short, value_name = "PACKAGE")]
    package: Option<String>,
    /// How runs differ: mix, seeds, delays, priorities, hotplug or sweep
    #[arg(long, value_name = "NAME", default_value_t)]
    strategy: StrategyName,
    /// Make so many runs in all, those of earlier times included [default: 500]
    #[arg(long, value_name = "N", conflicts_with = "time", value_parser = clap::value_parser!(u64).range(1..))]
    seeds: Option<u64>,
    /// Make runs for so long: 90s, 10m, 2h
    #[arg(long = "for", id = "time", value_name = "TIME", value_parser = time_span::parse)]
    time: Option<Duration>,
    /// What all random choices come from, and the seed of the plain run [default: the test's own, KTSTR_SEED, or 1]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Machines at once [default: one for each CPU of the host]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    jobs: Option<u64>,
    /// Kernel to run on: an image file, a version, a series or a cache key [default: the newest that is cached]
    #[arg(long, value_name = "SPEC")]
    kernel: Option<KernelSpec>,
    /// Another topology than the test's, such as 1n2l4c2t
    #[arg(long, value_name = "TOPOLOGY")]
    topology: Option<Topology>,
    /// Let the workload run for so long instead of what the test says: 200ms, 3s
    #[arg(long, value_name = "TIME", value_parser = time_span::parse)]
    duration: Option<Duration>,
    /// End when a run has failed
    #[arg(long)]
    stop_on_failure: bool,
    /// Make a failed run of this campaign again, and say whether it is the same
    #[arg(long, value_name = "RUN", conflicts_with_all = ["seeds", "time", "stop_on_failure", "json"])]
    again: Option<u64>,
    /// How often, with --again
    #[arg(long, value_name = "N", default_value_t = 1, requires = "again", value_parser = clap::value_parser!(u64).range(1..))]
    times: u64,
    /// Keep results in this folder [default: one below target/ktstr/explore that the parameters name]
    #[arg(long, value_name = "FOLDER")]
    campaign: Option<PathBuf>,
    /// Print what was found as JSON, without a live line
    #[arg(long)]
    json: bool,
    /// Fetch and build no kernel that is absent
    #[arg(long)]
    offline: bool,
    /// Build schedulers and tests with the release profile
    #[arg(long)]
    release: bool,
}

/// What libtest ends with when it does not know an argument.
const LIBTEST_REFUSED: u8 = 101;

/// Runs the subcommand; the exit code is the campaign's.
pub fn run(args: &Args) -> Result<ExitCode> {
    if is_cell(&args.test) {
        bail!(
            "`{}` is a cell: name its test, and with --topology and --kernel what it is to run on",
            args.test
        );
    }
    let environment = Environment::of_process();
    let cache = Cache::locate(&environment)?;
    let kernel = resolve_one(args.kernel.as_ref(), args.offline, &environment, &cache)?;
    let qemu = Qemu::find()?;
    if !has_nextest() {
        return Err(NoNextest(install_nextest().to_string()).into());
    }
    let kernels = std::slice::from_ref(&kernel);
    announce(kernels, &KernelSet::label(kernels), &cache, &qemu, ModeChoice::Deterministic)?;
    build_programs(args.release, &[])?;
    let here = std::env::current_dir().context("the current folder")?;
    let workspace = Workspace::of(&[])?;
    let package = args.package.as_deref().or_else(|| workspace.package_chosen_in(&here));
    let choice = build_flags::choice(&[], package);
    let release = args.release.then(|| "--release".to_owned());
    let list: Vec<String> = release.into_iter().chain(choice.iter().cloned()).collect();
    let tests = nextest_list::all(&list, |command| {
        // Cells are not explored, so that nothing has to be known of other kernels.
        command.env_remove(KernelSet::VARIABLE);
        Ok(())
    })?;
    let test = choose_test::choose(&args.test, args.binary.as_deref(), tests)?;
    let request = serde_json::to_string(&request(args)?).context("the request")?;
    let mut command = Command::new(&test.binary);
    command.arg(REQUEST_ARGUMENT).arg(request).current_dir(&test.folder);
    command.env("KTSTR_TEST_KERNEL", &kernel.image).env_remove(KernelSet::VARIABLE);
    hand_workspace_on(&mut command, &workspace, &choice);
    command.env("CARGO_PKG_NAME", &test.package);
    let code = carry_out(&mut command)?;
    if code == ExitCode::from(LIBTEST_REFUSED) {
        bail!("`{}` is no #[ktstr_test], and its test binary `{}` has none", args.test, test.binary_id);
    }
    Ok(code)
}

fn request(args: &Args) -> Result<Request> {
    let absolute = |folder: &PathBuf| std::path::absolute(folder).context("--campaign");
    Ok(Request {
        test: args.test.clone(),
        strategy: args.strategy,
        limit: args.time.map_or(Limit::Runs(args.seeds.unwrap_or(RUNS)), Limit::Time),
        seed: args.seed,
        jobs: args.jobs.map(|jobs| usize::try_from(jobs).unwrap_or(usize::MAX)),
        topology: args.topology.as_ref().map(Topology::to_string),
        duration: args.duration,
        stop_on_failure: args.stop_on_failure,
        json: args.json,
        folder: args.campaign.as_ref().map(absolute).transpose()?,
        again: args.again.map(|run| Again { run, times: args.times }),
    })
}
