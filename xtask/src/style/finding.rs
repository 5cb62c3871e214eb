//! Something that is against the house rules.

use std::fmt;
use std::path::{Path, PathBuf};

/// Where, what, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    path: PathBuf,
    /// Counted from 1.
    line: usize,
    what: String,
    advice: &'static str,
}

impl Finding {
    /// A finding in the line with this index, counted from 0 as iterators do.
    pub fn new(path: &Path, index: usize, what: impl Into<String>, advice: &'static str) -> Self {
        Self { path: path.to_owned(), line: index + 1, what: what.into(), advice }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, line, what, advice } = self;
        write!(f, "{}:{line}: {what}: {advice}", path.display())
    }
}
