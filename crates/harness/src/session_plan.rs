//! What a shell gets that shall be like a test's guest, or have a declared scheduler: only the test binary knows it.
//!
//! `cargo ktstr shell` asks each of the workspace's test binaries, in an environment variable and beside `--list`, so that
//! a binary that does not know the question lists its tests and does nothing else.

use std::env;
use std::path::PathBuf;

use ktstr_guest::TestEntry;
use ktstr_model::{Mode, RunOrder, Scheduler, TestSpec, Topology};
use serde::{Deserialize, Serialize};

use crate::cells::Declared;
use crate::error::HarnessError;
use crate::plan::RunPlan;
use crate::run::{Host, test_binary};
use crate::scheduler_file::Places;
use crate::settings::Settings;

/// The variable with the [`Question`].
pub const VARIABLE: &str = "KTSTR_SESSION";
/// What a line of an [`Answer`] begins with.
const MARK: &str = "ktstr-session: ";

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Question {
    /// The guest of this test.
    Test(String),
    /// A guest with this scheduler.
    Scheduler(String),
}

/// What a test binary says to it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// It declares that: this is to be done.
    Plan(Box<SessionPlan>),
    /// It does not; the names of what it declares.
    Absent(Vec<String>),
    /// It does, and it cannot be had: why.
    Refused(String),
}

/// A guest, with paths of the host beside those that the guest shall have.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SessionPlan {
    /// CPUs and NUMA nodes.
    pub topology: Topology,
    /// Memory in MiB.
    pub memory_mb: u32,
    /// Kernel arguments.
    pub kargs: Vec<String>,
    /// Files and folders.
    pub files: Vec<(PathBuf, String)>,
    /// Programs.
    pub programs: Vec<(PathBuf, String)>,
    /// Small files with their content.
    pub texts: Vec<(String, String)>,
    /// The scheduler and what goes with it; of a test, all that its process is told.
    pub order: RunOrder,
    /// The test binary, if the guest is that of a test.
    pub test_binary: Option<PathBuf>,
}

impl Question {
    /// As the variable's value.
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl Answer {
    /// The answer in what a test binary printed; none when it does not know the question.
    pub fn find(printed: &str) -> Option<Self> {
        let line = printed.lines().find_map(|line| line.strip_prefix(MARK))?;
        serde_json::from_str(line).ok()
    }

    fn to_line(&self) -> String {
        format!("{MARK}{}", serde_json::to_string(self).unwrap_or_default())
    }
}

/// The line that answers the question in this process's environment; none when there is none.
pub(crate) fn answer(declared: &Declared) -> Option<String> {
    let text = env::var(VARIABLE).ok().filter(|text| !text.is_empty())?;
    let answer = match serde_json::from_str(&text) {
        Ok(question) => answer_to(&question, declared),
        Err(error) => Answer::Refused(format!("{VARIABLE}={text}: {error}")),
    };
    Some(answer.to_line())
}

fn answer_to(question: &Question, declared: &Declared) -> Answer {
    let plan = match question {
        Question::Test(name) => {
            let Some(entry) = declared.tests.iter().find(|entry| entry.spec.path() == *name) else {
                return absent(declared.tests.iter().map(|entry| entry.spec.path()));
            };
            of_test(entry)
        }
        Question::Scheduler(name) => {
            let Some(scheduler) = declared.schedulers.iter().find(|scheduler| scheduler.name == name) else {
                return absent(declared.schedulers.iter().map(|scheduler| scheduler.name.to_owned()));
            };
            of_scheduler(scheduler)
        }
    };
    plan.map_or_else(|error| Answer::Refused(error.to_string()), |plan| Answer::Plan(Box::new(plan)))
}

fn absent(names: impl Iterator<Item = String>) -> Answer {
    let mut names: Vec<String> = names.collect();
    names.sort();
    Answer::Absent(names)
}

fn of_test(entry: &TestEntry) -> Result<SessionPlan, HarnessError> {
    if entry.spec.host_only {
        return Err(HarnessError::Config("the test is `host_only`: it runs in no guest".to_owned()));
    }
    Ok(SessionPlan { test_binary: Some(test_binary()?), ..plan(&entry.spec)? })
}

fn of_scheduler(scheduler: &'static Scheduler) -> Result<SessionPlan, HarnessError> {
    plan(&TestSpec { scheduler, ..TestSpec::new("shell", "ktstr") })
}

fn plan(spec: &TestSpec) -> Result<SessionPlan, HarnessError> {
    let settings = Settings::of_this_process()?;
    let host = Host::of_this_process(None)?;
    let seed = spec.seed.unwrap_or(settings.seed);
    // Which of the two it is, whoever asked knows.
    let plan = RunPlan::new(spec, &host.kernel, Mode::Deterministic, seed, &Places::of_this_process())?;
    Ok(SessionPlan {
        topology: plan.machine.topology,
        memory_mb: plan.machine.memory_mb,
        kargs: plan.machine.kargs,
        files: plan.files,
        programs: plan.scheduler.into_iter().chain(plan.payloads).collect(),
        texts: plan.texts,
        order: plan.order,
        test_binary: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_found_among_other_lines() {
        let line = absent(["b".to_owned(), "a".to_owned()].into_iter()).to_line();
        let found = Answer::find(&format!("steady: test\n{line}\nsmt_steady: test\n"));
        assert!(matches!(found, Some(Answer::Absent(names)) if names == ["a", "b"]));
        assert!(Answer::find("steady: test\n").is_none());
    }

    #[test]
    fn what_is_not_declared_is_answered_with_what_is() {
        static SCHEDULER: Scheduler = Scheduler::new("mine");
        static SCHEDULERS: [&Scheduler; 1] = [&SCHEDULER];
        let declared = Declared { tests: &[], schedulers: &SCHEDULERS };
        let answer = answer_to(&Question::Scheduler("other".to_owned()), &declared);
        assert!(matches!(answer, Answer::Absent(names) if names == ["mine"]));
        let text = Question::Test("a::b".to_owned()).to_text();
        assert_eq!(text, r#"{"test":"a::b"}"#);
    }
}
