//! `cargo ktstr test`: builds the workspace's programs and runs its tests under nextest.

mod annotations;
pub mod ask_binary;
mod budget;
pub mod build_flags;
pub mod cells;
pub mod choose_test;
mod estimate;
pub mod kernels;
mod named_cells;
pub mod nextest_config;
pub mod nextest_list;
pub mod records;
mod selection;
mod summary;

use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail};
use ktstr_host::install_nextest;
use ktstr_kernel::{Cache, Environment, Kernel, KernelSet, KernelSpec};
use ktstr_model::{Mode, ModeChoice, UnknownWorkType, WorkType};
use ktstr_results::{Commit, Record, TestProgram};
use ktstr_vm::{Qemu, choose_mode};

use crate::missing_tool::{NoNextest, NotBuildable, lacks_for_building};
use crate::stats::{print, print_json};
use cells::Planned;
use nextest_config::NextestConfig;
use records::{Records, Workspace};
use selection::Selection;
use summary::{Summary, SummaryFile};

/// Build schedulers and tests, and run the tests on a real kernel under nextest
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  cargo ktstr test\n  cargo ktstr test --kernel 7.3 --mode deterministic --seed 7\n  \
                        cargo ktstr test --work-type PipeIo\n  \
                        cargo ktstr test -- -E 'test(steady)' --no-capture\n  \
                        cargo ktstr test --kernel 7.3 --kernel 6.18\n  \
                        cargo ktstr test --budget 600 -- --run-ignored only -E 'test(gauntlet/)'\n  \
                        cargo ktstr test --list -- --run-ignored only -E 'test(gauntlet/)'"
)]
pub struct Args {
    /// Kernel to test on: an image file, a version, a series, a cache key, or a range, which means every cached kernel
    /// in it [default: the newest that is cached]. With several, every test has a cell `kernels/TEST/KERNEL` on each
    /// further one
    #[arg(long, value_name = "SPEC")]
    kernel: Vec<KernelSpec>,
    /// What guests' clocks follow: auto, real-time or deterministic
    #[arg(long, value_name = "MODE", env = "KTSTR_MODE", default_value_t = ModeChoice::Auto)]
    mode: ModeChoice,
    /// Seed of every test that has none of its own
    #[arg(long, value_name = "N", env = "KTSTR_SEED")]
    seed: Option<u64>,
    /// What the workers of swappable cgroups and of the ready-made scenarios do, instead of what their test says
    #[arg(long, value_name = "NAME", env = "KTSTR_WORK_TYPE", value_parser = work_type_name)]
    work_type: Option<String>,
    /// Leave cells out that would take longer than this, in seconds, by what earlier runs took
    #[arg(long, value_name = "SECS", env = "KTSTR_BUDGET_SECS", value_parser = budget_in_seconds)]
    budget: Option<u64>,
    /// Run nothing: list what would be run, and which cells would be skipped because this host cannot carry their machines
    #[arg(long)]
    list: bool,
    /// List as JSON
    #[arg(long, requires = "list")]
    json: bool,
    /// Write the summary to this file too, as JSON
    #[arg(long, value_name = "FILE", conflicts_with = "list")]
    summary_json: Option<PathBuf>,
    /// Run each cell twice, and fail it as broken when the two runs differ; for deterministic mode
    #[arg(long)]
    check_determinism: bool,
    /// Fetch and build no kernel that is absent
    #[arg(long)]
    offline: bool,
    /// A test that gives up fails
    #[arg(long)]
    deny_skip: bool,
    /// A test about which a busy host allows no conclusion does not fail (real-time mode)
    #[arg(long)]
    allow_inconclusive: bool,
    /// Build schedulers and tests with the release profile
    #[arg(long)]
    release: bool,
    /// Arguments for `cargo nextest run`
    #[arg(last = true, value_name = "NEXTEST ARGS")]
    nextest: Vec<String>,
}

/// A name that a work type has.
fn work_type_name(name: &str) -> Result<String, UnknownWorkType> {
    WorkType::named(name).map(|work| work.name().to_owned())
}

/// nextest's exit code when there was nothing to run.
const NO_TESTS_RUN: u8 = 4;

/// Runs the subcommand; the exit code is nextest's.
pub fn run(args: &Args) -> Result<ExitCode> {
    let build_flags = build_flags::of(&args.nextest)?;
    if args.release
        && build_flags.iter().any(|flag| ["--release", "-r", "--profile"].contains(&flag.as_str()))
    {
        bail!(
            "the build profile is given twice: once before `--` (`--release`) and once after it; leave one out"
        );
    }
    let environment = Environment::of_process();
    let cache = Cache::locate(&environment)?;
    let kernels = kernels::resolve(&args.kernel, args.offline, &environment, &cache)?;
    let qemu = Qemu::find()?;
    if !has_nextest() {
        return Err(NoNextest(install_nextest().to_string()).into());
    }
    let labelled = kernels::label(&kernels);
    named_cells::check(&args.nextest, &labelled)?;
    let mode = announce(&kernels, &labelled, &cache, &qemu, args.mode)?;
    if args.check_determinism && mode != Mode::Deterministic {
        bail!(
            "--check-determinism compares two runs, which are never equal in {mode} mode: add `--mode deterministic`"
        );
    }
    build_programs(args.release, &build_flags)?;
    let workspace = Workspace::of(&build_flags)?;
    Run { args, kernels: &labelled, mode, cache: &cache, records: Records::of(&workspace), workspace }
        .carry_out()
}

/// Reads `--budget`.
fn budget_in_seconds(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(0) => Err("in no time nothing can be run; leave the budget out to run everything".to_owned()),
        Ok(seconds) => Ok(seconds),
        Err(_) => Err("a budget is a whole number of seconds".to_owned()),
    }
}

/// One line that says what the tests run on. Proving KVM, which `auto` needs, happens here once rather than in each test.
pub fn announce(
    kernels: &[Kernel],
    labelled: &KernelSet,
    cache: &Cache,
    qemu: &Qemu,
    choice: ModeChoice,
) -> Result<Mode> {
    let first = kernels.first().context("no kernel")?;
    let sha256 = first.image_sha256.to_string();
    let mut progress = |what: &str| eprintln!("ktstr: {what}");
    let chosen = choose_mode(cache.root(), qemu, &first.image, &sha256, choice, &mut progress)?;
    let why = if chosen.why.is_empty() { String::new() } else { format!(" ({})", chosen.why) };
    let kernel = match labelled.is_dimension() {
        true => format!("kernels {}", labelled.labels()),
        false => format!("kernel {first}"),
    };
    eprintln!("ktstr: {kernel}; {} mode{why}; QEMU {} ({})", chosen.mode, qemu.version, qemu.path.display());
    Ok(chosen.mode)
}

/// Schedulers may be programs of other packages than the tests', which nextest would not build.
pub fn build_programs(release: bool, flags: &[String]) -> Result<()> {
    let mut arguments = vec!["build", "--workspace", "--bins"];
    if release {
        arguments.push("--release");
    }
    arguments.extend(flags.iter().map(String::as_str));
    let status = cargo().args(&arguments).status().context("running `cargo build`")?;
    if status.success() {
        return Ok(());
    }
    let command = format!("cargo {}", arguments.join(" "));
    match lacks_for_building() {
        Some(lacks) => Err(NotBuildable { command, lacks }.into()),
        None => bail!("the workspace's programs could not be built (`{command}`)"),
    }
}

/// A run of tests that has all that it needs.
struct Run<'a> {
    args: &'a Args,
    kernels: &'a KernelSet,
    mode: Mode,
    cache: &'a Cache,
    records: Records,
    workspace: Workspace,
}

impl Run<'_> {
    /// The exit code is nextest's.
    fn carry_out(&self) -> Result<ExitCode> {
        if self.args.list {
            return self.list();
        }
        // Before anything is run: who cannot have it there shall not wait for it.
        let summary_file = self.args.summary_json.as_deref().map(SummaryFile::create).transpose()?;
        self.records.warn_if_unwritable();
        let config = NextestConfig::write()?;
        let selection = match self.args.budget {
            Some(seconds) => Some(Selection::make(self, &self.planned()?, seconds)?),
            None => None,
        };
        let began = SystemTime::now();
        let id = invocation_id(began);
        let mut command = cargo();
        command.args(["nextest", "run"]).args(config.arguments()).args(self.nextest_arguments());
        self.tell_tests(&mut command)?;
        command.env("KTSTR_RUN_ID", &id);
        if let Some(selection) = &selection {
            command.env("KTSTR_CELLS", selection.path());
        }
        let code = carry_out(&mut command)?;
        if code == ExitCode::from(NO_TESTS_RUN) {
            self.tell_why_nothing_ran()?;
        }
        let records = self.records.of_invocation(&id, began);
        let summary = Summary::of(&records, selection.map(|selection| selection.left_out));
        self.tell(&summary, &records);
        if let Some(file) = summary_file {
            file.write(&summary)?;
        }
        Ok(code)
    }

    /// Says which part of a cell's name is wrong, where that is why nextest found nothing.
    fn tell_why_nothing_ran(&self) -> Result<()> {
        if named_cells::name_the_gauntlet(&self.args.nextest) && !self.asks_for_ignored() {
            eprintln!(
                "error: cells of the gauntlet run only when they are asked for: add `--run-ignored only`"
            );
            return Ok(());
        }
        let all = nextest_list::all(&self.nextest_arguments(), |command| self.tell_tests(command))?;
        if let Some(why) = named_cells::why_none(&self.args.nextest, &all) {
            eprintln!("error: {why}");
        }
        Ok(())
    }

    fn asks_for_ignored(&self) -> bool {
        self.args.nextest.iter().any(|word| word.starts_with("--run-ignored"))
    }

    /// Prints what would be run.
    fn list(&self) -> Result<ExitCode> {
        let mut planned = self.planned()?;
        if let Some(seconds) = self.args.budget {
            Selection::make(self, &planned, seconds)?.keep_chosen(&mut planned);
        }
        match self.args.json {
            true => print_json(&planned)?,
            false => print(&cells::render(&planned))?,
        }
        Ok(ExitCode::SUCCESS)
    }

    /// What nextest would run.
    fn planned(&self) -> Result<Vec<Planned>> {
        cells::planned(&self.nextest_arguments(), |command| {
            self.tell_tests(command)?;
            // What a machine may have depends on the mode; it was found once.
            command.env("KTSTR_MODE", self.mode.to_string());
            Ok(())
        })
    }

    fn nextest_arguments(&self) -> Vec<String> {
        let release = self.args.release.then(|| "--release".to_owned());
        release.into_iter().chain(self.args.nextest.iter().cloned()).collect()
    }

    /// Sets the variables that test processes read, also those that only list their cells.
    fn tell_tests(&self, command: &mut Command) -> Result<()> {
        if let Some(first) = self.kernels.kernels().first() {
            command.env("KTSTR_TEST_KERNEL", &first.image);
        }
        if self.kernels.is_dimension() {
            command.env(KernelSet::VARIABLE, self.kernels.to_variable()?);
        } else {
            command.env_remove(KernelSet::VARIABLE);
        }
        // Else the summary would count every cell of the gauntlet as skipped.
        if !self.asks_for_ignored() {
            command.env("KTSTR_NO_IGNORED_CELLS", "1");
        }
        command.env("KTSTR_MODE", self.args.mode.to_string());
        if let Some(seed) = self.args.seed {
            command.env("KTSTR_SEED", seed.to_string());
        }
        hand_workspace_on(command, &self.workspace, &choice_here(&self.workspace, &self.args.nextest)?);
        if self.args.check_determinism {
            command.env("KTSTR_CHECK_DETERMINISM", "1");
        }
        if let Some(work_type) = &self.args.work_type {
            command.env("KTSTR_WORK_TYPE", work_type);
        }
        if self.args.deny_skip {
            command.env("KTSTR_DENY_SKIP", "1");
        }
        if self.args.allow_inconclusive {
            command.env("KTSTR_ALLOW_INCONCLUSIVE", "1");
        }
        Ok(())
    }

    fn tell(&self, summary: &Summary, records: &[Record]) {
        if let Some(table) = summary.render() {
            eprintln!("\n{table}");
        }
        if std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true") {
            let root = &self.workspace.workspace_root;
            let repository = std::env::var_os("GITHUB_WORKSPACE").map_or_else(|| root.clone(), PathBuf::from);
            for line in annotations::of(records, root, &repository) {
                println!("{line}");
            }
        }
    }
}

/// What the records of one command have in common: it began then, in this process.
pub fn invocation_id(began: SystemTime) -> String {
    let since_1970 = began.duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{}-{}", since_1970.as_millis(), std::process::id())
}

/// Tells test processes what this one knows of their workspace: where its records go, which commit it has, and of which
/// `choice` of packages and features their binary was built.
pub fn hand_workspace_on(command: &mut Command, workspace: &Workspace, choice: &[String]) {
    Records::of(workspace).tell(command);
    // Looked for once here rather than in each test; and an edit during the run does not part its records.
    if std::env::var_os("KTSTR_COMMIT").is_none_or(|commit| commit.is_empty()) {
        command.env("KTSTR_COMMIT", Commit::of_work_tree(&workspace.workspace_root).to_string());
    }
    command.env(TestProgram::BUILD_VARIABLE, choice.join("\n"));
}

/// The packages and features that cargo builds for these arguments of nextest in the current folder.
pub fn choice_here(workspace: &Workspace, nextest: &[String]) -> Result<Vec<String>> {
    let here = std::env::current_dir().context("the current folder")?;
    Ok(build_flags::choice(nextest, workspace.package_chosen_in(&here)))
}

/// Runs what runs tests to its end; the exit code is its own.
pub fn carry_out(command: &mut Command) -> Result<ExitCode> {
    // It hears a Ctrl-C too and reports; we wait for that instead of ending before it.
    ignore_interrupts();
    // SAFETY: both calls are async-signal-safe. Our own end, however it comes, ends it, and so its tests.
    unsafe {
        command.pre_exec(|| {
            restore_interrupts();
            rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::TERM))?;
            Ok(())
        })
    };
    let status = command.status().with_context(|| format!("running {}", command.get_program().display()))?;
    Ok(ExitCode::from(status.code().map_or(1, |code| code.clamp(0, 255) as u8)))
}

/// Whether cargo finds cargo-nextest.
pub fn has_nextest() -> bool {
    cargo().args(["nextest", "--version"]).output().is_ok_and(|output| output.status.success())
}

/// The cargo that runs this program, else the one in `PATH`.
pub fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

fn ignore_interrupts() {
    // SAFETY: installs no handler, only the disposition "ignore".
    unsafe { libc::signal(libc::SIGINT, libc::SIG_IGN) };
}

fn restore_interrupts() {
    // SAFETY: installs no handler, only the default disposition.
    unsafe { libc::signal(libc::SIGINT, libc::SIG_DFL) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commit_is_that_of_the_workspace_wherever_the_command_is_given() {
        let elsewhere = tempfile::tempdir().unwrap();
        let root = elsewhere.path().to_owned();
        let workspace =
            Workspace { target_directory: root.join("target"), workspace_root: root, packages: Vec::new() };
        let mut command = Command::new("true");
        hand_workspace_on(&mut command, &workspace, &[]);
        let told = command.get_envs().find(|(name, _)| *name == "KTSTR_COMMIT").and_then(|(_, value)| value);
        // Whoever runs this test may have named one.
        let named = std::env::var_os("KTSTR_COMMIT").is_some_and(|commit| !commit.is_empty());
        assert_eq!(told, (!named).then_some("nogit".as_ref()));
    }
}
