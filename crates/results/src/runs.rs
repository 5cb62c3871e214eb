//! Finding folders of runs and reading all records of one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::SystemTime;

use crate::choose::{Unclear, choose};
use crate::error::{BadRecord, ResultsError};
use crate::read::read;
use crate::run_folder::RunFolderName;
use crate::sample::Sample;
use crate::write::RecordFolder;

/// A folder of runs on this host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFolder {
    /// Where it is.
    pub path: PathBuf,
    /// Its own name, without the folders above it.
    pub name: String,
    /// When a record was last added or removed.
    pub changed: SystemTime,
}

/// Records that were read.
#[derive(Debug, Default)]
pub struct Samples {
    /// The good ones, the oldest first.
    pub read: Vec<Sample>,
    /// The bad ones.
    pub bad: Vec<BadRecord>,
}

impl Samples {
    /// Takes over `more`.
    pub fn extend(&mut self, more: Self) {
        self.read.extend(more.read);
        self.bad.extend(more.bad);
    }
}

impl RunFolder {
    /// The folder at `path`.
    ///
    /// # Errors
    /// When it is none, or cannot be looked at.
    pub fn at(path: &Path) -> Result<Self, ResultsError> {
        let looked = fs::metadata(path).and_then(|metadata| match metadata.is_dir() {
            true => metadata.modified(),
            false => Err(io::Error::from(io::ErrorKind::NotADirectory)),
        });
        let changed = looked.map_err(|source| ResultsError::folder(path, source))?;
        let whole = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let name = whole.file_name().unwrap_or(whole.as_os_str()).to_string_lossy().into_owned();
        Ok(Self { path: path.to_owned(), name, changed })
    }

    /// The kernel and commit that its name says.
    pub fn names(&self) -> Option<RunFolderName> {
        RunFolderName::parse(&self.name)
    }

    /// Whether it has no record.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn is_empty(&self) -> Result<bool, ResultsError> {
        Ok(self.record_paths()?.is_empty())
    }

    /// The paths of its records, the first by name first.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn record_paths(&self) -> Result<Vec<PathBuf>, ResultsError> {
        let error = |source| ResultsError::folder(&self.path, source);
        let entries = fs::read_dir(&self.path).map_err(error)?;
        let mut paths = Vec::new();
        for entry in entries {
            let path = entry.map_err(error)?.path();
            let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
            if !is_hidden && path.extension().is_some_and(|extension| extension == "json") {
                paths.push(path);
            }
        }
        paths.sort();
        Ok(paths)
    }

    /// Reads all its records, on all CPUs.
    ///
    /// # Errors
    /// When the folder cannot be read. Records that cannot be are among what is returned.
    pub fn samples(&self) -> Result<Samples, ResultsError> {
        let paths = self.record_paths()?;
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let share = paths.len().div_ceil(threads).max(1);
        let read_all = |paths: &[PathBuf]| paths.iter().map(|path| self.sample(path)).collect::<Vec<_>>();
        let read: Vec<_> = thread::scope(|scope| {
            let readers: Vec<_> =
                paths.chunks(share).map(|chunk| scope.spawn(move || read_all(chunk))).collect();
            let join = |reader: thread::ScopedJoinHandle<'_, Vec<_>>| {
                reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            };
            readers.into_iter().flat_map(join).collect()
        });
        let mut samples = Samples::default();
        for outcome in read {
            match outcome {
                Ok(sample) => samples.read.push(sample),
                Err(bad) => samples.bad.push(bad),
            }
        }
        samples.read.sort_by_key(|sample| sample.began_unix_ms);
        Ok(samples)
    }

    fn sample(&self, path: &Path) -> Result<Sample, BadRecord> {
        Ok(Sample { path: path.to_owned(), run: self.name.clone(), ..read(path)? })
    }
}

impl RecordFolder {
    /// The folders of runs in it, the newest first; none when it does not exist.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn runs(&self) -> Result<Vec<RunFolder>, ResultsError> {
        let folder = self.root();
        if !folder.exists() {
            return Ok(Vec::new());
        }
        if let Self::Fixed(folder) = self {
            let run = RunFolder::at(folder)?;
            return Ok(if run.is_empty()? { Vec::new() } else { vec![run] });
        }
        let error = |source| ResultsError::folder(folder, source);
        let mut runs = Vec::new();
        for entry in fs::read_dir(folder).map_err(error)? {
            let path = entry.map_err(error)?.path();
            if path.is_dir() {
                let run = RunFolder::at(&path)?;
                if run.names().is_some() && !run.is_empty()? {
                    runs.push(run);
                }
            }
        }
        runs.sort_by(|a, b| b.changed.cmp(&a.changed).then_with(|| a.name.cmp(&b.name)));
        Ok(runs)
    }

    /// The newest folder of runs.
    ///
    /// # Errors
    /// When there is none.
    pub fn newest(&self) -> Result<RunFolder, ResultsError> {
        self.runs()?.into_iter().next().ok_or_else(|| ResultsError::NoRuns(self.root().to_owned()))
    }

    /// The folder that `name` names: its name, the beginning of its name alone, or a path.
    ///
    /// # Errors
    /// When there is no such folder; the error has near names.
    pub fn find(&self, name: &str) -> Result<RunFolder, ResultsError> {
        let mut runs = self.runs()?;
        let names: Vec<String> = runs.iter().map(|run| run.name.clone()).collect();
        match choose(name, &names) {
            Ok(found) => Ok(runs.swap_remove(found)),
            Err(_) if Path::new(name).is_dir() => RunFolder::at(Path::new(name)),
            Err(Unclear::Ambiguous(candidates)) => {
                Err(ResultsError::Ambiguous { name: name.to_owned(), candidates })
            }
            Err(Unclear::Unknown(near)) => {
                Err(ResultsError::UnknownRun { name: name.to_owned(), folder: self.root().to_owned(), near })
            }
        }
    }
}

#[cfg(test)]
mod tests;
