//! `cargo xtask setup`: what this host lacks is installed through its package manager, after asking.
//!
//! `demo` and `test` begin with it. When nothing is missing it is silent, asks no network and takes well under 0.2 s.

mod apt;
mod consent;
mod host;
mod requirement;
// What QEMU is too old for is said once, in the crate that uses it.
#[path = "../../crates/vm/src/version.rs"]
#[allow(dead_code)]
mod version;

use anyhow::{Result, bail};

use crate::invocation::Invocation;
use crate::stage;
use consent::Consent;
use host::Host;
use requirement::Missing;

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
    let host = Host::of_process();
    let missing = requirement::missing(&host);
    if missing.is_empty() {
        return Ok(());
    }
    eprintln!("This host lacks:");
    for one in &missing {
        eprintln!("  {}: {}", one.requirement.what, one.found);
    }
    if let Some(variable) = missing.iter().find_map(|one| one.chosen_by) {
        bail!("{variable} names the wrong program: unset it, or name a newer one");
    }
    if host.find("apt-get").is_none() {
        bail!("there is no apt-get here: install these with your package manager, then run this again");
    }
    install(&missing, Consent::new(yes))?;

    if let Some(one) = requirement::missing(&host).first() {
        bail!("{} is still not right after installing: {}", one.requirement.what, one.found);
    }
    Ok(())
}

fn install(missing: &[Missing], consent: Consent) -> Result<()> {
    let wanted: Vec<_> = missing.iter().map(|one| one.requirement.packages).collect();
    let mut archive = apt::Archive::ask(&wanted)?;
    if archive.is_empty() {
        // A fresh system knows no package yet, so it cannot tell which ones it could install.
        eprintln!("The package lists are empty; they have to be fetched first.");
        carry_out(&[apt::update()], consent)?;
        archive = apt::Archive::ask(&wanted)?;
    }
    carry_out(&apt::plan(&wanted, &archive)?, consent)
}

fn carry_out(commands: &[Invocation], consent: Consent) -> Result<()> {
    let commands = consent::as_root(commands)?;
    eprintln!("These commands will be run:");
    for command in &commands {
        eprintln!("  {command}");
    }
    consent.ask()?;
    commands.iter().try_for_each(|command| stage::run("setting up", command))
}
