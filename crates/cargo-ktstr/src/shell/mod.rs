//! `cargo ktstr shell`: a shell in a guest, at a terminal or for one command.

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

use anyhow::{Context as _, Result, bail, ensure};
use ktstr_kernel::{Cache, Environment, Kernel, KernelSpec, Progress as _};
use ktstr_model::{Mode, ModeChoice, Topology};
use ktstr_vm::{
    ChosenMode, Machine, MachineSpec, Payload, Purpose, Qemu, Template, VmError, choose_mode, start_clone,
};
use ktstr_wire::session::{REQUEST_FILE, Request, SCRIPT_FILE};

use crate::progress::Terminal as ProgressBar;
use crate::test::kernels::resolve_one;
use outcome::Outcome;
use relay::Relay;
use script::Script;
use signals::Signals;
use terminal::RawTerminal;

/// The least memory that kernel and shell can do with, and what each CPU takes of it, in MiB.
const LEAST_MEMORY_MB: u32 = 256;
const MEMORY_PER_CPU_MB: u32 = 64;

/// Open a shell in a guest, or run one command there
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  cargo ktstr shell --topology 2,4,4,2\n  cargo ktstr shell -i target/debug/scx_my_sched -i bpftool\n  \
                  cargo ktstr shell --kernel 6.18 --exec 'uname -r; nproc'\n\n\
                  `exit`, Ctrl-D and `poweroff` end the shell. Ctrl-] typed three times within a second ends a guest that hangs."
)]
pub struct Args {
    /// Kernel to boot: an image file, a version, a series or a cache key [default: as for `cargo ktstr test`]
    #[arg(long, value_name = "SPEC")]
    kernel: Option<KernelSpec>,
    /// NUMA nodes, LLCs in total, cores per LLC, threads per core: 1,2,4,1 or 1n2l4c1t
    #[arg(long, value_name = "N,L,C,T", default_value = "1n1l2c1t")]
    topology: Topology,
    /// The guest's memory in MiB [default: 2048, more with many CPUs]
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
    #[arg(long, value_name = "NAME", hide = true)]
    scheduler: Option<String>,
    #[arg(long, value_name = "TEST", hide = true)]
    test: Option<String>,
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
    if args.scheduler.is_some() {
        bail!(
            "`--scheduler` is not built yet: bring the scheduler's program with `-i PROGRAM` and start it in the shell"
        );
    }
    if args.test.is_some() {
        bail!("`--test` is not built yet: `cargo ktstr test` runs tests, a shell has only what `-i` brings");
    }
    let interactive = args.exec.is_none();
    if interactive {
        check_terminal()?;
    }
    let memory_mb = memory_mb(args.memory_mb, &args.topology)?;
    let payload = payload(args)?;
    let environment = Environment::of_process();
    let cache = Cache::locate(&environment)?;
    let kernel = resolve_one(args.kernel.as_ref(), args.offline, &environment, &cache)?;
    // Kept while the machine runs: `kernel clean` leaves a kernel in use alone.
    let _in_use = kernel.hold()?;
    let qemu = Qemu::find()?;
    // From here on there are machines, and folders half filled, that a signal must not leave behind.
    let signals = Signals::catch()?;
    let boot = signals.interrupt_waits()?;
    let chosen = mode(&cache, &qemu, &kernel)?;
    let machine = MachineSpec {
        kernel: kernel.image.clone(),
        kernel_sha256: kernel.image_sha256.to_string(),
        kargs: Vec::new(),
        topology: args.topology,
        memory_mb,
        mode: chosen.mode,
        purpose: Purpose::Shell,
        disk_mb: 0,
    };
    if interactive {
        announce(&kernel, &machine, &chosen);
    }
    let machine = start(cache.root(), &qemu, &machine, &payload)?;
    boot.end();
    session(machine, interactive, &signals)
}

fn check_terminal() -> Result<()> {
    let not = match (stdin().is_terminal(), stdout().is_terminal()) {
        (true, true) => return Ok(()),
        (false, _) => "standard input",
        (true, false) => "standard output",
    };
    bail!("a shell needs a terminal, and {not} is none; to run one command without, give it with --exec CMD")
}

fn memory_mb(asked_for: Option<u32>, topology: &Topology) -> Result<u32> {
    let least = LEAST_MEMORY_MB.max(topology.cpus() * MEMORY_PER_CPU_MB);
    let Some(memory_mb) = asked_for else { return Ok(least.max(2048)) };
    ensure!(memory_mb >= least, "--memory-mb {memory_mb}: a guest of {topology} needs {least} or more");
    Ok(memory_mb)
}

/// What the guest gets: a userland, the files that were asked for, and what it is to do.
fn payload(args: &Args) -> Result<Payload> {
    let mut payload = Payload::default();
    userland::add(&mut payload)?;
    includes::add(&mut payload, &args.include)?;
    let terminal = match args.exec {
        None => Some((terminal::size()?, terminal::kind())),
        Some(_) => None,
    };
    let request = Request { terminal, kernel_log: args.dmesg };
    payload.add_bytes(REQUEST_FILE, 0o644, request.to_text().into_bytes());
    let script = Script { command: args.exec.as_deref() };
    payload.add_bytes(SCRIPT_FILE, 0o755, script.to_string().into_bytes());
    Ok(payload)
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
fn start(cache: &Path, qemu: &Qemu, machine: &MachineSpec, payload: &Payload) -> Result<Machine> {
    let bar = ProgressBar::new();
    let mut progress = |what: &str| bar.step(what);
    let template = Template::get(cache, qemu, machine, &mut progress)?;
    Ok(start_clone(qemu, &template, payload, &mut progress)?)
}

/// Relays until the session ends. The terminal is as it was before anything is said about the end.
fn session(mut machine: Machine, interactive: bool, signals: &Signals) -> Result<ExitCode> {
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
            assert_eq!(parse(&["--topology", text]).unwrap().topology, Topology::of(1, 2, 4, 1));
        }
        assert_eq!(parse(&[]).unwrap().topology, Topology::of(1, 1, 2, 1));
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

    #[test]
    fn memory_that_is_too_little_is_refused_with_what_is_enough() {
        let topology = Topology::of(1, 4, 4, 1);
        assert_eq!(memory_mb(None, &topology).unwrap(), 2048);
        assert_eq!(memory_mb(None, &Topology::of(1, 8, 8, 1)).unwrap(), 4096);
        assert_eq!(memory_mb(Some(1024), &topology).unwrap(), 1024);
        let error = memory_mb(Some(512), &topology).unwrap_err().to_string();
        assert_eq!(error, "--memory-mb 512: a guest of 1n4l4c1t needs 1024 or more");
    }
}
