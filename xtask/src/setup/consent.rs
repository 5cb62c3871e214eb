//! Who may change the host, and on whose word.

use std::env;
use std::io::{IsTerminal as _, stderr, stdin};

use anyhow::{Context as _, Result, bail};

use super::host::Host;
use crate::invocation::Invocation;

/// How to learn whether commands may be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// `--yes` or `CI=true`.
    Given,
    /// A person can answer.
    Ask,
    /// Nobody is there.
    Nobody,
}

impl Consent {
    /// From the command line, the environment and the terminal.
    pub fn new(yes: bool) -> Self {
        let ci = env::var_os("CI").is_some_and(|value| value == "true" || value == "1");
        if yes || ci {
            Self::Given
        } else if stdin().is_terminal() && stderr().is_terminal() {
            Self::Ask
        } else {
            Self::Nobody
        }
    }

    /// Returns when the commands just shown may be run.
    ///
    /// # Errors
    /// When the answer is anything but yes, or there is nobody to answer.
    pub fn ask(self) -> Result<()> {
        match self {
            Self::Given => Ok(()),
            Self::Nobody => {
                bail!("not run, there is no terminal to ask at: give --yes, or run them yourself")
            }
            Self::Ask => {
                eprint!("Run them? [y/N] ");
                let mut answer = String::new();
                stdin().read_line(&mut answer).context("cannot read the answer")?;
                if !is_yes(&answer) {
                    bail!("not run: run them yourself, then try again");
                }
                Ok(())
            }
        }
    }
}

fn is_yes(answer: &str) -> bool {
    ["y", "yes"].contains(&answer.trim().to_lowercase().as_str())
}

/// The commands as this user has to give them.
///
/// # Errors
/// When they need root and there is no way to become root; the message lists them.
pub fn as_root(commands: &[Invocation]) -> Result<Vec<Invocation>> {
    if rustix::process::geteuid().is_root() {
        return Ok(commands.to_vec());
    }
    if Host::of_process().find("sudo").is_some() {
        return Ok(commands.iter().cloned().map(Invocation::with_sudo).collect());
    }
    let list: String = commands.iter().map(|command| format!("\n  {command}")).collect();
    bail!("installing needs root and there is no sudo: run these as root, then try again{list}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_yes_is_a_yes() {
        for answer in ["y\n", "Y", "yes\n", " Yes "] {
            assert!(is_yes(answer), "{answer:?}");
        }
        for answer in ["", "\n", "n\n", "yep", "no"] {
            assert!(!is_yes(answer), "{answer:?}");
        }
    }
}
