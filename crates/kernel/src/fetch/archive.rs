//! Where packages come from: the system's apt, or a mirror that is read without it.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    apt::{APT_MISSING, Apt},
    download,
    mirror::check,
    package::Package,
    plain::PlainMirror,
};
use crate::{Cache, Environment, Error, Progress, program::find_program};

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
            Some(address) => PlainMirror::prepare(&check(address)?, cache, env, insecure).map(Self::Plain),
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
        match self {
            Self::Apt(apt) => download::download(apt, packages, dir, progress),
            Self::Plain(mirror) => mirror.download(packages, dir, progress),
        }
    }
}
