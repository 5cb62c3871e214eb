//! `cargo xtask setup`: what this host lacks is installed through its package manager, after asking.
//!
//! `demo` and `test` begin with it; `demo` needs no more than a user does. When nothing is missing it is silent, asks no network and takes well under 0.2 s.

use anyhow::{Result, bail};
use ktstr_host::{
    Consent, Host, Invocation, Missing, OF_OWN_TESTS, REQUIREMENTS, Requirement, missing, plan_install,
};

use crate::stage;

/// Install what ktstr and its own tests need and this host lacks
#[derive(clap::Args, Clone, Copy)]
#[group(skip)]
pub struct Args {
    /// Do not ask before installing (CI=true has the same effect)
    #[arg(long)]
    pub yes: bool,
}

/// What a user's tests need.
pub const OF_USERS: &[&[Requirement]] = &[&REQUIREMENTS];
/// What the project's own tests need.
pub const OF_TESTS: &[&[Requirement]] = &[&REQUIREMENTS, &OF_OWN_TESTS];

/// `cargo xtask setup`.
///
/// # Errors
/// When something is missing and cannot be installed, or the answer was no.
pub fn run(args: &Args) -> Result<()> {
    complete(args.yes, OF_TESTS)?;
    println!("This host has all that ktstr needs.");
    Ok(())
}

/// Makes sure that the host meets `requirements`.
///
/// # Errors
/// As [`run`].
pub fn complete(yes: bool, requirements: &[&'static [Requirement]]) -> Result<()> {
    let host = Host::of_process();
    let lacking = || -> Vec<Missing> { requirements.iter().flat_map(|some| missing(some, &host)).collect() };
    let first = lacking();
    if first.is_empty() {
        return Ok(());
    }
    eprintln!("This host lacks:");
    for one in &first {
        eprintln!("  {}: {}", one.requirement.what, one.found);
    }
    if let Some(variable) = first.iter().find_map(|one| one.chosen_by) {
        bail!("{variable} names the wrong program: unset it, or name a newer one");
    }
    let wanted: Vec<_> = first.iter().map(|one| one.requirement.packages).collect();
    let consent = Consent::new(yes);
    let Some(commands) = plan_install(&host, &wanted, |update| carry_out(update, consent))? else {
        bail!("there is no apt-get here: install these with your package manager, then run this again");
    };
    carry_out(&commands, consent)?;
    if let Some(one) = lacking().first() {
        bail!("{} is still not right after installing: {}", one.requirement.what, one.found);
    }
    Ok(())
}

fn carry_out(commands: &[Invocation], consent: Consent) -> Result<()> {
    consent.ask(commands)?;
    commands.iter().try_for_each(|command| stage::run("setting up", command))
}
