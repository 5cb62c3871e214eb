//! `cargo ktstr doctor --fix`

use anyhow::{Result, bail};
use ktstr_host::{Consent, Host, Invocation, Packages, plan_install};

use super::finding::{Finding, Fix};

/// Runs what makes right what is missing, and what is noted because a package is, after asking; false when there is
/// nothing to run.
pub fn run(findings: &[Finding], consent: Consent) -> Result<bool> {
    let fixes = || findings.iter().filter_map(|one| one.fix.as_ref());
    let mut commands = install(fixes(), consent)?;
    // Building cargo-nextest and fetching kernels may need the packages.
    commands.extend(fixes().filter_map(|fix| match fix {
        Fix::Command(command) => Some(command.clone()),
        _ => None,
    }));
    if commands.is_empty() {
        println!("\nThere is nothing that --fix could run.");
        return Ok(false);
    }
    carry_out(&commands, consent)?;
    Ok(true)
}

/// The commands that install the packages; on a system whose package manager is not known, none, after saying what to
/// install.
fn install<'a>(fixes: impl Iterator<Item = &'a Fix>, consent: Consent) -> Result<Vec<Invocation>> {
    let (whats, wanted): (Vec<&str>, Vec<Packages>) = fixes
        .filter_map(|fix| match fix {
            Fix::Packages { what, packages } => Some((what, packages)),
            _ => None,
        })
        .unzip();
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let commands = plan_install(&Host::of_process(), &wanted, |update| carry_out(update, consent))?;
    Ok(commands.unwrap_or_else(|| {
        println!("\nThere is no apt-get here. Install these with your package manager:");
        whats.iter().for_each(|what| println!("  {what}"));
        Vec::new()
    }))
}

fn carry_out(commands: &[Invocation], consent: Consent) -> Result<()> {
    consent.ask(commands)?;
    for command in commands {
        eprintln!("==> {command}");
        let status = command.status()?;
        if !status.success() {
            bail!("this command failed ({status}):\n  {command}");
        }
    }
    Ok(())
}
