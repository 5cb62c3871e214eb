//! `cargo ktstr replay`: runs a failure in deterministic mode again from its token.

mod folder;
mod kernel;
mod original;
mod outcome;
mod program;
#[cfg(test)]
mod testing;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use ktstr_host::install_nextest;
use ktstr_kernel::{Cache, Environment, Kernel, KernelSpec};
use ktstr_model::Cause;
use ktstr_results::Record;
use ktstr_results::replay::{ReplayToken, Replayed, find_token};
use ktstr_vm::Qemu;

use crate::missing_tool::NoNextest;
use crate::test::nextest_list::TestInBinary;
use crate::test::records::{Records, Workspace};
use crate::test::{build_flags, build_programs, has_nextest};
use folder::ReplayFolder;
use outcome::{Outcome, Run};

/// Run a failure in deterministic mode again from its token
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  cargo ktstr replay 7k3m9q2xw4rt\n  cargo ktstr replay 7k3m9q2xw4rt --times 10\n  \
                  cargo ktstr replay ./mailed.replay --dmesg\n\n\
                  Exit codes: 0 when every run reproduced the failure, 3 when one had the same verdict with another \
                  schedule, 4 when one did not reproduce it, 1 when it could not be run again."
)]
pub struct Args {
    /// The token that a failure's report ends with, or the path of its file
    #[arg(value_name = "TOKEN|PATH")]
    token: String,
    /// How many times to run it
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    times: u32,
    /// Print the guest kernel's log of the last run
    #[arg(long)]
    dmesg: bool,
    /// Print what came of it as JSON, and nothing else on standard output
    #[arg(long)]
    json: bool,
    /// Kernel to run on [default: the token's, which is fetched when it is absent]
    #[arg(long, value_name = "SPEC")]
    kernel: Option<KernelSpec>,
    /// Fetch and build no kernel that is absent
    #[arg(long)]
    offline: bool,
}

/// Runs the subcommand.
pub fn run(args: &Args) -> Result<ExitCode> {
    let workspace = Workspace::of(&[])?;
    let records = Records::of(&workspace);
    let file = token_file(&args.token, records.root())?;
    let token = ReplayToken::read(&file)?;
    check_package(&token, &workspace)?;
    let environment = Environment::of_process();
    let cache = Cache::locate(&environment)?;
    let kernel = kernel::find(&token, args.kernel.as_ref(), args.offline, &environment, &cache)?;
    Qemu::find()?;
    if !has_nextest() {
        return Err(NoNextest(install_nextest().to_string()).into());
    }
    let profile = token.test.program.cargo_profile().to_owned();
    let features = build_flags::of(&token.test.program.build)?;
    build_programs(false, &[vec!["--profile".to_owned(), profile], features].concat())?;
    let test = program::find(&token, &workspace)?;
    announce(&token, &kernel);
    let folder = ReplayFolder::begin(records.root(), &token, &file)?;
    let original = original::record(&file, token.id);
    let replay = Replay { token: &token, folder: &folder, kernel: &kernel.image, original };
    let outcome = carry_out(args, &replay, &test)?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&outcome)?);
    } else {
        if let Some(log) = &outcome.kernel_log {
            print!("{log}");
        }
        println!("{}", outcome.text());
    }
    Ok(outcome.exit_code())
}

/// What has a dot or a slash is a path; so is what is there under this name.
fn token_file(named: &str, records: &Path) -> Result<PathBuf> {
    let path = Path::new(named);
    if named.contains(['/', '.']) || path.is_file() {
        return Ok(path.to_owned());
    }
    Ok(find_token(records, named)?)
}

fn check_package(token: &ReplayToken, workspace: &Workspace) -> Result<()> {
    let package = &token.test.program.package;
    if package.is_empty() || workspace.packages.iter().any(|here| here.name == *package) {
        return Ok(());
    }
    let names: Vec<&str> = workspace.packages.iter().map(|package| package.name.as_str()).collect();
    bail!(
        "the token is of the test `{}` in package `{package}`, which this workspace does not have (it has {}): run it in the \
         workspace that has it",
        token.test.test,
        names.join(", ")
    )
}

fn announce(token: &ReplayToken, kernel: &Kernel) {
    let order = &token.plan.order;
    eprintln!(
        "ktstr: {}: {} on {}, kernel {kernel}, seed {}; then it ended with: {}",
        token.id,
        token.runs_as(),
        order.topology,
        order.seed,
        token.outcome.headline.lines().next().unwrap_or_default()
    );
}

/// A token with what it takes to run it.
struct Replay<'a> {
    token: &'a ReplayToken,
    folder: &'a ReplayFolder,
    kernel: &'a Path,
    /// The record of the run that the token is of, if it is here.
    original: Option<PathBuf>,
}

fn carry_out(args: &Args, replay: &Replay<'_>, test: &TestInBinary) -> Result<Outcome> {
    let token = replay.token;
    let mut outcome = Outcome::of(token);
    for number in 1..=args.times {
        let records = replay.folder.of_run(number);
        let printed = program::run(test, token, replay.folder.token(), replay.kernel, &records)?;
        let path = record_in(&records)
            .with_context(|| format!("the test process left no record; it printed:\n{printed}"))?;
        let record = Record::read(&path)?;
        if record.cause == Cause::NotRun && token.outcome.cause != Cause::NotRun {
            bail!("{}", record.headline);
        }
        if args.dmesg {
            outcome.kernel_log = Some(kernel_log(&path));
        }
        if token.compare(&record) == Replayed::OtherSchedule
            && outcome.divergence.is_empty()
            && let Some(then) = &replay.original
        {
            outcome.divergence = original::divergence(then, &path);
        }
        let run = Run::of(token, &record, path);
        if !args.json {
            match args.times {
                1 => print!("{printed}"),
                times => println!("{number} of {times}: {}", run.line()),
            }
        }
        outcome.add(run, token.differences(&record));
    }
    Ok(outcome)
}

fn record_in(folder: &Path) -> Option<PathBuf> {
    let files = fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
    files.into_iter().find(|path| path.extension().is_some_and(|extension| extension == "json"))
}

/// The log that was kept beside a record.
fn kernel_log(record: &Path) -> String {
    let path = record.with_extension("").join("kernel.log");
    fs::read_to_string(&path)
        .unwrap_or_else(|error| format!("[no kernel log: {}: {error}]\n", path.display()))
}
