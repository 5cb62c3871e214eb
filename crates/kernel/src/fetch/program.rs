//! Running the system's programs.

use std::{
    io,
    process::{Command, Output},
};

use crate::Error;

const LINES_SHOWN: usize = 8;

/// A command whose messages are English, as error texts that we pass on.
pub fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command.env("LC_ALL", "C");
    command
}

/// Runs to the end; on failure the error carries what the program said.
pub fn run(command: &mut Command, failure: Failure<'_>) -> Result<Output, Error> {
    let output = command.output().map_err(|error| failure.not_started(&error))?;
    if output.status.success() { Ok(output) } else { Err(failure.failed(&output.stderr)) }
}

/// How to tell that a program failed.
#[derive(Clone, Copy)]
pub struct Failure<'a> {
    /// The program's name.
    pub program: &'static str,
    /// What it was for.
    pub doing: &'a str,
    /// What to do when it fails.
    pub remedy: &'static str,
    /// What to do when it is not there.
    pub if_missing: &'static str,
}

impl Failure<'_> {
    /// The error of a program that did not start.
    pub fn not_started(&self, error: &io::Error) -> Error {
        match error.kind() {
            io::ErrorKind::NotFound => {
                Error::ToolMissing { program: self.program.into(), remedy: self.if_missing }
            }
            _ => self.failed(error.to_string().as_bytes()),
        }
    }

    /// The error of a program that ended badly.
    pub fn failed(&self, stderr: &[u8]) -> Error {
        let text = String::from_utf8_lossy(stderr);
        let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        let last = &lines[lines.len().saturating_sub(LINES_SHOWN)..];
        Error::Program {
            doing: self.doing.to_owned(),
            program: self.program,
            said: last.iter().map(|line| format!("  {}", line.trim_end())).collect::<Vec<_>>().join("\n"),
            remedy: self.remedy,
        }
    }
}
