//! What can be wrong with records, and with what is asked of them.

use std::io;
use std::path::{Path, PathBuf};

use ktstr_model::{Cause, Verdict};

use crate::compare::NoCommonCells;
use crate::dimension::Dimension;
use crate::schema::Schema;

/// A record that cannot be read. The others are read all the same.
#[derive(Debug, thiserror::Error)]
#[error("{} {why}", path.display())]
pub struct BadRecord {
    /// The record.
    pub path: PathBuf,
    /// What is wrong with it.
    pub why: BadRecordWhy,
}

/// What is wrong with a record.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BadRecordWhy {
    /// The system does not give it.
    #[error("cannot be read ({0})")]
    Unreadable(io::Error),
    /// It ends too early.
    #[error("is cut off ({0})")]
    CutOff(serde_json::Error),
    /// It is not JSON.
    #[error("is not JSON ({0})")]
    NotJson(serde_json::Error),
    /// A field is not there, or is not what it should be.
    #[error("is not a record, or was edited ({0})")]
    NotARecord(serde_json::Error),
    /// Its verdict is not the one that its cause has.
    #[error("contradicts itself and was edited: its verdict is `{0}`, but its cause `{1}` always has the verdict `{verdict}`; run its test again", verdict = .1.verdict())]
    Contradiction(Verdict, Cause),
    /// It has a word that this version does not know, and is from a newer one.
    #[error("was written by a newer ktstr (schema {0}, this one writes {current}): update ktstr ({1})", current = Schema::CURRENT)]
    Newer(Schema, serde_json::Error),
    /// Its major version is another.
    #[error("was written by {age} ktstr (schema {0}, this one reads {major}.x): {remedy}", age = age(*.0), remedy = remedy(*.0), major = Schema::CURRENT.major)]
    OtherMajor(Schema),
}

fn age(schema: Schema) -> &'static str {
    if schema > Schema::CURRENT { "a newer" } else { "an older" }
}

fn remedy(schema: Schema) -> &'static str {
    if schema > Schema::CURRENT { "update ktstr" } else { "run its test again" }
}

/// Records that were asked for and cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResultsError {
    /// A folder that cannot be read.
    #[error("{}: {said}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The system's answer.
        said: io::Error,
    },
    /// A record that was named and cannot be read.
    #[error(transparent)]
    Record(#[from] BadRecord),
    /// There is no run at all.
    #[error("there are no records in {}: `cargo ktstr test` makes some", .0.display())]
    NoRuns(PathBuf),
    /// The run that was named does not exist.
    #[error("there is no run `{name}` in {}{}", folder.display(), others(.near))]
    UnknownRun {
        /// What was named.
        name: String,
        /// Where it was looked for.
        folder: PathBuf,
        /// Names that are there, the likeliest first.
        near: Vec<String>,
    },
    /// A name is the beginning of several.
    #[error("`{name}` may be any of {}: give more of it", list(.candidates))]
    Ambiguous {
        /// What was named.
        name: String,
        /// What it may be.
        candidates: Vec<String>,
    },
    /// No record has that value.
    #[error("no record is of {dimension} `{value}`{}", others(.near))]
    NoSuchSide {
        /// What sides are told apart by.
        dimension: Dimension,
        /// The value that was named.
        value: String,
        /// Values that are there, the likeliest first.
        near: Vec<String>,
    },
    /// Both sides are one.
    #[error("both sides are {dimension} `{value}`: give two that differ")]
    SameSide {
        /// What sides are told apart by.
        dimension: Dimension,
        /// The value of both.
        value: String,
    },
    /// Nothing to compare.
    #[error(transparent)]
    NoCommonCells(Box<NoCommonCells>),
}

impl ResultsError {
    pub(crate) fn folder(path: &Path, said: io::Error) -> Self {
        Self::Folder { path: path.to_owned(), said }
    }
}

/// `a`, `b`.
pub(crate) fn list(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn others(names: &[String]) -> String {
    const SHOWN: usize = 5;
    match names.len() {
        0 => String::new(),
        count if count > SHOWN => format!("; there are {} and {} more", list(&names[..SHOWN]), count - SHOWN),
        _ => format!("; there are {}", list(names)),
    }
}
