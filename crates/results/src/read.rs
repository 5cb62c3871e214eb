//! Reading one record.

use std::fs;
use std::io;
use std::path::Path;

use ktstr_model::{Cause, RunReport, Verdict};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use crate::error::{BadRecord, BadRecordWhy};
use crate::record::Record;
use crate::schema::Schema;

/// What every version of a record has.
#[derive(Deserialize)]
struct Version {
    schema: Schema,
}

/// How the run ended, in all the places that say so.
#[derive(Deserialize)]
struct Head {
    schema: Schema,
    verdict: Verdict,
    cause: Cause,
}

impl Record {
    /// Reads a record.
    ///
    /// # Errors
    /// When it cannot be read, is damaged, or is of a version that this one does not read; see [`Schema`].
    pub fn read(path: &Path) -> Result<Self, BadRecord> {
        read(path)
    }

    /// Reads what the guest of the record at `path` reported, with every event; `None` when it reported nothing.
    ///
    /// # Errors
    /// When there is a report that cannot be read.
    pub fn read_report(path: &Path) -> Result<Option<RunReport>, BadRecord> {
        let path = path.with_extension("").join(Self::REPORT_FILE);
        let bad = |why| BadRecord { path: path.clone(), why };
        match fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).map(Some).map_err(|error| bad(syntax(error))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(bad(BadRecordWhy::Unreadable(error))),
        }
    }
}

/// Reads a record, or the part of it that `T` has, which parses faster.
///
/// # Errors
/// As [`Record::read`].
pub fn read<T: DeserializeOwned>(path: &Path) -> Result<T, BadRecord> {
    let text = fs::read(path).map_err(BadRecordWhy::Unreadable);
    text.and_then(|text| parse(&text)).map_err(|why| BadRecord { path: path.to_owned(), why })
}

fn parse<T: DeserializeOwned>(text: &[u8]) -> Result<T, BadRecordWhy> {
    let read = serde_json::from_slice(text);
    let head = serde_json::from_slice::<Head>(text);
    let version = match &head {
        Ok(head) => Ok(head.schema),
        Err(_) => serde_json::from_slice(text).map(|Version { schema }| schema),
    };
    // Of a record of another major version nothing but that can be said, even if it happens to fit.
    match (version, read, head) {
        (Ok(schema), ..) if !schema.is_readable() => Err(BadRecordWhy::OtherMajor(schema)),
        (_, Ok(_), Ok(Head { verdict, cause, .. })) if verdict != cause.verdict() => {
            Err(BadRecordWhy::Contradiction(verdict, cause))
        }
        (_, Ok(read), _) => Ok(read),
        (Ok(schema), Err(error), _) if schema > Schema::CURRENT => Err(BadRecordWhy::Newer(schema, error)),
        (_, Err(error), _) => Err(syntax(error)),
    }
}

fn syntax(error: serde_json::Error) -> BadRecordWhy {
    match error.classify() {
        Category::Eof => BadRecordWhy::CutOff(error),
        Category::Data => BadRecordWhy::NotARecord(error),
        Category::Syntax | Category::Io => BadRecordWhy::NotJson(error),
    }
}

#[cfg(test)]
mod tests;
