//! Where the records of a token's replays are: `target/ktstr/replays/TOKEN/`, one folder for each run.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use ktstr_results::replay::ReplayToken;

/// The folder, while one process fills it.
pub struct ReplayFolder {
    path: PathBuf,
    token: PathBuf,
    _lock: File,
}

impl ReplayFolder {
    /// Empties the folder and puts a copy of the token's `file` there, which may be among what is removed.
    ///
    /// # Errors
    /// When another process replays the token, or the folder cannot be written.
    pub fn begin(records: &Path, token: &ReplayToken, file: &Path) -> Result<Self> {
        let path = records.join("replays").join(token.id.to_string());
        let writing = || format!("writing to {}", path.display());
        let bytes = fs::read(file).with_context(|| format!("reading {}", file.display()))?;
        fs::create_dir_all(&path).with_context(writing)?;
        // Beside the folder, which is emptied.
        let lock = File::create(path.with_extension("lock")).with_context(writing)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!("another process replays {} right now", token.id),
            Err(TryLockError::Error(error)) => return Err(error).with_context(writing),
        }
        let copy = path.join(format!("{}.{}", token.id, ReplayToken::EXTENSION));
        empty(&path).and_then(|()| fs::write(&copy, bytes)).with_context(writing)?;
        Ok(Self { path, token: copy, _lock: lock })
    }

    /// The copy of the token's file.
    pub fn token(&self) -> &Path {
        &self.token
    }

    /// For the records of one run.
    pub fn of_run(&self, number: u32) -> PathBuf {
        self.path.join(number.to_string())
    }
}

fn empty(folder: &Path) -> io::Result<()> {
    fs::remove_dir_all(folder)?;
    fs::create_dir(folder)
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    #[test]
    fn one_process_fills_it_and_nothing_of_earlier_replays_stays() {
        let records = tempfile::tempdir().unwrap();
        let token = testing::token();
        let file = token.write(records.path()).unwrap();
        let folder = ReplayFolder::begin(records.path(), &token, &file).unwrap();
        fs::create_dir(folder.of_run(4)).unwrap();
        let error = ReplayFolder::begin(records.path(), &token, &file).err().unwrap().to_string();
        assert_eq!(error, format!("another process replays {} right now", token.id));
        assert!(folder.of_run(4).exists());

        let copy = folder.token().to_owned();
        drop(folder);
        let folder = ReplayFolder::begin(records.path(), &token, &copy).unwrap();
        assert!(!folder.of_run(4).exists());
        assert_eq!(ReplayToken::read(folder.token()).unwrap().id, token.id);
    }
}
