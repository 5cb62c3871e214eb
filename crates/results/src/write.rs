//! Writing the record of a run and its evidence.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ktstr_model::RunReport;

use crate::record::Record;

/// Letters of a test's name in the name of its record; a file's name may have 255 bytes.
const NAME_LETTERS: usize = 150;

/// Where a record goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordFolder {
    /// Into this folder itself.
    Fixed(PathBuf),
    /// Into the folder for its kernel and commit in this one.
    Below(PathBuf),
}

impl RecordFolder {
    /// The variable that names a [`Fixed`](Self::Fixed) folder; it goes before the other.
    pub const FIXED_VARIABLE: &str = "KTSTR_SIDECAR_DIR";
    /// The variable that names a folder [`Below`](Self::Below) which records go.
    pub const BELOW_VARIABLE: &str = "KTSTR_RUNS_DIR";

    /// The variable that tells another process of this folder.
    pub fn variable(&self) -> &'static str {
        match self {
            Self::Fixed(_) => Self::FIXED_VARIABLE,
            Self::Below(_) => Self::BELOW_VARIABLE,
        }
    }

    /// The folder that it is or that all of its folders are in.
    pub fn root(&self) -> &Path {
        match self {
            Self::Fixed(folder) | Self::Below(folder) => folder,
        }
    }

    /// The folder of `record`.
    pub fn of(&self, record: &Record) -> PathBuf {
        match self {
            Self::Fixed(folder) => folder.clone(),
            Self::Below(folder) => folder.join(record.run_folder().to_string()),
        }
    }
}

/// What is kept of a run beside its record.
#[derive(Clone, Copy, Debug, Default)]
pub struct Evidence<'a> {
    /// What the guest reported, with every event that the digest covers.
    pub report: Option<&'a RunReport>,
    /// Names of files and their texts; there are none of most runs that passed.
    pub logs: &'a [(&'static str, &'a str)],
}

/// Where a record was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The record.
    pub record: PathBuf,
    /// The folder of evidence beside it, if logs were kept there.
    pub logs: Option<PathBuf>,
}

impl Record {
    /// The name of the guest's report in the folder of evidence.
    pub const REPORT_FILE: &str = "report.json";

    /// Writes the record into `folder`, and what is kept beside it into a folder of the same name. The record comes last and
    /// all at once: who sees it sees the whole. Other processes may write there at the same time.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn write(&self, folder: &Path, evidence: Evidence<'_>) -> io::Result<Written> {
        fs::create_dir_all(folder)?;
        let record = tempfile::Builder::new().prefix(".").suffix(".half").tempfile_in(folder)?;
        serde_json::to_writer(io::BufWriter::new(record.as_file()), self)?;
        let stem = self.free_stem(folder);
        let beside = folder.join(&stem);
        if evidence.report.is_some() || !evidence.logs.is_empty() {
            fs::create_dir_all(&beside)?;
        }
        if let Some(report) = evidence.report {
            fs::write(beside.join(Self::REPORT_FILE), serde_json::to_vec(report)?)?;
        }
        for (name, text) in evidence.logs {
            fs::write(beside.join(name), text)?;
        }
        let path = folder.join(format!("{stem}.json"));
        // Others shall be able to read it; a temporary file is its owner's alone.
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
        record.as_file().set_permissions(mode)?;
        record.persist(&path)?;
        Ok(Written { record: path, logs: (!evidence.logs.is_empty()).then_some(beside) })
    }

    /// A name that no record in `folder` has: the test's, the time's and this process's.
    fn free_stem(&self, folder: &Path) -> String {
        let letter = |letter: char| {
            if letter.is_ascii_alphanumeric() || "._-".contains(letter) { letter } else { '.' }
        };
        let test: String = self.test.replace("::", ".").chars().map(letter).take(NAME_LETTERS).collect();
        let stem = format!("{test}-{}-{}", self.began_unix_ms, std::process::id());
        let names = std::iter::once(stem.clone()).chain((2..).map(|n| format!("{stem}-{n}")));
        names.into_iter().find(|name| !folder.join(format!("{name}.json")).exists()).unwrap_or(stem)
    }
}

#[cfg(test)]
mod tests;
