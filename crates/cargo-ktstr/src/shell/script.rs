//! The script that the guest's shell runs: it is the session.

use std::fmt;

use ktstr_host::quoted;
use ktstr_wire::session::SHELL;

/// What a session does.
#[derive(Debug)]
pub struct Script<'a> {
    /// The command to run; an interactive shell without one.
    pub command: Option<&'a str>,
}

impl fmt::Display for Script<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.command {
            Some(command) => writeln!(f, "cd; exec {SHELL} -c {}", quoted(command)),
            None => writeln!(f, "cd; exec {SHELL} -i"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_arrives_as_it_was_typed() {
        let script = Script { command: Some("echo 'a b' \"$HOME\"") }.to_string();
        let output =
            std::process::Command::new("sh").arg("-c").arg(script).env("HOME", "/").output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "a b /\n");
    }
}
