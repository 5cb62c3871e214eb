//! The script that the guest's shell runs: it is the session.

use std::fmt;

use ktstr_host::quoted;
use ktstr_wire::session::SHELL;

/// What a session does.
#[derive(Debug)]
pub struct Script<'a> {
    /// What is run first. When that fails, an interactive shell opens all the same, and a command is not run.
    pub first: Option<&'a str>,
    /// The command to run; an interactive shell without one.
    pub command: Option<&'a str>,
}

impl fmt::Display for Script<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(first) = self.first {
            let failed = if self.command.is_some() { " || exit" } else { "" };
            writeln!(f, "{first}{failed}")?;
        }
        match self.command {
            Some(command) => writeln!(f, "cd; exec {SHELL} -c {}", quoted(command)),
            None => writeln!(f, "cd; exec {SHELL} -i"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Output};

    use super::*;

    fn run(script: &Script<'_>) -> Output {
        Command::new("sh").arg("-c").arg(script.to_string()).env("HOME", "/").output().unwrap()
    }

    #[test]
    fn a_command_arrives_as_it_was_typed() {
        let output = run(&Script { first: None, command: Some("echo 'a b' \"$HOME\"") });
        assert_eq!(String::from_utf8_lossy(&output.stdout), "a b /\n");
    }

    #[test]
    fn a_command_is_not_run_when_what_comes_first_fails() {
        let output = run(&Script { first: Some("(exit 3)"), command: Some("echo no") });
        assert_eq!((output.status.code(), output.stdout.len()), (Some(3), 0));
        let output = run(&Script { first: Some("true"), command: Some("echo yes") });
        assert_eq!(String::from_utf8_lossy(&output.stdout), "yes\n");
        let interactive = Script { first: Some("false"), command: None }.to_string();
        assert!(interactive.starts_with("false\ncd; exec"), "{interactive}");
    }
}
