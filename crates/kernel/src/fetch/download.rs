//! Downloading packages with apt's own downloader, which knows the system's proxies, resumes, and checks sums.

use std::{
    fs,
    io::{self, Read, Seek},
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    thread,
    time::Duration,
};

use super::{
    apt::{APT_MISSING, Apt},
    package::Package,
    program::Failure,
};
use crate::{Error, Progress, Sha256Sum};

const POLL: Duration = Duration::from_millis(50);

/// Downloads `packages` into `dir`, going on with what an interrupted download left there. Each file then has the sum
/// that its package says.
pub fn download(
    apt: &Apt,
    packages: &[Package],
    dir: &Path,
    progress: &dyn Progress,
) -> Result<Vec<PathBuf>, Error> {
    fs::create_dir_all(dir).map_err(Error::cache_io("create", dir))?;
    let files: Vec<_> = packages.iter().map(|package| dir.join(package.file_name())).collect();
    let mut command = apt.download_command();
    let mut missing = 0;
    for (package, file) in packages.iter().zip(&files) {
        if !is_whole(package, file) {
            missing += 1;
            let sum = format!("SHA256:{}", package.record.sha256);
            command.arg(apt.address(&package.path)).arg(file).arg(sum);
        }
    }
    if missing == 0 {
        return Ok(files);
    }
    let failure = Failure {
        program: "apt-helper",
        doing: "downloading the kernel's packages",
        remedy: "type the same command again: it goes on where it stopped. If the mirror has dropped the packages, \
                 name another with KTSTR_DEBIAN_MIRROR",
        if_missing: APT_MISSING,
    };
    let mut stderr = tempfile::tempfile().map_err(Error::io("create", &std::env::temp_dir()))?;
    let copy = stderr.try_clone().map_err(Error::io("open", &std::env::temp_dir()))?;
    let total = packages.iter().map(|package| package.bytes).sum();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(copy)
        .spawn()
        .map_err(|error| failure.not_started(&error))?;
    let status: io::Result<ExitStatus> = loop {
        match child.try_wait() {
            Ok(None) => progress.bytes(files.iter().map(|file| length(file)).sum(), total),
            Ok(Some(status)) => break Ok(status),
            Err(error) => break Err(error),
        }
        thread::sleep(POLL);
    };
    if !status.is_ok_and(|status| status.success()) {
        let mut said = Vec::new();
        let _ = stderr.rewind().and_then(|()| stderr.read_to_end(&mut said));
        return Err(failure.failed(&said));
    }
    progress.bytes(total, total);
    for (package, file) in packages.iter().zip(&files) {
        check(package, file)?;
    }
    Ok(files)
}

fn length(file: &Path) -> u64 {
    fs::metadata(file).map_or(0, |file| file.len())
}

fn is_whole(package: &Package, file: &Path) -> bool {
    length(file) == package.bytes && Sha256Sum::of_file(file).is_ok_and(|sum| sum == package.record.sha256)
}

/// Whether a file is the package; if not it is removed.
pub fn check(package: &Package, file: &Path) -> Result<(), Error> {
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
