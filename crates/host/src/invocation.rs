//! A command to run, printed exactly as a person would type it.

use std::ffi::OsString;
use std::fmt;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Command, ExitStatus, Output, Stdio};

use crate::HostError;

/// A program with its arguments and surroundings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invocation {
    folder: Option<OsString>,
    environment: Vec<(String, String)>,
    words: Vec<String>,
    input: Option<String>,
}

impl Invocation {
    /// A command from its words, which hold no spaces: `"cargo fmt --all"`.
    pub fn new(words: &str) -> Self {
        let words = words.split_whitespace().map(str::to_owned).collect();
        Self { folder: None, environment: Vec::new(), words, input: None }
    }

    /// A command that begins with this program.
    pub fn of(program: impl AsRef<Path>) -> Self {
        Self::new("").arg(program.as_ref().display().to_string())
    }

    /// Adds one argument, whatever it holds.
    pub fn arg(mut self, argument: impl Into<String>) -> Self {
        self.words.push(argument.into());
        self
    }

    /// Adds arguments.
    pub fn args<S: Into<String>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.words.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Sets an environment variable.
    pub fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// Runs in `folder`.
    pub fn in_folder(mut self, folder: impl AsRef<Path>) -> Self {
        self.folder = Some(folder.as_ref().into());
        self
    }

    /// Gives one line on standard input.
    pub fn fed(mut self, line: impl Into<String>) -> Self {
        self.input = Some(line.into());
        self
    }

    /// Puts `sudo` in front.
    pub fn with_sudo(mut self) -> Self {
        self.words.insert(0, "sudo".to_owned());
        self
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.words[0]);
        command.args(&self.words[1..]).envs(self.environment.iter().map(|(name, value)| (name, value)));
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        command
    }

    /// Runs it with our own output and waits.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn status(&self) -> Result<ExitStatus, HostError> {
        let mut command = self.command();
        if self.input.is_some() {
            command.stdin(Stdio::piped());
        }
        let mut child = command.spawn().map_err(|why| self.not_run(why))?;
        if let (Some(line), Some(mut stdin)) = (&self.input, child.stdin.take()) {
            writeln!(stdin, "{line}").map_err(|why| self.not_run(why))?;
        }
        child.wait().map_err(|why| self.not_run(why))
    }

    /// Runs it and returns what it printed, whether it succeeded or not.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn output(&self) -> Result<Output, HostError> {
        self.command().stdin(Stdio::null()).output().map_err(|why| self.not_run(why))
    }

    /// Runs it and returns what it wrote to its standard output.
    ///
    /// # Errors
    /// When it cannot be started or fails; the message holds what it wrote to its standard error.
    pub fn stdout(&self) -> Result<String, HostError> {
        let output = self.output()?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).trim_end().to_owned();
            return Err(HostError::Failed { command: self.to_string(), status: output.status, said });
        }
        String::from_utf8(output.stdout).map_err(|why| self.not_run(io::Error::other(why)))
    }

    fn not_run(&self, why: io::Error) -> HostError {
        HostError::NotRun { command: self.to_string(), why }
    }
}

impl fmt::Display for Invocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(folder) = &self.folder {
            write!(f, "cd {} && ", quoted(&folder.to_string_lossy()))?;
        }
        if let Some(line) = &self.input {
            write!(f, "echo {} | ", quoted(line))?;
        }
        for (name, value) in &self.environment {
            write!(f, "{name}={} ", quoted(value))?;
        }
        let words: Vec<String> = self.words.iter().map(|word| quoted(word)).collect();
        f.write_str(&words.join(" "))
    }
}

/// A word as a shell reads it back.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_what_a_person_would_type() {
        let invocation = Invocation::new("cargo nextest run")
            .arg("-E")
            .arg("test(it's)")
            .env("KTSTR_TEST_KERNEL", "/a b/bzImage")
            .in_folder("examples/my-sched");
        assert_eq!(
            invocation.to_string(),
            r"cd examples/my-sched && KTSTR_TEST_KERNEL='/a b/bzImage' cargo nextest run -E 'test(it'\''s)'"
        );
    }

    #[test]
    fn a_printed_command_does_the_same_in_a_shell() {
        let invocation = Invocation::new("cat -").fed("two  words, $HOME and 'quotes'");
        let shell = Invocation::new("sh -c").arg(invocation.to_string());
        assert_eq!(shell.stdout().unwrap(), "two  words, $HOME and 'quotes'\n");
    }

    #[test]
    fn failure_names_the_command_and_its_last_words() {
        let error = Invocation::new("sh -c").arg("echo sorry >&2; exit 3").stdout().unwrap_err().to_string();
        assert!(error.contains("exit status: 3"), "{error}");
        assert!(error.contains("sh -c 'echo sorry >&2; exit 3'\nsorry"), "{error}");
        let error = Invocation::new("no-such-program-here").status().unwrap_err().to_string();
        assert!(error.starts_with("cannot run `no-such-program-here`: "), "{error}");
    }
}
