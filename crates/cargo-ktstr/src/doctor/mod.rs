//! `cargo ktstr doctor`: what this host lacks, and how to get it.

mod finding;
mod fix;
mod kernels;
mod programs;
mod storage;

use std::process::ExitCode;

use anyhow::Result;
use ktstr_host::{Consent, Host};
use ktstr_kernel::{Cache, Environment, Kernel};
use ktstr_vm::Qemu;

use finding::{Finding, State};

/// Say what this host lacks to build schedulers and run tests, and how to get it
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  cargo ktstr doctor\n  cargo ktstr doctor --fix\n  cargo ktstr doctor --json\n\n\
                  The exit code is 1 when something that tests need is missing."
)]
pub struct Args {
    /// Install what is missing, after showing the commands and asking
    #[arg(long, conflicts_with = "json")]
    fix: bool,
    /// With --fix: do not ask (CI=true has the same effect)
    #[arg(long, requires = "fix")]
    yes: bool,
    /// Try whether KVM works by booting a machine, which may take a minute where it does not
    #[arg(long)]
    prove_kvm: bool,
    /// Print a JSON array instead of lines
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> Result<ExitCode> {
    let mut findings = examine(args.prove_kvm)?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&findings)?);
        return Ok(exit_code(&findings));
    }
    print(&findings);
    if args.fix && fix::run(&findings, Consent::new(args.yes))? {
        println!();
        findings = examine(false)?;
        print(&findings);
    }
    if !args.fix && findings.iter().any(|finding| finding.state == State::Missing) {
        println!("\nSomething that tests need is missing: `cargo ktstr doctor --fix` installs it.");
    }
    Ok(exit_code(&findings))
}

fn print(findings: &[Finding]) {
    let width = findings.iter().map(|finding| finding.subject.len()).max().unwrap_or(0);
    for finding in findings {
        println!("{}", finding.text(width));
    }
}

fn exit_code(findings: &[Finding]) -> ExitCode {
    match findings.iter().any(|finding| finding.state == State::Missing) {
        true => ExitCode::FAILURE,
        false => ExitCode::SUCCESS,
    }
}

/// One finding for each thing that matters, in the order in which a run needs them.
fn examine(prove_kvm: bool) -> Result<Vec<Finding>> {
    let (host, environment) = (Host::of_process(), Environment::of_process());
    let mut findings = vec![programs::qemu(&host)];
    let cache = Cache::locate(&environment);
    let kernel: Option<Kernel> = match &cache {
        Ok(cache) => ktstr_kernel::discover(&environment, cache).ok(),
        Err(_) => None,
    };
    if let (Ok(cache), Ok(qemu)) = (&cache, Qemu::find()) {
        findings.push(kernels::kvm(cache, &qemu, kernel.as_ref(), prove_kvm));
    } else {
        findings.push(Finding::note("KVM", "not looked at: that takes a QEMU and a cache"));
    }
    match &cache {
        Ok(cache) => {
            findings.push(kernels::kernel(&environment, cache));
            findings.push(storage::cache_folder(&environment, cache));
            findings.push(storage::disk(cache));
            findings.push(storage::held(cache));
        }
        Err(error) => {
            findings.push(Finding::missing("cache", error).fixed_by_hand("set HOME or KTSTR_CACHE_DIR"))
        }
    }
    findings.push(programs::nextest());
    findings.extend(programs::for_building(&host));
    findings.push(programs::for_shell(&host));
    findings.push(programs::for_kernels());
    findings.push(storage::memory_reading());
    Ok(findings)
}
