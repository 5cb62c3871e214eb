//! `cargo ktstr test`: builds the workspace's programs and runs its tests under nextest.

mod build_flags;

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail};
use ktstr_host::install_nextest;
use ktstr_kernel::{Cache, Environment, Kernel, KernelSpec};
use ktstr_model::ModeChoice;
use ktstr_results::Commit;
use ktstr_vm::{Qemu, choose_mode};

use crate::kernel::BuildBar;
use crate::missing_tool::NoNextest;

/// Build schedulers and tests, and run the tests on a real kernel under nextest
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  cargo ktstr test\n  cargo ktstr test --kernel 7.3 --mode deterministic --seed 7\n  \
                        cargo ktstr test -- -E 'test(steady)' --no-capture"
)]
pub struct Args {
    /// Kernel to test on: an image file, a version, a series or a cache key [default: the newest that is cached]
    #[arg(long, value_name = "SPEC")]
    kernel: Vec<KernelSpec>,
    /// What guests' clocks follow: auto, real-time or deterministic
    #[arg(long, value_name = "MODE", env = "KTSTR_MODE", default_value_t = ModeChoice::Auto)]
    mode: ModeChoice,
    /// Seed of every test that has none of its own
    #[arg(long, value_name = "N", env = "KTSTR_SEED")]
    seed: Option<u64>,
    /// Fetch and build no kernel that is absent
    #[arg(long)]
    offline: bool,
    /// A test that gives up fails
    #[arg(long)]
    deny_skip: bool,
    /// Build schedulers and tests with the release profile
    #[arg(long)]
    release: bool,
    /// Arguments for `cargo nextest run`
    #[arg(last = true, value_name = "NEXTEST ARGS")]
    nextest: Vec<String>,
}

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
    let kernel = resolve(args, &environment, &cache)?;
    let qemu = Qemu::find()?;
    announce(&kernel, &cache, &qemu, args.mode)?;
    build_programs(args.release, &build_flags)?;
    run_tests(args, &kernel)
}

/// A kernel that was named and is absent is fetched or built, after a line that says so.
fn resolve(args: &Args, environment: &Environment, cache: &Cache) -> Result<Kernel> {
    match &args.kernel[..] {
        [] => Ok(ktstr_kernel::discover(environment, cache)?),
        [spec] => {
            let progress = BuildBar::new();
            Ok(ktstr_kernel::resolve_or_get(spec, args.offline, environment, cache, &progress)?)
        }
        specs => bail!(
            "--kernel was given {} times: running on several kernels at once is not built yet; give one",
            specs.len()
        ),
    }
}

/// One line that says what the tests run on. Proving KVM, which `auto` needs, happens here once rather than in each test.
fn announce(kernel: &Kernel, cache: &Cache, qemu: &Qemu, choice: ModeChoice) -> Result<()> {
    let sha256 = kernel.image_sha256.to_string();
    let mut progress = |what: &str| eprintln!("ktstr: {what}");
    let chosen = choose_mode(cache.root(), qemu, &kernel.image, &sha256, choice, &mut progress)?;
    let why = if chosen.why.is_empty() { String::new() } else { format!(" ({})", chosen.why) };
    eprintln!(
        "ktstr: kernel {kernel}; {} mode{why}; QEMU {} ({})",
        chosen.mode,
        qemu.version,
        qemu.path.display()
    );
    Ok(())
}

/// Schedulers may be programs of other packages than the tests', which nextest would not build.
pub fn build_programs(release: bool, flags: &[String]) -> Result<()> {
    let mut arguments = vec!["build", "--workspace", "--bins"];
    if release {
        arguments.push("--release");
    }
    arguments.extend(flags.iter().map(String::as_str));
    let status = cargo().args(&arguments).status().context("running `cargo build`")?;
    if !status.success() {
        bail!("the workspace's programs could not be built (`cargo {}`)", arguments.join(" "));
    }
    Ok(())
}

fn run_tests(args: &Args, kernel: &Kernel) -> Result<ExitCode> {
    if !has_nextest() {
        return Err(NoNextest(install_nextest().to_string()).into());
    }
    let mut command = cargo();
    command.args(["nextest", "run"]);
    if args.release {
        command.arg("--release");
    }
    command.args(&args.nextest);
    command.env("KTSTR_TEST_KERNEL", &kernel.image).env("KTSTR_MODE", args.mode.to_string());
    if let Some(seed) = args.seed {
        command.env("KTSTR_SEED", seed.to_string());
    }
    if std::env::var_os("KTSTR_COMMIT").is_none_or(|commit| commit.is_empty()) {
        // Once here rather than in each test; and an edit during the run does not part its records.
        command.env("KTSTR_COMMIT", Commit::of_work_tree(Path::new(".")).to_string());
    }
    if args.deny_skip {
        command.env("KTSTR_DENY_SKIP", "1");
    }
    // nextest tells a Ctrl-C to its tests and reports; we wait for that instead of ending before it.
    ignore_interrupts();
    // SAFETY: both calls are async-signal-safe. Our own end, however it comes, ends nextest, and so its tests.
    unsafe {
        command.pre_exec(|| {
            restore_interrupts();
            rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::TERM))?;
            Ok(())
        })
    };
    let status = command.status().context("running `cargo nextest run`")?;
    Ok(ExitCode::from(status.code().map_or(1, |code| code.clamp(0, 255) as u8)))
}

/// Whether cargo finds cargo-nextest.
pub fn has_nextest() -> bool {
    cargo().args(["nextest", "--version"]).output().is_ok_and(|output| output.status.success())
}

/// The cargo that runs us.
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
