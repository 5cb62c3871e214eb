//! `cargo xtask setup`: what this host lacks is installed through its package manager, after asking.
//!
//! `demo` and `test` begin with it. When nothing is missing it is silent, asks no network and takes well under 0.2 s.

use anyhow::{Result, bail};
use ktstr_host::{Consent, Host, Invocation, Requirement, missing, plan_install};

use crate::stage;

/// Install what ktstr needs and this host lacks
#[derive(clap::Args, Clone, Copy)]
#[group(skip)]
pub struct Args {
    /// Do not ask before installing (CI=true has the same effect)
    #[arg(long)]
    pub yes: bool,
}

/// `cargo xtask setup`.
///
/// # Errors
/// When something is missing and cannot be installed, or the answer was no.
pub fn run(args: &Args) -> Result<()> {
    complete(args.yes)?;
    println!("This host has all that ktstr needs.");
    Ok(())
}

/// Makes sure that the host has what ktstr needs.
///
/// # Errors
/// As [`run`].
pub fn complete(yes: bool) -> Result<()> {
    complete_with(yes, &[])
}

/// Makes sure that the host has what ktstr needs, and these things besides.
///
/// # Errors
/// As [`run`].
pub fn complete_with(yes: bool, more: &'static [&'static Requirement]) -> Result<()> {
    let host = Host::of_process();
    let all = || missing(&host).into_iter().chain(more.iter().filter_map(|one| one.lack(&host)));
    let lacking: Vec<_> = all().collect();
    if lacking.is_empty() {
        return Ok(());
    }
    eprintln!("This host lacks:");
    for one in &lacking {
        eprintln!("  {}: {}", one.requirement.what, one.found);
    }
    if let Some(variable) = lacking.iter().find_map(|one| one.chosen_by) {
        bail!("{variable} names the wrong program: unset it, or name a newer one");
    }
    let wanted: Vec<_> = lacking.iter().map(|one| one.requirement.packages).collect();
    let consent = Consent::new(yes);
    let Some(commands) = plan_install(&host, &wanted, |update| carry_out(update, consent))? else {
        bail!("there is no apt-get here: install these with your package manager, then run this again");
    };
    carry_out(&commands, consent)?;
    if let Some(one) = all().next() {
        bail!("{} is still not right after installing: {}", one.requirement.what, one.found);
    }
    Ok(())
}

fn carry_out(commands: &[Invocation], consent: Consent) -> Result<()> {
    consent.ask(commands)?;
    commands.iter().try_for_each(|command| stage::run("setting up", command))
}
