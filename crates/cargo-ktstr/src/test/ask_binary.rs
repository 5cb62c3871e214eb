//! Asking a test binary for what it alone knows of its cells.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};
use serde::de::DeserializeOwned;

use super::nextest_list::TestInBinary;
use super::records::stdout;

/// Runs the binary of `test` with `argument` alone and reads what it prints, JSON in each line; `question` is for the error.
/// `set` gives the command what test processes see too.
///
/// # Errors
/// When it fails, or says something else.
pub fn ask<T: DeserializeOwned>(
    test: &TestInBinary,
    argument: &str,
    question: &str,
    set: impl FnOnce(&mut Command) -> Result<()>,
) -> Result<Vec<T>> {
    let mut command = Command::new(&test.binary);
    command.arg(argument).current_dir(&test.folder);
    set(&mut command)?;
    read(&test.binary, question, &stdout(&mut command)?)
}

fn read<T: DeserializeOwned>(binary: &Path, question: &str, printed: &[u8]) -> Result<Vec<T>> {
    let lines = printed.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let answers = lines.map(|line| serde_json::from_slice(line).ok());
    answers.collect::<Option<_>>().with_context(|| {
        format!(
            "{} was asked {question} and said something else: is it built with a ktstr of another version than this command?",
            binary.display()
        )
    })
}

#[cfg(test)]
mod tests {
    use ktstr_harness::TooLarge;

    use super::*;

    #[test]
    fn what_a_binary_says_is_read_line_by_line() {
        let read = |printed| read::<TooLarge>(Path::new("/t/b-1"), "what is large", printed);
        let found = read(b"{\"cell\":\"gauntlet/a/x\",\"why\":\"large\"}\n").unwrap();
        assert_eq!(found, [TooLarge { cell: "gauntlet/a/x".into(), why: "large".into() }]);
        assert_eq!(read(b"").unwrap(), []);
        let error = read(b"a: test\n").unwrap_err().to_string();
        assert!(error.starts_with("/t/b-1 was asked what is large and said something else"), "{error}");
    }
}
