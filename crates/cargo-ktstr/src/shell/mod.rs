//! `cargo ktstr shell`: a shell in a guest, at a terminal or for one command.

mod declared;
mod guest_machine;
mod includes;
mod outcome;
mod relay;
mod script;
mod signals;
mod terminal;
mod userland;

use std::io::{IsTerminal as _, stderr, stdin, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use ktstr_kernel::{Cache, Environment, Kernel, KernelSpec, Progress as _};
use ktstr_model::{Mode, ModeChoice, Topology};
use ktstr_vm::{
    ChosenMode, Machine, MachineSpec, Payload, Qemu, Template, VmError, choose_mode, start_clone,
};
use ktstr_wire::session::{REQUEST_FILE, Request, SCRIPT_FILE};

use crate::progress::Terminal as ProgressBar;
use crate::test::kernels::resolve_one;
use declared::{Declared, Declaring};
use outcome::Outcome;
use relay::Relay;
use script::Script;
use signals::Signals;
use terminal::RawTerminal;

/// Open a shell in a guest, or run one command there
///
/// With --scheduler or --test the guest has what the declaration says, and commands that do what a test run does:
/// start-scheduler, stop-scheduler, scheduler-log and run-test. The scheduler is started before the shell is.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  cargo ktstr shell --topology 2,4,4,2\n  cargo ktstr shell -i target/debug/scx_my_sched -i bpftool\n  \
                  cargo ktstr shell --kernel 6.18 --exec 'uname -r; nproc'\n  cargo ktstr shell --scheduler my_sched\n  \
                  cargo ktstr shell --test basic_steady --exec run-test\n\n\
                  `exit`, Ctrl-D and `poweroff` end the shell. Ctrl-] typed three times within a second ends a guest that hangs."
)]
pub struct Args {
    /// Kernel to boot: an image file, a version, a series or a cache key [default: as for `cargo ktstr test`]
    #[arg(long, value_name = "SPEC")]
    kernel: Option<KernelSpec>,
    /// NUMA nodes, LLCs in total, cores per LLC, threads per core: 1,2,4,1 or 1n2l4c1t [default: as declared, else 1n1l2c1t]
    #[arg(long, value_name = "N,L,C,T")]
    topology: Option<Topology>,
    /// The guest's memory in MiB [default: as declared, else 2048; more with many CPUs]
    #[arg(long, value_name = "MIB")]
    memory_mb: Option<u32>,
    /// A file, a folder, or a program found in PATH, which the guest gets under /include-files/
    #[arg(short, long = "include", value_name = "PATH")]
    include: Vec<PathBuf>,
    /// Run this command with the guest's shell instead of opening one, and exit with its code
    #[arg(long, value_name = "CMD")]
    exec: Option<String>,
    /// Print the kernel's messages, those of the boot too, on standard error
    #[arg(long)]
    dmesg: bool,
    /// Fetch and build no kernel that is absent
    #[arg(long)]
    offline: bool,
    /// Start this scheduler first, which a test binary here declares
    #[arg(long, value_name = "NAME", conflicts_with = "test")]
    scheduler: Option<String>,
    /// Be where this test would run; `run-test` runs it. A cell of the gauntlet has its preset's topology
    #[arg(long, value_name = "TEST")]
    test: Option<String>,
    /// The test binary that has it, as `cargo nextest list` names it, where several have one of this name
    #[arg(long, value_name = "ID")]
    binary: Option<String>,
    /// Build schedulers and tests with the release profile
    #[arg(long)]
    release: bool,
}

/// Runs the subcommand; the exit code is the shell's.
pub fn run(args: &Args) -> Result<ExitCode> {
    match open(args) {
        Err(error) if matches!(error.downcast_ref(), Some(VmError::Interrupted)) => {
            eprintln!("ktstr: interrupted");
            Ok(ExitCode::from(outcome::INTERRUPTED))
        }
        other => other,
    }
}

fn open(args: &Args) -> Result<ExitCode> {
    let interactive = args.exec.is_none();
    if interactive {
        check_terminal()?;
    }
    let mut payload = Payload::default();
    userland::add(&mut payload)?;
    includes::add(&mut payload, &args.include)?;
    let environment = Environment::of_process();
    let cache = Cache::locate(&environment)?;
    let kernel = resolve_one(args.kernel.as_ref(), args.offline, &environment, &cache)?;
    // Kept while the machine runs: `kernel clean` leaves a kernel in use alone.
    let _in_use = kernel.hold()?;
    let qemu = Qemu::find()?;
    // A build hears of a Ctrl-C itself.
    let declaring = Declaring::find(args)?;
    // From here on there are machines, and folders half filled, that a signal must not leave behind.
    let signals = Signals::catch()?;
    let boot = signals.interrupt_waits()?;
    let chosen = mode(&cache, &qemu, &kernel)?;
    let declared = match declaring {
        Some(declaring) => Some(declaring.plan(args, &kernel, chosen.mode)?),
        None => None,
    };
    let machine = guest_machine::of(args, &kernel, chosen.mode, declared.as_ref())?;
    if let Some(declared) = &declared {
        declared.add_files(&mut payload)?;
    }
    add_session(&mut payload, args, declared.as_ref())?;
    payload.check_fits(machine.memory_mb)?;
    if interactive {
        announce(&kernel, &machine, &chosen);
    }
    if let Some(declared) = &declared {
        declared.announce(interactive);
    }
    let machine = start(cache.root(), &qemu, &machine, payload, declared.as_ref())?;
    boot.end();
    relay(machine, interactive, &signals)
}

fn check_terminal() -> Result<()> {
    let not = match (stdin().is_terminal(), stdout().is_terminal()) {
        (true, true) => return Ok(()),
        (false, _) => "standard input",
        (true, false) => "standard output",
    };
    bail!("a shell needs a terminal, and {not} is none; to run one command without, give it with --exec CMD")
}

/// Adds what the guest is to do.
fn add_session(payload: &mut Payload, args: &Args, declared: Option<&Declared>) -> Result<()> {
    let terminal = match args.exec {
        None => Some((terminal::size()?, terminal::kind())),
        Some(_) => None,
    };
    let request = Request { terminal, kernel_log: args.dmesg };
    payload.add_bytes(REQUEST_FILE, 0o644, request.to_text().into_bytes());
    let first = declared.and_then(Declared::first_command);
    let script = Script { first, command: args.exec.as_deref() };
    payload.add_bytes(SCRIPT_FILE, 0o755, script.to_string().into_bytes());
    Ok(())
}

fn mode(cache: &Cache, qemu: &Qemu, kernel: &Kernel) -> Result<ChosenMode> {
    let bar = ProgressBar::new();
    let mut progress = |what: &str| bar.step(what);
    let sha256 = kernel.image_sha256.to_string();
    Ok(choose_mode(cache.root(), qemu, &kernel.image, &sha256, ModeChoice::Auto, &mut progress)?)
}

fn announce(kernel: &Kernel, machine: &MachineSpec, chosen: &ChosenMode) {
    let pace = match chosen.mode {
        Mode::RealTime => String::new(),
        Mode::Deterministic => format!("; the guest is emulated at the host clock's pace ({})", chosen.why),
    };
    eprintln!("ktstr: kernel {kernel}; {}, {} MiB{pace}", machine.topology, machine.memory_mb);
}

/// Boots the template unless it is cached, with a sign of life, and lets a clone of it go.
fn start(
    cache: &Path,
    qemu: &Qemu,
    machine: &MachineSpec,
    mut payload: Payload,
    declared: Option<&Declared>,
) -> Result<Machine> {
    let bar = ProgressBar::new();
    let mut progress = |what: &str| bar.step(what);
    let template = Template::get(cache, qemu, machine, &mut progress)?;
    if let Some(declared) = declared {
        declared.add_order(&mut payload, template.turn_ns())?;
    }
    Ok(start_clone(qemu, &template, &payload, &mut progress)?)
}

/// Relays until the session ends. The terminal is as it was before anything is said about the end.
fn relay(mut machine: Machine, interactive: bool, signals: &Signals) -> Result<ExitCode> {
    let line = machine.take_line().context("the machine has no line to its guest")?;
    let terminal = if interactive { Some(RawTerminal::enter()?) } else { None };
    let ended = Relay::new(line, terminal.is_some())?.run(&mut machine, signals);
    drop(terminal);
    match ended? {
        Outcome::Ended(code) => Ok(ExitCode::from(code)),
        Outcome::PoweredOff => {
            if interactive && stderr().is_terminal() {
                eprintln!("ktstr: the guest is off");
            }
            Ok(ExitCode::SUCCESS)
        }
        Outcome::Left => {
            eprintln!("ktstr: left by Ctrl-]; the guest is gone");
            Ok(ExitCode::from(outcome::INTERRUPTED))
        }
        Outcome::Signal(signal) => Ok(ExitCode::from(128 + signal)),
        Outcome::Lost(why) => bail!(why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn parse(words: &[&str]) -> Result<Args, String> {
        Line::try_parse_from([&["shell"], words].concat())
            .map(|line| line.args)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn both_forms_of_a_topology_are_understood() {
        for text in ["1,2,4,1", "1n2l4c1t"] {
            assert_eq!(parse(&["--topology", text]).unwrap().topology, Some(Topology::of(1, 2, 4, 1)));
        }
        let error = parse(&["--topology", "1,2"]).unwrap_err();
        assert!(error.contains("`1,2` is not a topology") && error.contains("1n2l4c1t"), "{error}");
        assert!(parse(&["--topology", "2,3,1,1"]).unwrap_err().contains("not divisible"));
    }

    #[test]
    fn includes_may_be_given_again_and_again() {
        let args = parse(&["-i", "a", "--include", "b/c", "--exec", "ls -l"]).unwrap();
        assert_eq!(args.include, [PathBuf::from("a"), PathBuf::from("b/c")]);
        assert_eq!(args.exec.as_deref(), Some("ls -l"));
    }
}
