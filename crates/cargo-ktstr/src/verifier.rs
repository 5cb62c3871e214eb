//! `cargo ktstr verifier`: loads every scheduler on every kernel and preset, and shows what the BPF verifier made of it.

mod cells;
mod no_cells;
mod outcome;
mod table;

use std::collections::BTreeSet;
use std::process::{Command, ExitCode, Stdio};
use std::time::SystemTime;

use anyhow::{Result, bail, ensure};
use ktstr_harness::session::LIST_SCHEDULERS;
use ktstr_host::install_nextest;
use ktstr_kernel::{Cache, Environment, KernelSet, KernelSpec};
use ktstr_model::ModeChoice;
use ktstr_vm::Qemu;

use self::cells::Cells;
use self::outcome::Outcome;
use crate::missing_tool::NoNextest;
use crate::presets;
use crate::test::nextest_config::NextestConfig;
use crate::test::records::{Records, Workspace};
use crate::test::{self, build_flags, kernels, nextest_list};

/// Load every declared scheduler on every kernel and preset, and show what its BPF programs cost the verifier
///
/// A cell is a scheduler on a kernel that its `kernels` accept, on a preset that its constraints accept. Each is a test of
/// its own, `verifier/SCHEDULER/KERNEL/PRESET`, which nextest runs. A scheduler that is rejected is told with the
/// instruction, its source, the rule and the calls, and with the verifier's log.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  cargo ktstr verifier --list\n  cargo ktstr verifier --kernel 6.18 --kernel 7.0 --preset tiny-1llc\n  \
                  cargo ktstr verifier --scheduler my_sched --json"
)]
pub struct Args {
    /// Kernel to load on, as often as wanted: an image file, a version, a series, a cache key, or a range, which means
    /// every cached kernel in it [default: the newest that is cached]
    #[arg(long, value_name = "SPEC")]
    kernel: Vec<KernelSpec>,
    /// Only this scheduler; as often as wanted
    #[arg(long, value_name = "NAME")]
    scheduler: Vec<String>,
    /// Only this preset; as often as wanted
    #[arg(long, value_name = "NAME")]
    preset: Vec<String>,
    /// Print the names of the cells and run none
    #[arg(long)]
    list: bool,
    /// Print every line of the verifier's log, loops not collapsed
    #[arg(long)]
    raw: bool,
    /// Print the results as JSON
    #[arg(long)]
    json: bool,
    /// What guests' clocks follow: auto, real-time or deterministic
    #[arg(long, value_name = "MODE", env = "KTSTR_MODE", default_value_t = ModeChoice::Auto)]
    mode: ModeChoice,
    /// Fetch and build no kernel that is absent
    #[arg(long)]
    offline: bool,
    /// A cell that this host cannot carry fails
    #[arg(long)]
    deny_skip: bool,
    /// Build schedulers and tests with the release profile
    #[arg(long)]
    release: bool,
    /// Arguments for `cargo nextest list` and `cargo nextest run`, such as `-p PACKAGE`
    #[arg(last = true, value_name = "NEXTEST ARGS")]
    nextest: Vec<String>,
}

/// Runs the subcommand; the exit code is nextest's.
pub fn run(args: &Args) -> Result<ExitCode> {
    if !test::has_nextest() {
        return Err(NoNextest(install_nextest().to_string()).into());
    }
    let build_flags = build_flags::of(&args.nextest)?;
    args.preset.iter().try_for_each(|name| presets::check(name))?;
    let environment = Environment::of_process();
    let cache = Cache::locate(&environment)?;
    let found = kernels::resolve(&args.kernel, args.offline, &environment, &cache)?;
    let kernels = kernels::label(&found);
    let workspace = Workspace::of(&build_flags)?;
    if !args.list {
        test::announce(&found, &kernels, &cache, &Qemu::find()?, args.mode)?;
        test::build_programs(args.release, &build_flags)?;
    }
    let cells = wanted(args, &kernels, &workspace)?;
    if args.list {
        return list(args, &cells).map(|()| ExitCode::SUCCESS);
    }
    sweep(args, &cells, &kernels, &workspace)
}

/// The cells that there are, narrowed to those that are asked for.
fn wanted(args: &Args, kernels: &KernelSet, workspace: &Workspace) -> Result<Cells> {
    let mut arguments = vec!["-E".to_owned(), r"test(/^verifier\//)".to_owned()];
    arguments.extend(own_arguments(args));
    arguments.extend(args.nextest.iter().cloned());
    let listed = nextest_list::all(&arguments, |command| {
        command.env(LIST_SCHEDULERS, "1");
        tell_tests(command, args, kernels, workspace)
    })?;
    let labels: Vec<&str> = kernels.kernels().iter().map(|kernel| kernel.label.as_str()).collect();
    let cells = Cells::among(&listed, &labels, &presets::names());
    let left_out =
        no_cells::reasons(&listed, &cells, |command| tell_tests(command, args, kernels, workspace))?;
    if let Some((name, why)) = left_out.iter().find(|(name, _)| args.scheduler.contains(name)) {
        bail!("the scheduler `{name}` has no cell: {why}");
    }
    if args.scheduler.is_empty() {
        left_out.iter().for_each(|(name, why)| eprintln!("ktstr: the scheduler `{name}` has no cell: {why}"));
    }
    if cells.cells.is_empty() && left_out.is_empty() {
        bail!(
            "there is nothing to load: no test binary here declares a BPF scheduler (see `declare_scheduler!`; the kernel's \
             own scheduler and builtin ones have no BPF programs)"
        );
    }
    ensure!(
        !cells.cells.is_empty(),
        "there is nothing to load on {}: name a kernel that one of the schedulers accepts with --kernel",
        kernels.labels()
    );
    let cells = cells.narrow(&args.scheduler, &args.preset)?;
    cells.shared().for_each(|line| eprintln!("ktstr: {line}"));
    Ok(cells)
}

fn list(args: &Args, cells: &Cells) -> Result<()> {
    if args.json {
        println!("{}", serde_json::to_string_pretty(&cells.cells)?);
    } else {
        cells.cells.iter().for_each(|cell| println!("{}", cell.name()));
    }
    Ok(())
}

fn sweep(args: &Args, cells: &Cells, kernels: &KernelSet, workspace: &Workspace) -> Result<ExitCode> {
    let began = SystemTime::now();
    let id = test::invocation_id(began);
    let config = NextestConfig::write()?;
    let mut command = test::cargo();
    command
        .args(["nextest", "run"])
        .args(own_arguments(args))
        .args(config.arguments())
        .args(["-E", &cells.filter()])
        .args(&args.nextest)
        .env("KTSTR_RUN_ID", &id);
    tell_tests(&mut command, args, kernels, workspace)?;
    // What nextest says of its progress is not what is asked for.
    command.stdout(Stdio::from(std::io::stderr()));
    let code = test::carry_out(&mut command)?;
    let records = Records::of(workspace).of_invocation(&id, began);
    let outcomes: Vec<Outcome> = cells.cells.iter().map(|cell| Outcome::of(cell.clone(), &records)).collect();
    if args.json {
        println!("{}", serde_json::to_string_pretty(&outcomes)?);
    } else {
        print!("{}", told(cells, &outcomes, kernels));
    }
    Ok(code)
}

/// The tables of all schedulers.
fn told(cells: &Cells, outcomes: &[Outcome], kernels: &KernelSet) -> String {
    let mut text = String::new();
    for scheduler in cells.schedulers() {
        let own: Vec<&Outcome> =
            outcomes.iter().filter(|outcome| outcome.cell.scheduler == scheduler).collect();
        let swept: BTreeSet<&str> = own.iter().map(|outcome| outcome.cell.kernel.as_str()).collect();
        let labels = kernels.kernels().iter().map(|kernel| kernel.label.as_str());
        let left_out: Vec<&str> = labels.filter(|label| !swept.contains(label)).collect();
        text += &table::render(scheduler, &own, &left_out);
        text.push('\n');
    }
    text + &table::total(outcomes) + "\n"
}

/// What both listing and running are told.
fn own_arguments(args: &Args) -> impl Iterator<Item = String> {
    let release = args.release.then_some("--release");
    ["--run-ignored", "only"].into_iter().chain(release).map(str::to_owned)
}

/// Sets what every process of this sweep has to know.
fn tell_tests(command: &mut Command, args: &Args, kernels: &KernelSet, workspace: &Workspace) -> Result<()> {
    command.env(KernelSet::VARIABLE, kernels.to_variable()?).env("KTSTR_MODE", args.mode.to_string());
    if let Some(first) = kernels.kernels().first() {
        command.env("KTSTR_TEST_KERNEL", &first.image);
    }
    if args.raw {
        command.env("KTSTR_VERIFIER_RAW", "1");
    }
    if args.deny_skip {
        command.env("KTSTR_DENY_SKIP", "1");
    }
    test::hand_workspace_on(command, workspace, &test::choice_here(workspace, &args.nextest)?);
    Ok(())
}
