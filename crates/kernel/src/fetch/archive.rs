//! Where packages come from: the system's apt, or a mirror that is read without it.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    apt::{APT_MISSING, Apt},
    apt_download, mirror,
    package::Package,
    plain::PlainMirror,
};
use crate::{Cache, Environment, Error, Progress, Sha256Sum, program::find_program};

/// A Debian archive.
pub enum Archive {
    /// Read by apt.
    Apt(Apt),
    /// Read by ktstr itself, where there is no apt.
    Plain(PlainMirror),
}

impl Archive {
    /// apt where it is installed, else the mirror that `KTSTR_DEBIAN_MIRROR` names; `insecure` lets the latter go
    /// unverified where nothing can verify it.
    pub fn prepare(cache: &Cache, env: &Environment, insecure: bool) -> Result<Self, Error> {
        match &env.debian_mirror {
            _ if find_program("apt-get").is_some() => Apt::prepare(cache, env).map(Self::Apt),
            Some(address) => {
                PlainMirror::prepare(&mirror::check(address)?, cache, env, insecure).map(Self::Plain)
            }
            None => Err(Error::ToolMissing { program: "apt-get".into(), remedy: APT_MISSING }),
        }
    }

    /// The index of a suite, read again unless that was done within `max_age`.
    pub fn index(&self, suite: &str, max_age: Duration) -> Result<String, Error> {
        match self {
            Self::Apt(apt) => apt.index(suite, max_age),
            // Without a state there is no age.
            Self::Plain(mirror) => mirror.index(suite),
        }
    }

    /// Downloads packages into `dir`, going on with what is there; each then has the sum that it should have.
    pub fn download(
        &self,
        packages: &[Package],
        dir: &Path,
        progress: &dyn Progress,
    ) -> Result<Vec<PathBuf>, Error> {
        fs::create_dir_all(dir).map_err(Error::cache_io("create", dir))?;
        let files: Vec<_> = packages.iter().map(|package| dir.join(package.file_name())).collect();
        let wanted = || packages.iter().zip(files.iter().map(PathBuf::as_path));
        let missing: Vec<_> = wanted().filter(|(package, file)| !is_whole(package, file)).collect();
        if !missing.is_empty() {
            match self {
                Self::Apt(apt) => apt_download::download(apt, &missing, progress)?,
                Self::Plain(mirror) => mirror.download(&missing, progress)?,
            }
        }
        for (package, file) in missing {
            check(package, file)?;
        }
        Ok(files)
    }
}

fn is_whole(package: &Package, file: &Path) -> bool {
    let length = fs::metadata(file).map_or(0, |file| file.len());
    length == package.bytes && Sha256Sum::of_file(file).is_ok_and(|sum| sum == package.record.sha256)
}

/// Whether a file is the package; if not it is removed.
fn check(package: &Package, file: &Path) -> Result<(), Error> {
    let found = Sha256Sum::of_file(file)?;
    if found == package.record.sha256 {
        return Ok(());
    }
    let _ = fs::remove_file(file);
    let expected = package.record.sha256.to_string();
    Err(Error::WrongSum {
        file: package.file_name().to_owned(),
        found: found.to_string(),
        expected,
        mirror: "KTSTR_DEBIAN_MIRROR",
    })
}
