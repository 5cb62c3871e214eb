//! `--scheduler NAME` and `--test TEST`: what the workspace's test binaries declare.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use ktstr_harness::{Answer, Question, SESSION_VARIABLE, SessionPlan};
use ktstr_kernel::Kernel;
use serde::Deserialize;

use crate::test::{build_programs, cargo};

/// A message of cargo's, as far as it matters here.
#[derive(Deserialize)]
struct Message {
    executable: Option<PathBuf>,
    profile: Option<Profile>,
}

#[derive(Deserialize)]
struct Profile {
    test: bool,
}

/// Builds the workspace's programs and tests, and asks those for what they declare.
///
/// # Errors
/// When something cannot be built, nothing declares it, or it cannot be had.
pub fn find(question: &Question, kernel: &Kernel) -> Result<SessionPlan> {
    build_programs(false, &[])?;
    let mut others = Vec::new();
    for binary in test_binaries()? {
        match ask(&binary, question, kernel)? {
            Some(Answer::Plan(plan)) => return Ok(*plan),
            Some(Answer::Refused(why)) => bail!("{}: {why}", asked_for(question)),
            Some(Answer::Absent(names)) => others.extend(names),
            None => {}
        }
    }
    others.sort();
    others.dedup();
    bail!("{}: no test binary of this workspace declares it{}", asked_for(question), list(&others))
}

fn asked_for(question: &Question) -> String {
    match question {
        Question::Test(name) => format!("--test {name}"),
        Question::Scheduler(name) => format!("--scheduler {name}"),
    }
}

fn list(names: &[String]) -> String {
    match names {
        [] => ", nor anything else of the kind".to_owned(),
        names => format!("; there is {}", names.join(", ")),
    }
}

fn test_binaries() -> Result<Vec<PathBuf>> {
    let arguments = ["test", "--workspace", "--no-run", "--message-format", "json-render-diagnostics"];
    let output =
        cargo().args(arguments).stderr(Stdio::inherit()).output().context("running `cargo test --no-run`")?;
    ensure!(
        output.status.success(),
        "the workspace's tests could not be built (`cargo test --workspace --no-run`)"
    );
    Ok(executables(&String::from_utf8_lossy(&output.stdout)))
}

/// The test binaries that cargo's messages tell of.
fn executables(messages: &str) -> Vec<PathBuf> {
    let message = |line: &str| serde_json::from_str::<Message>(line).ok();
    let of_test =
        |message: Message| message.executable.filter(|_| message.profile.is_some_and(|one| one.test));
    messages.lines().filter_map(message).filter_map(of_test).collect()
}

/// What a binary says; none when it declares nothing.
fn ask(binary: &Path, question: &Question, kernel: &Kernel) -> Result<Option<Answer>> {
    let output = Command::new(binary)
        .args(["--list", "--format", "terse"])
        .env(SESSION_VARIABLE, question.to_text())
        .env("KTSTR_TEST_KERNEL", &kernel.image)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .with_context(|| format!("running {}", binary.display()))?;
    Ok(Answer::find(&String::from_utf8_lossy(&output.stdout)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_test_binaries_are_asked() {
        let messages = r#"{"reason":"compiler-artifact","profile":{"test":true},"executable":"/t/a"}
{"reason":"compiler-artifact","profile":{"test":false},"executable":"/t/program"}
{"reason":"compiler-artifact","profile":{"test":true},"executable":null}
{"reason":"build-finished","success":true}"#;
        assert_eq!(executables(messages), [PathBuf::from("/t/a")]);
    }

    #[test]
    fn names_that_there_are_help() {
        assert_eq!(list(&["a".to_owned(), "b".to_owned()]), "; there is a, b");
        assert_eq!(list(&[]), ", nor anything else of the kind");
    }
}
