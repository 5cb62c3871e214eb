//! The folder of a campaign: its parameters, a line for each run, the records of failures.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use ktstr_model::RunOrder;
use serde::{Deserialize, Serialize};

use crate::outcome::Outcome;
use crate::strategy::StrategyName;

/// Changes when older folders cannot be used any more.
const SCHEMA: u32 = 1;
const PARAMETERS: &str = "campaign.json";
const RUNS: &str = "runs.jsonl";
const FAILURES: &str = "failures";

/// What the runs of a campaign depend on. Runs of other parameters do not belong together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parameters {
    /// ktstr's version.
    pub ktstr: String,
    /// How runs differ.
    pub strategy: StrategyName,
    /// What its random choices come from.
    pub seed: u64,
    /// The saved machine: kernel, agent, topology, memory, QEMU.
    pub machine: String,
    /// Every file in the guest: test binary, scheduler, their libraries.
    pub files: String,
    /// The plain run.
    pub order: RunOrder,
}

impl Parameters {
    /// A name for the folder that these parameters alone have.
    pub fn folder_name(&self) -> String {
        let hash = blake3::hash(serde_json::to_string(self).unwrap_or_default().as_bytes()).to_hex();
        let letter = |letter: char| {
            if letter.is_ascii_alphanumeric() || "._-".contains(letter) { letter } else { '.' }
        };
        let test: String = self.order.test.replace("::", ".").chars().map(letter).take(100).collect();
        format!("{test}-{}-{}", self.strategy, &hash[..12])
    }

    /// In what these differ from others, in words.
    fn differences(&self, other: &Self) -> Vec<&'static str> {
        let all = [
            (self.ktstr != other.ktstr, "ktstr's version"),
            (self.strategy != other.strategy, "the strategy"),
            (self.seed != other.seed, "the seed"),
            (self.order.test != other.order.test, "the test"),
            (self.machine != other.machine, "the machine (kernel, topology, memory, QEMU)"),
            (self.files != other.files, "the test binary or the scheduler"),
            (self.order != other.order, "the test's declaration"),
        ];
        all.into_iter().filter_map(|(differs, what)| differs.then_some(what)).collect()
    }
}

/// Why a folder cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// A file of it.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// It is of another version of ktstr.
    #[error("{} is a campaign's folder in format {found}, and this version of ktstr has format {SCHEMA}: begin a new campaign in another folder, or go on with the version that made it", path.display())]
    Version {
        /// The folder.
        path: PathBuf,
        /// Its format.
        found: u64,
    },
    /// It is no campaign's folder, or a damaged one.
    #[error("{} cannot be read as part of a campaign: {why}; begin a new one in another folder", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// Two processes would make the same runs.
    #[error("{} is in use: another process carries this campaign out", .0.display())]
    InUse(PathBuf),
    /// It has other things in it, which a campaign's files would be mixed with.
    #[error("{} is not empty and no campaign's folder: name a new one", .0.display())]
    NotEmpty(PathBuf),
    /// There is no campaign in it.
    #[error("{} has no campaign: one belongs to one build of the test and its scheduler, one kernel, strategy and seed", .0.display())]
    None(PathBuf),
    /// It is another campaign's.
    #[error("{} is of another campaign; what differs: {}. Leave --campaign out, or name a new folder", path.display(), differences.join(", "))]
    Other {
        /// The folder.
        path: PathBuf,
        /// In what they differ.
        differences: Vec<&'static str>,
    },
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> FolderError {
    let path = path.to_owned();
    move |source| FolderError::File { path, source }
}

/// A campaign's folder, opened by one process.
#[derive(Debug)]
pub struct CampaignFolder {
    path: PathBuf,
    runs: File,
    /// What earlier times left.
    earlier: Vec<Outcome>,
}

#[derive(Serialize, Deserialize)]
struct Stored<P> {
    schema: u32,
    parameters: P,
}

impl CampaignFolder {
    /// Makes the folder, or takes up the campaign that is in it.
    ///
    /// # Errors
    /// When it holds another campaign, or one of another version, or cannot be used, or is used by another process.
    pub fn open(path: &Path, parameters: &Parameters) -> Result<Self, FolderError> {
        fs::create_dir_all(path).map_err(at(path))?;
        let stored = path.join(PARAMETERS);
        if !stored.exists() && holds_other_things(path).map_err(at(path))? {
            return Err(FolderError::NotEmpty(path.to_owned()));
        }
        let lines = path.join(RUNS);
        let runs = File::options().create(true).append(true).open(&lines).map_err(at(&lines))?;
        // Before the parameters are looked at: of two processes with different ones only one may write them.
        match runs.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(FolderError::InUse(path.to_owned())),
            Err(TryLockError::Error(error)) => return Err(at(&lines)(error)),
        }
        match fs::read(&stored) {
            Ok(bytes) => check(path, &stored, &bytes, parameters)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => write_parameters(&stored, parameters)?,
            Err(error) => return Err(at(&stored)(error)),
        }
        let bytes = fs::read(&lines).map_err(at(&lines))?;
        // What follows the last whole line was cut off when a process ended, and would spoil the next one.
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let earlier = outcomes(&lines, &bytes[..whole])?;
        if whole < bytes.len() {
            runs.set_len(whole as u64).map_err(at(&lines))?;
        }
        Ok(Self { path: path.to_owned(), runs, earlier })
    }

    /// Takes up a campaign that is there.
    ///
    /// # Errors
    /// As [`open`](Self::open), and when there is none.
    pub fn open_existing(path: &Path, parameters: &Parameters) -> Result<Self, FolderError> {
        if !path.join(PARAMETERS).exists() {
            return Err(FolderError::None(path.to_owned()));
        }
        Self::open(path, parameters)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where records of failures go.
    pub fn failures(&self) -> PathBuf {
        self.path.join(FAILURES)
    }

    /// The runs of earlier times, once.
    pub fn take_earlier(&mut self) -> Vec<Outcome> {
        std::mem::take(&mut self.earlier)
    }

    /// Keeps one more run, at once: it survives whatever becomes of this process.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep(&mut self, outcome: &Outcome) -> Result<(), FolderError> {
        let line = serde_json::to_vec(outcome).map_err(io::Error::from);
        let write = |mut line: Vec<u8>| {
            line.push(b'\n');
            self.runs.write_all(&line)
        };
        line.and_then(write).map_err(at(&self.path.join(RUNS)))
    }
}

/// Whether something is in the folder that no process puts there that begins a campaign.
fn holds_other_things(path: &Path) -> io::Result<bool> {
    for entry in fs::read_dir(path)? {
        let name = entry?.file_name();
        if name != RUNS && name != aside_name().as_str() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn aside_name() -> String {
    format!(".{PARAMETERS}.half")
}

fn write_parameters(stored: &Path, parameters: &Parameters) -> Result<(), FolderError> {
    let text = serde_json::to_vec_pretty(&Stored { schema: SCHEMA, parameters });
    let aside = stored.with_file_name(aside_name());
    text.map_err(io::Error::from)
        .and_then(|text| fs::write(&aside, text))
        .and_then(|()| fs::rename(&aside, stored))
        .map_err(at(stored))
}

fn check(path: &Path, file: &Path, bytes: &[u8], parameters: &Parameters) -> Result<(), FolderError> {
    let damaged =
        |why: serde_json::Error| FolderError::Damaged { path: file.to_owned(), why: why.to_string() };
    let value: serde_json::Value = serde_json::from_slice(bytes).map_err(damaged)?;
    let found = value["schema"].as_u64().unwrap_or(0);
    if found != u64::from(SCHEMA) {
        return Err(FolderError::Version { path: path.to_owned(), found });
    }
    let stored: Stored<Parameters> = serde_json::from_value(value).map_err(damaged)?;
    let differences = parameters.differences(&stored.parameters);
    if differences.is_empty() {
        Ok(())
    } else {
        Err(FolderError::Other { path: path.to_owned(), differences })
    }
}

fn outcomes(path: &Path, lines: &[u8]) -> Result<Vec<Outcome>, FolderError> {
    let lines = lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let read = |(number, line): (usize, &[u8])| {
        serde_json::from_slice(line).map_err(|error| FolderError::Damaged {
            path: path.to_owned(),
            why: format!("line {}: {error}", number + 1),
        })
    };
    lines.enumerate().map(read).collect()
}

#[cfg(test)]
mod tests;
