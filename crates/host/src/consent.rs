//! Who may change the host, and on whose word.

use std::env;
use std::io::{IsTerminal as _, stderr, stdin};

use crate::{Host, HostError, Invocation};

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

    /// Shows `commands` and returns when they may be run.
    ///
    /// # Errors
    /// When the answer is anything but yes, or there is nobody to answer.
    pub fn ask(self, commands: &[Invocation]) -> Result<(), HostError> {
        eprintln!("These commands will be run:");
        for command in commands {
            eprintln!("  {command}");
        }
        match self {
            Self::Given => Ok(()),
            Self::Nobody => Err(HostError::NobodyToAsk),
            Self::Ask => {
                eprint!("Run them? [y/N] ");
                let mut answer = String::new();
                // An answer that cannot be read is none.
                let _ = stdin().read_line(&mut answer);
                if is_yes(&answer) { Ok(()) } else { Err(HostError::Declined) }
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
pub fn as_root(host: &Host, commands: &[Invocation]) -> Result<Vec<Invocation>, HostError> {
    if rustix::process::geteuid().is_root() {
        return Ok(commands.to_vec());
    }
    if host.find("sudo").is_some() {
        return Ok(commands.iter().cloned().map(Invocation::with_sudo).collect());
    }
    let list: String = commands.iter().map(|command| format!("\n  {command}")).collect();
    Err(HostError::NoRoot { list })
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
