//! What the doctor says of one thing.

use std::fmt::Display;

use ktstr_host::{Invocation, Packages};
use serde::{Serialize, Serializer};

/// How it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// As it should be.
    Ok,
    /// Tests run; something else does not, or could be better.
    Note,
    /// Tests cannot be built or run.
    Missing,
}

/// What makes it right.
#[derive(Debug)]
pub enum Fix {
    /// These packages.
    Packages { what: &'static str, packages: Packages },
    /// This command, as this user.
    Command(Invocation),
    /// Something that only a person can do.
    ByHand(String),
}

impl Display for Fix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Packages { what, packages } => write!(f, "install {what} (Debian: {packages})"),
            Self::Command(command) => write!(f, "`{command}`"),
            Self::ByHand(words) => f.write_str(words),
        }
    }
}

impl Serialize for Fix {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            // Without the marks that are for people.
            Self::Command(command) => serializer.collect_str(command),
            other => serializer.collect_str(other),
        }
    }
}

/// One line of the doctor.
#[derive(Debug, Serialize)]
pub struct Finding {
    pub subject: &'static str,
    pub state: State,
    pub found: String,
    pub fix: Option<Fix>,
}

impl Finding {
    pub fn ok(subject: &'static str, found: impl Display) -> Self {
        Self { subject, state: State::Ok, found: found.to_string(), fix: None }
    }

    pub fn note(subject: &'static str, found: impl Display) -> Self {
        Self { state: State::Note, ..Self::ok(subject, found) }
    }

    pub fn missing(subject: &'static str, found: impl Display) -> Self {
        Self { state: State::Missing, ..Self::ok(subject, found) }
    }

    pub fn fixed_by(self, fix: Fix) -> Self {
        Self { fix: Some(fix), ..self }
    }

    pub fn fixed_by_hand(self, words: impl Display) -> Self {
        self.fixed_by(Fix::ByHand(words.to_string()))
    }

    /// A line for people, and another for the fix. `width` is that of the longest subject.
    pub fn text(&self, width: usize) -> String {
        let state = match self.state {
            State::Ok => "ok",
            State::Note => "note",
            State::Missing => "MISSING",
        };
        let indent = " ".repeat(7 + 2 + width + 2);
        let line = format!(
            "{state:7}  {:width$}  {}",
            self.subject,
            self.found.trim().replace('\n', &format!("\n{indent}"))
        );
        match &self.fix {
            Some(fix) => format!("{line}\n{indent}fix: {fix}"),
            None => line,
        }
    }
}
